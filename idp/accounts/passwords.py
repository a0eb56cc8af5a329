"""Hashing and checking passwords: NFC, HMAC-SHA-384 with a pepper, base64, bcrypt."""

import enum
import hmac
import secrets
import unicodedata
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import bcrypt
import structlog

from idp import sealing, settings
from idp.accounts import hashing
from idp.settings import NamedKey

log = structlog.get_logger(__name__)

LONGEST_TYPED = 1025
"""How much of what was typed is looked at: composing takes time by the square of the length, and strangers send 64 kB.

The longest password that a setting allows has 256 characters, each taken apart into four at most.
"""

_SALT_CHARACTERS = 29
"""Of bcrypt's text: version, cost and salt; the digest follows."""
_DIGEST_CHARACTERS = 31
_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NO_DIGEST = bytes(32)
_TEMPORARY_ALPHABET = "abcdefghijkmnopqrstuvwxyz23456789"
"""No 0, 1 and l, since it is read from a letter; 16 out of 33 characters are 80.7 random bits."""
_TEMPORARY_LENGTH = 16


class Match(enum.Enum):
    """What a password that was typed turned out to be."""

    NOTHING = "nothing"
    PASSWORD = "password"  # noqa: S105  a word for the log, no secret
    TEMPORARY = "temporary"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a typed password is compared with; all is None of an account that has none."""

    stored: str | None = field(default=None, repr=False)
    temporary_digest: bytes | None = field(default=None, repr=False)
    temporary_expires_at: datetime | None = None


def hash_password(password: str) -> str:
    """Return what is stored for a password: the pepper's name, then bcrypt's text. Hold no transaction open."""
    pepper = _pepper()
    salt = bcrypt.gensalt(settings.current().passwords.bcrypt_cost)
    return pepper.name + hashing.bcrypt_hash(_prepared(password, pepper), salt).decode()


def matches(password: str, credentials: Credentials, now: datetime) -> Match:
    """Compare a typed password with an account's or with nobody's, in the time of exactly one hash whatever there is.

    The caller holds no transaction open: a hash takes a fifth of a second, and more in a queue.
    """
    least_cost = settings.current().passwords.bcrypt_cost
    pepper, wanted = _readable(credentials.stored) or (_pepper(), _kept_hash_of_nothing(least_cost))
    hashed = hashing.bcrypt_hash(_prepared(password, pepper), wanted[:_SALT_CHARACTERS], least_cost)
    is_password = hmac.compare_digest(hashed, wanted)
    digest = sealing.digest(password.strip())
    is_temporary = hmac.compare_digest(digest, credentials.temporary_digest or _NO_DIGEST)
    if is_password:
        return Match.PASSWORD
    if not is_temporary:
        return Match.NOTHING
    expires_at = credentials.temporary_expires_at
    return Match.TEMPORARY if expires_at is not None and now < expires_at else Match.EXPIRED


def of_nobody() -> Credentials:
    """Return what a username is compared with that nobody has: a hash of nothing, stored as any other.

    It is made anew, which takes as long as reading an account does (0.06 ms), and so tells nothing by the clock.
    """
    made = _hash_of_nothing(settings.current().passwords.bcrypt_cost)
    return Credentials(f"{_pepper().name}{made.decode()}")


def needs_rehash(stored: str | None) -> bool:
    """Tell whether a stored hash was made with another pepper or another cost than today's."""
    if stored is None:
        return False
    pepper, _version, cost, *_rest = stored.split("$")
    return pepper != _pepper().name or int(cost) != settings.current().passwords.bcrypt_cost


def new_temporary() -> str:
    """Return a random temporary password that can be typed from a letter."""
    return "".join(secrets.choice(_TEMPORARY_ALPHABET) for _character in range(_TEMPORARY_LENGTH))


def _prepared(password: str, pepper: NamedKey) -> bytes:
    """Bring a password of any length to 64 bytes without NUL: bcrypt refuses or ignores what lies beyond 72."""
    typed = unicodedata.normalize("NFC", password[:LONGEST_TYPED]).encode("utf-8", "surrogatepass")
    return b64encode(hmac.digest(pepper.value, typed, "sha384"))


def _pepper() -> NamedKey:
    return settings.current().secrets.peppers[0]


def _readable(stored: str | None) -> tuple[NamedKey, bytes] | None:
    """Return a stored hash's pepper and bcrypt's text, or None when there is none or its pepper is gone."""
    if stored is None:
        return None
    name, separator, rest = stored.partition("$")
    for pepper in settings.current().secrets.peppers:
        if separator and pepper.name == name:
            return pepper, f"${rest}".encode()
    # The visitor is told what everybody is told; only the operator can know better.
    log.error("pepper_missing", key=name[:100], advice="its owner can't log in: put it back into [secrets] peppers")
    return None


@lru_cache(maxsize=4)
def _kept_hash_of_nothing(cost: int) -> bytes:
    """Return one that is made once: an account without a password was told from others by the time of making it."""
    return _hash_of_nothing(cost)


def _hash_of_nothing(cost: int) -> bytes:
    """Return a text of bcrypt's form that was made from no password, so that it costs no hash."""
    digest = "".join(secrets.choice(_BCRYPT_ALPHABET) for _character in range(_DIGEST_CHARACTERS))
    return bcrypt.gensalt(cost) + digest.encode()
