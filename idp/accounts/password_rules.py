"""What a new password may be (NIST SP 800-63B section 3.1.1.2): long, not guessable, otherwise whatever one likes."""

import functools
import itertools
import re
import unicodedata
from importlib import resources

from flask_babel import gettext as _

from idp import sealing, settings
from idp.accounts.models import Account
from idp.accounts.passwords import LONGEST_TYPED

_LARGEST_BYTES = 1024
_SHORTEST_CONTEXT_WORD = 4
_FEWEST_DIFFERENT = 5
_FEWEST_TELLING = 8
"""Characters that are left of a password when known words and runs of neighbours count once each."""
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_LOOKALIKES = str.maketrans("@4301!$57", "aaeoiisst")


def problem(password: str, account: Account) -> str | None:
    """Return why an account can't have a password, in a sentence for a person, or None when it can."""
    return _form_problem(password) or _context_problem(password, account) or _guessable_problem(password)


def rules() -> list[str]:
    """Return the rules in the words shown before a password is chosen."""
    limits = settings.current().passwords
    return [
        _("At least %(number)s characters. A few words in a row are easy to remember.", number=limits.minimum_length),
        _("Not your name, your username, your email address or the name of the district or a school."),
        _("Not a common password, and not the same few characters over and over."),
        _("Any characters you like, spaces too. You can paste it from a password manager."),
    ]


def _form_problem(password: str) -> str | None:
    limits = settings.current().passwords
    composed = unicodedata.normalize("NFC", password[:LONGEST_TYPED])
    words: str | None = None
    if "\0" in composed:
        words = _("The password contains a character that can't be typed. Choose another one.")
    elif len(composed) < limits.minimum_length:
        words = _("The password is too short: use at least %(number)s characters.", number=limits.minimum_length)
    elif len(composed) > limits.maximum_length or len(composed.encode("utf-8", "surrogatepass")) > _LARGEST_BYTES:
        words = _("The password is too long: use at most %(number)s characters.", number=limits.maximum_length)
    return words


def _context_problem(password: str, account: Account) -> str | None:
    words: str | None = None
    if sealing.digest(password) == account.temporary_password_digest:
        words = _("This is the temporary password. Choose a new one.")
    elif _holds(password, [account.username]):
        words = _("The password contains your username. Choose one that nobody can guess from it.")
    elif _holds(password, _name_words(account)):
        words = _("The password contains your name. Choose one that nobody can guess from it.")
    elif _holds(password, _email_words(account)):
        words = _("The password contains your email address. Choose one that nobody can guess from it.")
    elif _holds(password, _place_words()):
        words = _("The password contains the name of the district or a school. Choose one that nobody can guess.")
    return words


def _guessable_problem(password: str) -> str | None:
    folded = _folded(password)
    words: str | None = None
    if len(set(folded)) < _FEWEST_DIFFERENT or _is_repetition(folded):
        words = _("The password repeats the same few characters. Choose one that is harder to guess.")
    elif _telling_characters(folded) < _FEWEST_TELLING:
        words = _("The password is made of common words or rows of keys that are tried first. Choose another one.")
    return words


def _holds(password: str, words: list[str]) -> bool:
    squeezed = _squeezed(password)
    return any(len(_squeezed(word)) >= _SHORTEST_CONTEXT_WORD and _squeezed(word) in squeezed for word in words)


def _place_words() -> list[str]:
    district = settings.current().district
    return [district.name, district.portal_name, *(school.name for school in district.schools)]


def _name_words(account: Account) -> list[str]:
    return " ".join((account.name, account.given_name, account.family_name)).split()


def _email_words(account: Account) -> list[str]:
    email = account.email or ""
    return [email, email.partition("@")[0]]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _squeezed(text: str) -> str:
    """Return the letters and digits alone: "Maine-East 2025" holds "maineeast"."""
    return "".join(character for character in _folded(text) if character.isalnum())


def _is_repetition(text: str) -> bool:
    """Tell whether the text is one short piece said again and again."""
    period = (text + text).find(text, 1)
    return period < min(len(text), _FEWEST_TELLING)


def _telling_characters(folded: str) -> int:
    """Count the characters that do not follow from the one before; a common word counts as one character."""
    covered = {
        position
        for spelling in (folded, folded.translate(_LOOKALIKES))
        for word in _common().finditer(spelling)
        for position in range(*word.span())
    }
    shrunk = "".join("\0" if position in covered else character for position, character in enumerate(folded))
    return 1 + sum(not _follows(first, second) for first, second in itertools.pairwise(shrunk))


def _follows(first: str, second: str) -> bool:
    return first == second or any(first + second in row or second + first in row for row in _ROWS)


@functools.cache
def _common() -> re.Pattern[str]:
    """Return a pattern of the common passwords and parts of passwords, the longest first."""
    lines = resources.files("idp.accounts").joinpath("common_passwords.txt").read_text("utf-8").splitlines()
    words = sorted((word for line in lines if not line.startswith("#") for word in line.split()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)))
