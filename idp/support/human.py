"""Whether a person has filled in the form: they take a moment, and leave alone what only programs see.

Nobody is turned away by it: the page comes back with all that was typed, and is sent once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _

from idp import sealing, settings

TOKEN, DECOY = "form_token", "website"
"""Names of fields."""
_PURPOSE = "support-form"
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page that was drawn here, and has been filled in."""

    id: str = field(repr=False)
    """Random: what is sent twice with one page is one request."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """The form has to be sent once more: the words that ask for it, and what it is sent with."""

    words: str
    token: str = field(repr=False)


def draw(now: datetime) -> str:
    """Return what a page carries so that its form is known again: when it was drawn, and an id of its own."""
    return sealing.seal(_PURPOSE, f"{now.timestamp()} {sealing.random_token()}".encode())


def keep(token: str, now: datetime) -> str:
    """Return the token for the same page shown again; a new one when it is too old, or none of ours."""
    opened = _opened(token)
    return token if opened is not None and now - opened[0] <= _LONGEST else draw(now)


def judge(sent: Mapping[str, str], now: datetime) -> Drawn | Doubt:
    """Tell whether a form is taken as it was sent. The robot check is to have its place here."""
    token = sent.get(TOKEN, "")
    opened = _opened(token)
    if opened is None or now - opened[0] > _LONGEST:
        words = _(
            "This page was open for too long, so nothing was sent. Your answers are still here. Press Send again."
        )
        return Doubt(words, draw(now))
    drawn_at, page_id = opened
    if sent.get(DECOY) or now - drawn_at < timedelta(seconds=settings.current().support.fill_in_seconds):
        words = _("That was very fast, so nothing was sent yet. Check your answers, and press Send again.")
        return Doubt(words, token)
    return Drawn(page_id)


def _opened(token: str) -> tuple[datetime, str] | None:
    try:
        drawn_at, page_id = sealing.open_sealed(_PURPOSE, token).decode().split(" ")
    except sealing.CannotOpen:
        return None
    return datetime.fromtimestamp(float(drawn_at), UTC), page_id
