"""What a new password may be (NIST SP 800-63B section 3.1.1.2): long, not guessable, otherwise whatever one likes."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _

from idp import sealing, settings
from idp.accounts import common_words, password_strength
from idp.accounts.models import Account
from idp.accounts.password_strength import Strength
from idp.accounts.passwords import LONGEST_TYPED

_LARGEST_BYTES = 1024
_SHORTEST_OWN_WORD = 4
_SHORTEST_OWN_WORD_ELSEWHERE = 2
"""Of a word in other letters than Latin ones: 李小龙 is a whole name."""


@dataclass(frozen=True, slots=True)
class Guide:
    """What a page tells of a new password before and while it is typed."""

    rules: list[str]
    minimum_length: int
    maximum_length: int
    own_words: str
    """Words on which no password may be built, folded, kept apart by spaces: for the meter in the browser."""


def problem(password: str, account: Account) -> str | None:
    """Return why an account can't have a password, in a sentence for a person, or None when it can."""
    return _form_problem(password) or _own_problem(password, account) or _guessable_problem(password, account)


def strength(password: str, account: Account) -> Strength:
    """Return what the meter says of a password: one that can't be had is weak."""
    if problem(password, account) is not None:
        return Strength.WEAK
    return password_strength.rate(password, common_words.bits(), _all_own_words(account))


def guide(*known: str) -> Guide:
    """Return what is told to somebody of whom a page knows this: a username, a name. The rules know more than that."""
    limits = settings.current().passwords
    own = _folded({*known, *(word for text in known for word in text.split())}) | _place_words() | _familiar_words()
    rules = [
        _("At least %(number)s characters. A few words in a row are easy to remember.", number=limits.minimum_length),
        _("Not your name, your username, your email address or the name of the district or a school."),
        _("Not a common password, and not the same few characters over and over."),
        _("Any characters you like, spaces too. You can paste it from a password manager."),
    ]
    return Guide(rules, limits.minimum_length, limits.maximum_length, " ".join(sorted(own)))


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


def _own_problem(password: str, account: Account) -> str | None:
    folded = password_strength.fold(password)
    words: str | None = None
    if sealing.digest(password) == account.temporary_password_digest:
        words = _("This is the temporary password. Choose a new one.")
    elif password_strength.is_built_on(folded, common_words.bits(), _all_own_words(account)):
        words = next(reason for own, reason in _own_words(account) if password_strength.holds(folded, own))
    return words


def _all_own_words(account: Account) -> frozenset[str]:
    return frozenset(word for words, _reason in _own_words(account) for word in words)


def _own_words(account: Account) -> list[tuple[frozenset[str], str]]:
    """Return words that somebody who knows the account guesses first, and what to say of each kind."""
    names = " ".join((account.name, account.given_name, account.family_name)).split()
    email = account.email or ""
    return [
        (
            _folded([account.username]),
            _("The password contains your username. Choose one that nobody can guess from it."),
        ),
        (_folded(names), _("The password contains your name. Choose one that nobody can guess from it.")),
        (
            _folded([email, email.partition("@")[0]]),
            _("The password contains your email address. Choose one that nobody can guess from it."),
        ),
        (
            _place_words(),
            _("The password contains the name of the district or a school. Choose one that nobody can guess."),
        ),
        (
            _familiar_words(),
            _("The password contains a word that everybody here knows, such as a mascot. Choose another one."),
        ),
    ]


def _place_words() -> frozenset[str]:
    """Return the names of the district, of the portal and of the schools."""
    district = settings.current().district
    schools = (name for school in district.schools for name in (school.key, school.name))
    return _folded([district.name, district.portal_name, *schools])


def _familiar_words() -> frozenset[str]:
    return _folded(settings.current().district.familiar_words)


def _guessable_problem(password: str, account: Account) -> str | None:
    words: str | None = None
    if password_strength.repeats(password_strength.fold(password)):
        words = _("The password repeats the same few characters. Choose one that is harder to guess.")
    elif password_strength.rate(password, common_words.bits(), _all_own_words(account)) is Strength.WEAK:
        words = _("The password is made of common words or rows of keys that are tried first. Choose another one.")
    return words


def _folded(words: Iterable[str]) -> frozenset[str]:
    folded = {password_strength.squeeze(password_strength.fold(word)) for word in words}
    return frozenset(word for word in folded if len(word) >= _shortest(word))


def _shortest(word: str) -> int:
    return _SHORTEST_OWN_WORD if word.isascii() else _SHORTEST_OWN_WORD_ELSEWHERE
