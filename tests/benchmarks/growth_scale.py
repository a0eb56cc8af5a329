"""How large a grown district is, and what stands for its people, applications and sessions: the same for one seed.

Values are in the one form that both databases take as text: an id as 32 hexadecimal digits, a moment in UTC. Digests
are random and ids follow the time, as in real life, since both decide what an index costs.
"""

import hashlib
import random
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

ADMIN = 1
"""The account that may open the console."""
REDIRECT_URI = "https://gradebook.example/callback"
SCOPE = "openid profile email"
_DIGESTS_AT_ONCE = 1000
_GOLDEN = 0x9E3779B97F4A7C15
"""By which numbers are scattered over an id's random half (Knuth's multiplicative hashing)."""
TOKEN = 16
"""The kind of row that a token names; growth_rows has the others."""


@dataclass(frozen=True)
class Scale:
    """How large a district is, and how much of its past has not been taken away yet."""

    accounts: int
    expired_tokens: int
    now: datetime
    seed: int = 207
    password_hash: str = ""
    """Everybody's, so that anybody may be let in."""

    @property
    def clients(self) -> int:
        """How many applications are registered: two pages of the console's list at least, a thousand at most."""
        return min(1000, max(100, self.accounts // 100))

    @property
    def old_sessions(self) -> int:
        """How many sessions have been over for so long that they may go."""
        return self.accounts // 10

    @property
    def events(self) -> int:
        """How many security events are kept; a tenth of them is past retention."""
        return self.accounts * 2


def moment(when: datetime) -> str:
    """Return a moment as both databases take it."""
    return when.strftime("%Y-%m-%d %H:%M:%S.%f")


def identifier(kind: int, number: int, since: int = 0x0190_0000_0000) -> str:
    """Return the id of the number-th row of a kind: a UUIDv7 of so many milliseconds later, in the middle of 2024."""
    scattered = (number * _GOLDEN + kind) & 0x0FFF_FFFF_FFFF_FFFF
    return f"{since + number:012x}7{kind:03x}8{scattered:015x}"


def token_id(scale: Scale, number: int) -> str:
    """Return the id of the access token that is good in the number-th session: a millisecond for each, up to now."""
    return identifier(TOKEN, number, int(scale.now.timestamp() * 1000) - scale.accounts)


def session_token(seed: int, number: int) -> str:
    """Return what the cookie of the number-th session holds."""
    return urlsafe_b64encode(hashlib.sha256(f"{seed}:session:{number}".encode()).digest()).decode().rstrip("=")


def access_token(scale: Scale, number: int) -> str:
    """Return the access token that is good in the number-th session: its row's id, and what nobody guesses."""
    secret = hashlib.sha256(f"{scale.seed}:token:{number}".encode()).digest()
    return urlsafe_b64encode(bytes.fromhex(token_id(scale, number)) + secret).decode()


def client_secret(seed: int, number: int) -> str:
    """Return the secret of the number-th application."""
    return urlsafe_b64encode(hashlib.sha256(f"{seed}:secret:{number}".encode()).digest()).decode().rstrip("=")


def client_id(number: int) -> str:
    """Return the client_id of the number-th application."""
    return f"growth{number:018d}"


def username(number: int) -> str:
    """Return the username of the number-th account; their order is not that in which the accounts were made."""
    return f"parent{(number * _GOLDEN) & 0xFFFF_FFFF:010d}.{number}"


def owner(scale: Scale, session: int) -> int:
    """Return whose a session is: people do not log in in the order in which they got their accounts."""
    return session * 7919 % scale.accounts


def client_of(scale: Scale, account: int) -> int:
    """Return the application that a person has let in: for one in ten it is the first."""
    return 0 if account % 10 == 0 else account % scale.clients


def session_of(scale: Scale, account: int) -> int:
    """Return the number of an account's one live session."""
    return account * pow(7919, -1, scale.accounts) % scale.accounts


def digests(scale: Scale, name: str) -> Iterator[bytes]:
    """Return digests without end, random but the same for the same seed and name."""
    source = random.Random(f"{scale.seed}:{name}")  # noqa: S311  repeatable on purpose; nothing secret comes of it
    while True:
        many = source.randbytes(32 * _DIGESTS_AT_ONCE)
        for start in range(0, len(many), 32):
            yield many[start : start + 32]
