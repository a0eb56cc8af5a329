"""The only reader of the time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import orjson

TOLERANCE = timedelta(seconds=5)
"""How far this machine's clock may be from the one that all nodes share before that one is taken instead."""

_LENGTH = len('"2026-09-01T07:30:00.000000')

_offset = timedelta(0)
_judge: tuple[datetime, float] | None = None
"""What the shared clock said, and what this machine's steady clock said at that moment; None while they agree."""


def now() -> datetime:
    """Return the present moment in UTC, with the offset that a test has set."""
    judge = _judge
    if judge is None:
        return datetime.now(UTC) + _offset
    theirs, at = judge
    return theirs + timedelta(seconds=time.monotonic() - at) + _offset


def own() -> datetime:
    """Return what this machine's clock says, whether or not it is believed."""
    return datetime.now(UTC) + _offset


def spelled(moment: datetime) -> str:
    """Return a moment in UTC as ISO 8601 has it, always with microseconds and without its zone.

    It is orjson's spelling, which takes a fifth of `isoformat`'s time.
    """
    text = orjson.dumps(moment).decode()
    return text[1:_LENGTH] if "." in text else f"{text[1 : _LENGTH - len('.000000')]}.000000"


def timestamp() -> int:
    """Return the present moment as whole seconds since 1970, as protocols write it (RFC 7519 section 2)."""
    return int(now().timestamp())


def compare(theirs: datetime) -> timedelta:
    """Compare this machine's clock with the one that all nodes share, and go by that one where they differ too much.

    A code lives for a minute: what one node issues, another must not take for old, nor for something of the future.
    Returns by how much this machine is behind (above 0) or ahead.
    """
    global _judge  # noqa: PLW0603  which clock counts is state of the process, as the time itself is
    behind = theirs - datetime.now(UTC)
    # A database server tells the time in its own zone; every moment of ours is in UTC.
    _judge = (theirs.astimezone(UTC), time.monotonic()) if abs(behind) > TOLERANCE else None
    return behind


@contextmanager
def shifted(delta: timedelta) -> Iterator[None]:
    """Move the clock by delta while the block runs: time-outs are tested by travelling, never by waiting."""
    global _offset  # noqa: PLW0603  the one piece of state that this module exists to hold
    before = _offset
    _offset = before + delta
    try:
        yield
    finally:
        _offset = before
