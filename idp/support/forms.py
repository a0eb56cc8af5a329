"""What the pages of support send: its shape, and what is said about what is missing or does not belong there."""

import re
import unicodedata
from dataclasses import asdict, dataclass, fields, replace
from typing import Self

from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from idp import settings
from idp.accounts import addresses
from idp.accounts.addresses import Problem
from idp.support import words
from idp.support.models import OTHER, TOPICS
from idp.support.service import Request, digits

Errors = list[tuple[str, str]]
"""What is wrong, as pairs of a field's id (empty for the form as a whole) and words."""

LONGEST_SUMMARY = 1000
_LONGEST = {"name": 100, "student_name": 100, "phone": 40, "email": 254, "summary": LONGEST_SUMMARY}
_FEWEST_DIGITS, _MOST_DIGITS = 7, 20
_NUMBER_DIGITS = 8
_ANOTHER_SCHOOL = "-"
"""No school's key is like it, and it is not nothing: nothing means that none was chosen."""
_APART = re.compile(r"(?<!\d)\d{3}[\s.\-\u2010-\u2015]\d{2}[\s.\-\u2010-\u2015]\d{4}(?!\d)")
_TOGETHER = re.compile(r"(?<!\d)\d{9}(?!\d)")
"""How a Social Security number is written: 123-45-6789, or nine digits in a row."""
_TURNS_WRITING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class SupportForm:
    """The Portal Support Form as it was filled in."""

    topic: str = ""
    name: str = ""
    relationship: str = ""
    student_name: str = ""
    school: str = ""
    phone: str = ""
    email: str = ""
    language: str = ""
    best_time: str = words.BEST_TIMES[0]
    summary: str = ""
    kept_email: str = ""
    """The address that was pointed out as a slip the last time: sent again, it is meant."""

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> Self:
        """Read what was sent; nothing that is missing is an error yet."""
        return cls(**{one.name: _plain(sent.get(one.name, ""), one.name) for one in fields(cls)})

    def errors(self) -> Errors:
        """Return what is missing, too long, or better not sent, in the order of the fields."""
        found = {**self._missing(), **self._unfit(), **self._secret(), **self._too_long()}
        return [(one.name, found[one.name]) for one in fields(self) if one.name in found]

    def request(self) -> Request:
        """Return what is asked; the form has no errors."""
        asked = asdict(replace(self, school="" if self.school == _ANOTHER_SCHOOL else self.school))
        del asked["kept_email"]
        return Request(**asked)

    def slip(self) -> str:
        """Return the address that was pointed out as a slip, for the page to send along."""
        return addresses.slip(self.email)

    def _missing(self) -> dict[str, str]:
        choices = (
            ("topic", TOPICS, _("Choose what you need help with.")),
            ("relationship", words.RELATIONSHIPS, _("Choose who you are to the student.")),
            ("school", [key for key, _name in schools()], _("Choose the student\u2019s school.")),
            ("language", words.languages(), _("Choose a language.")),
            ("best_time", words.BEST_TIMES, _("Choose a time.")),
        )
        names = (("name", _("Enter your name.")), ("student_name", _("Enter the student\u2019s name.")))
        found = {name: problem for name, known, problem in choices if getattr(self, name) not in known}
        found |= {name: problem for name, problem in names if not any(map(str.isalnum, getattr(self, name)))}
        if not self.phone and not self.email:
            found["phone"] = _("Enter a phone number or an email address. We need one of them to reach you.")
        if self.topic == OTHER and not self.summary:
            found["summary"] = _("Tell us in a few words what you need.")
        return found

    def _unfit(self) -> dict[str, str]:
        found = {}
        if self.phone and not _FEWEST_DIGITS <= len(digits(self.phone)) <= _MOST_DIGITS:
            found["phone"] = _("This is no phone number. It looks like 847-555-0142.")
        address = addresses.check(self.email) if self.email else None
        if isinstance(address, Problem):
            found["email"] = address.words
        elif address and address.meant and address.text != self.kept_email:
            found["email"] = _("Did you mean %(address)s? If not, press Send again.", address=address.meant)
        return found

    def _secret(self) -> dict[str, str]:
        problem = _(
            "This looks like a Social Security number. Please take it out: we never need it. "
            "Write a phone number into the field for it."
        )
        found = {
            name: problem for name in ("name", "student_name", "summary", "phone") if _APART.search(getattr(self, name))
        }
        return found | {
            name: problem for name in ("name", "student_name", "summary") if _TOGETHER.search(getattr(self, name))
        }

    def _too_long(self) -> dict[str, str]:
        over = {name: len(getattr(self, name)) - longest for name, longest in _LONGEST.items()}
        return {
            name: ngettext("This is too long by %(num)s character.", "This is too long by %(num)s characters.", number)
            for name, number in over.items()
            if number > 0
        }


@dataclass(frozen=True, slots=True)
class LookUpForm:
    """The page that asks for a request's number, as it was filled in."""

    number: str = ""
    contact: str = ""

    @classmethod
    def read(cls, sent: MultiDict[str, str]) -> Self:
        """Read what was sent; what is longer than anything right is cut off."""
        return cls(_plain(sent.get("number", "")[:40], "number"), _plain(sent.get("contact", "")[:300], "contact"))

    def errors(self) -> Errors:
        """Return what is missing."""
        missing = []
        if len(digits(self.number)) != _NUMBER_DIGITS:
            missing.append(("number", _("Enter the 8 digits of the number.")))
        if not self.contact:
            missing.append(("contact", _("Enter the email address or the phone number that you gave us.")))
        return missing


def schools() -> list[tuple[str, str]]:
    """Return the schools to choose from, by key and name; another one comes last."""
    own = [(one.key, one.name) for one in settings.current().district.schools]
    return [*own, (_ANOTHER_SCHOOL, words.school(""))]


def _plain(text: str, name: str) -> str:
    """Return plain text: without what steers machines or turns writing round, on one line but for the summary."""
    several = name == "summary"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        one if unicodedata.category(one) not in {"Cc", "Cs"} else "\n" if several and one == "\n" else " "
        for one in text
        if one not in _TURNS_WRITING
    )
    kept = kept.strip() if several else " ".join(kept.split())
    return kept if len(kept) > _LONGEST.get(name, LONGEST_SUMMARY) else unicodedata.normalize("NFC", kept)
