"""Putting a message into words: a subject, a plain part and an HTML part, in the reader's language."""

from dataclasses import dataclass
from typing import Any

from flask import current_app, render_template
from flask_babel import force_locale

from idp import settings
from idp.web.language import locale_of


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says. Never shown in a repr: it may hold a link that is worth an account."""

    subject: str
    text: str
    html: str

    def __repr__(self) -> str:
        return "Content(…)"


def compose(kind: str, language: str, values: dict[str, Any]) -> Content:
    """Write the message of templates/emails/<kind>.txt and .html in a language.

    The plain template has two blocks, `subject` and `text`. Whatever a name in the values holds, the subject is one
    line: what would end it is taken out, so that no value can begin a header of its own (RFC 5322 section 2.2).
    """
    with force_locale(locale_of(language)):
        known = {"issuer": settings.current().server.issuer, **values}
        current_app.update_template_context(known)
        plain = current_app.jinja_env.get_template(f"emails/{kind}.txt")
        subject, text = ("".join(plain.blocks[block](plain.new_context(known))) for block in ("subject", "text"))
        html = render_template(f"emails/{kind}.html", **known | {"subject": one_line(subject)})
        return Content(one_line(subject), _tidy(text), html)


def one_line(subject: str) -> str:
    """Return a subject as one line of 150 characters at most, with nothing in it that does not print."""
    return " ".join("".join(one if one.isprintable() else " " for one in subject).split())[:150]


def _tidy(text: str) -> str:
    """Let no template's own line breaks show: at most one empty line between paragraphs."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for number, line in enumerate(lines) if line or lines[number - 1]]
    return "\n".join(kept) + "\n"
