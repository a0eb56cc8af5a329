"""The only reader of the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """Return the present moment in UTC, with the offset that a test has set."""
    return datetime.now(UTC) + _offset


def timestamp() -> int:
    """Return the present moment as whole seconds since 1970, as protocols write it (RFC 7519 section 2)."""
    return int(now().timestamp())


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
