"""The colour of an application: a small stylesheet and an emblem made from it."""

import re
from dataclasses import dataclass

from flask import Flask, Response

MAX_AGE = 3600
COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Look:
    """A school's colour, dark enough to carry white words, and its light twin for dark pages."""

    colour: str
    colour_on_dark: str
    letter: str

    def __post_init__(self) -> None:
        """Refuse what is no colour, since it becomes part of a stylesheet."""
        if not COLOUR.fullmatch(self.colour) or not COLOUR.fullmatch(self.colour_on_dark):
            raise ValueError(f"a colour is written like #1f4e8c, in small letters: {self}")


def stylesheet(look: Look, others: dict[str, Look]) -> str:
    """Custom properties for the page, and for each of `others` a class that repaints what lies inside."""
    rules = [_properties(":root", look.colour, look.colour_on_dark)]
    rules += [_properties(f".school-{name}", other.colour, other.colour_on_dark) for name, other in others.items()]
    return "\n".join(rules) + "\n"


def emblem(look: Look) -> str:
    """A shield with the letter of the school, as SVG."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">'
        '<path d="M24 2 43 8v16c0 11-8 18-19 22C13 42 5 35 5 24V8z" fill="#fff"/>'
        f'<path fill="{look.colour}" d="M24 5 40 10v14c0 9-7 15-16 19C15 39 8 33 8 24V10z"/>'
        '<text x="24" y="31" text-anchor="middle" font-family="Georgia, serif" font-size="22" font-weight="700"'
        f' fill="#fff">{look.letter}</text></svg>'
    )


def serve_look(app: Flask, look: Look, others: dict[str, Look] | None = None) -> None:
    """Answer the stylesheet and the emblem at fixed addresses."""
    sheet, shield = stylesheet(look, others or {}), emblem(look)
    app.add_url_rule("/theme.css", "theme", lambda: _cached(sheet, "text/css"))
    app.add_url_rule("/icon.svg", "icon", lambda: _cached(shield, "image/svg+xml"))


def _properties(selector: str, colour: str, colour_on_dark: str) -> str:
    return (
        f"{selector} {{ --band: {colour}; --school: {colour}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ {selector} {{ --school: {colour_on_dark}; }} }}"
    )


def _cached(text: str, mimetype: str) -> Response:
    response = Response(text, mimetype=mimetype)
    response.cache_control.public = True
    response.cache_control.max_age = MAX_AGE
    return response
