"""What a username may be, and the key by which every door and counter knows it."""

import unicodedata

from flask_babel import gettext as _

LONGEST = 100
_LONGEST_KEY = 200
_LONGEST_TYPED = 1000
"""How much of what was typed is looked at: composing takes time by the square of the length, and anybody may type."""


def key(username: str) -> str:
    """Return the one spelling of a username that case, width, composition, spaces and invisible characters share."""
    folded = username[:_LONGEST_TYPED]
    for _round in range(2):  # a folded character may compose anew, so that one round does not reach what stays the same
        folded = unicodedata.normalize("NFKC", folded).casefold()
    shown = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFKC", folded))
    return " ".join("".join(character for character in shown if not _is_invisible(character)).split())


def clean(username: str) -> str:
    """Return a username as it is kept: as it was typed, composed (NFC), without spaces around it."""
    return unicodedata.normalize("NFC", username).strip()


def problem(username: str) -> str | None:
    """Return why a username can't be given, in a sentence for a person, or None when it can."""
    cleaned = clean(username)
    words: str | None = None
    if not cleaned or not key(cleaned):
        words = _("Enter a username.")
    elif len(cleaned) > LONGEST or len(key(cleaned)) > _LONGEST_KEY:
        words = _("The username is too long: use at most %(number)s characters.", number=LONGEST)
    elif any(_is_invisible(character) for character in cleaned):
        words = _("The username contains a character that can't be seen. Type it again, without copying it.")
    return words


def is_former_address(username: str, on_file: str | None) -> bool:
    """Tell whether a username is an email address, and no longer the one that the district has on file (R46)."""
    return bool(on_file) and "@" in username and key(username) != key(on_file or "")


def _is_invisible(character: str) -> bool:
    """Control, format, surrogate, private and unassigned characters, and separators that break a line."""
    category = unicodedata.category(character)
    return category.startswith("C") or category in {"Zl", "Zp"}
