"""What a name and an e-mail address on file may be."""

import re
import unicodedata

from flask_babel import gettext as _

_LONGEST_NAME = 200
_LONGEST_PART = 100
_LONGEST_EMAIL = 254
_EMAIL = re.compile(r"[^\s@,:;<>()\[\]\"\\]+@[^\s@,:;<>()\[\]\"\\]+\.[^\s@,:;<>()\[\]\"\\.]+")
"""What the outbox takes for one address; whether somebody reads it is what only a mail can tell."""


def problem(name: str, given_name: str, family_name: str, email: str | None) -> str | None:
    """Return why these can't be kept, in a sentence for a person, or None when they can."""
    words: str | None = None
    if any(unicodedata.category(character)[0] == "C" for character in f"{name}{given_name}{family_name}{email or ''}"):
        words = _("The name or the email address contains a line break or a character that can't be seen.")
    elif len(name) > _LONGEST_NAME or max(len(given_name), len(family_name)) > _LONGEST_PART:
        words = _("The name is too long.")
    elif email is not None and (len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email)):
        words = _("This is no email address. It looks like name@example.org.")
    return words
