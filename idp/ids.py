"""The ids of rows: random, in the order of time, and made without what `uuid.UUID` asks itself of its arguments.

Every single sign-on makes a dozen, of what a browser, an application and the database have told.
"""

import os
import time
import uuid
from datetime import datetime

_HIGHEST = 1 << 128


def new_id() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562 section 5.7): random, never used again, and in the order of time for the index."""
    value = _at(time.time_ns() // 1_000_000) | int.from_bytes(os.urandom(10))
    value = value & ~(0xF000 << 64) | (0x7000 << 64)
    value = value & ~(0xC000 << 48) | (0x8000 << 48)
    return _made(value)


def first_id(moment: datetime) -> uuid.UUID:
    """Return an id before all that were made from this moment on, by whoever has the same clock."""
    return _made(_at(int(moment.timestamp() * 1000)))


def of_bytes(raw: bytes) -> uuid.UUID:
    """Return the id of 16 bytes. Raises ValueError for more."""
    return _made(int.from_bytes(raw))


def of_hex(text: str) -> uuid.UUID:
    """Return the id of 32 hexadecimal digits, as SQLite keeps it. Raises ValueError for what are none."""
    return _made(int(text, 16))


def _at(milliseconds: int) -> int:
    """Return what an id begins with."""
    return milliseconds << 80


def _made(value: int) -> uuid.UUID:
    """Return a UUID as unpickling makes one: its constructor takes three times as long."""
    if not 0 <= value < _HIGHEST:
        raise ValueError("an id has 128 bits")
    made = object.__new__(uuid.UUID)
    object.__setattr__(made, "int", value)
    object.__setattr__(made, "is_safe", uuid.SafeUUID.unknown)
    return made
