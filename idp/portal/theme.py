"""The colours of the district and its schools, as a stylesheet in which every one of them can be read."""

import re

from idp.settings import District

Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
INK: Colour = (20, 24, 31)
LIGHT_PAGE: Colour = (244, 246, 249)
DARK_PAGE: Colour = (27, 33, 42)

_FALLBACK: Colour = (29, 79, 145)
_HEX = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)
_TEXT, _SHAPE = 5.5, 3.0  # WCAG 2.2 asks for 4.5 (1.4.3) and 3 (1.4.11); thin words on dark ground want more
_STEPS = 50


def parse(text: str) -> Colour:
    """Return the red, green and blue of #rrggbb; anything else gives a plain blue, since it must not reach the CSS."""
    if not _HEX.fullmatch(text):
        return _FALLBACK
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: Colour, background: Colour, ratio: float) -> Colour:
    """Return colour, or what is nearest to it on the way to white or ink that stands out from background by ratio."""
    towards = WHITE if _luminance(background) < 0.18 else INK
    mixed = (_mix(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next((candidate for candidate in mixed if contrast(candidate, background) >= ratio), towards)


def stylesheet(district: District) -> str:
    """Return the CSS variables of the district's colour and of each school's, for light and dark pages."""
    rules = [(":root", "district", district.colour)]
    rules += [(f".{school_class(index)}", "school", school.colour) for index, school in enumerate(district.schools)]
    light = "\n".join(_rule(selector, name, parse(colour), LIGHT_PAGE) for selector, name, colour in rules)
    dark = "\n".join(_rule(selector, name, parse(colour), DARK_PAGE) for selector, name, colour in rules)
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def school_class(index: int) -> str:
    """Return the class that gives an element the colours of the district's school at index."""
    return f"school-{index + 1}"


def _rule(selector: str, name: str, colour: Colour, page: Colour) -> str:
    """Write one colour in its four uses: a filled shape, the same pressed, words on it, and words on the page."""
    fill = readable(colour, page, _SHAPE)
    label = max((WHITE, INK), key=lambda candidate: contrast(candidate, fill))
    pressed = _mix(fill, INK if label == WHITE else WHITE, 0.2)
    values = {"": fill, "-pressed": pressed, "-label": label, "-text": readable(colour, page, _TEXT)}
    return f"{selector} {{ {' '.join(f'--{name}{use}: {_hex(value)};' for use, value in values.items())} }}"


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _mix(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
