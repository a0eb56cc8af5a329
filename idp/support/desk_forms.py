"""What the team types: each text is cut, cleaned and looked at before anything is done with it."""

import unicodedata
from dataclasses import dataclass, field
from typing import Self

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from idp.accounts.usernames import LONGEST as LONGEST_USERNAME
from idp.support.models import STATES, WAITING

LONGEST_REPLY, LONGEST_NOTE, LONGEST_REASON, LONGEST_SEARCH = 5000, 2000, 500, 100
REPLY, CALL, NOTE, MOVE = "reply", "call", "note", "move"
"""What the buttons of a request's page do."""

Errors = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HandlingForm:
    """What was sent from a request's page. What was typed in one of its forms is kept in that one."""

    do: str = ""
    text: str = ""
    state: str = ""
    version: str = ""

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> Self:
        """Read what was sent; the text is cut where check() says that it is too long."""
        return cls(
            sent.get("do", "")[:20],
            several_lines(sent.get("text", ""), LONGEST_REPLY + 1),
            sent.get("state", "")[:20],
            sent.get("version", "")[:50],
        )

    def errors(self) -> Errors:
        """Return what is wrong, each with the field that it is about."""
        if self.do == MOVE:
            return [] if self.state in STATES else [("", _("Choose one."))]
        longest = LONGEST_REPLY if self.do == REPLY else LONGEST_NOTE
        if not self.text:
            return [(f"{self.do}-text", _("Write something first."))]
        if len(self.text) > longest:
            return [(f"{self.do}-text", _("This is too long: use at most %(number)s characters.", number=longest))]
        if self.do in {REPLY, CALL} and self.state not in STATES:
            return [(f"{self.do}-state", _("Choose one."))]
        return []

    def typed(self, form: str) -> str:
        """Return what one of the page's forms has to hold again."""
        return self.text if self.do == form else ""

    def chosen(self, form: str, state: str) -> str:
        """Return whose turn one of the forms says it is: after an answer the family's, if nobody says otherwise."""
        if self.do == form and self.state in STATES:
            return self.state
        return WAITING if form == REPLY else state


@dataclass(frozen=True, slots=True)
class ActForm:
    """What was sent from the page of an act on a person."""

    reason: str = ""
    version: str = ""
    username: str = ""
    how: str = ""
    problems: Errors = field(default_factory=list)

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> Self:
        """Read what was sent."""
        reason = one_line(sent.get("reason", ""), LONGEST_REASON + 1)
        problems: Errors = []
        if not reason:
            problems = [("reason", _("Say why: it is kept with what you do."))]
        elif len(reason) > LONGEST_REASON:
            words = _("This is too long: use at most %(number)s characters.", number=LONGEST_REASON)
            problems = [("reason", words)]
        return cls(
            reason,
            sent.get("version", "")[:50],
            sent.get("username", "")[: LONGEST_USERNAME * 2],
            sent.get("how", "")[:20],
            problems,
        )


def searched(text: str) -> str:
    """Return what is searched for."""
    return one_line(text, LONGEST_SEARCH)


def one_line(text: str, longest: int) -> str:
    """Return a text as one line without what does not print."""
    return " ".join("".join(one if one.isprintable() else " " for one in text[: longest * 2]).split())[:longest]


def several_lines(text: str, longest: int) -> str:
    """Return a text with its lines and spaces as they are, but without control characters, which no database keeps."""
    lines = text[: longest * 2].replace("\r\n", "\n").replace("\r", "\n")
    kept = (one for one in lines if one in "\n\t" or unicodedata.category(one) not in {"Cc", "Cs"})
    return "".join(kept).strip("\n").rstrip()[:longest]
