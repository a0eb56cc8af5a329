"""The only reader of the time, so that a test can move it."""

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SCHOOL_TIME = ZoneInfo("America/Chicago")


def now() -> float:
    """Seconds since 1970, UTC."""
    return time.time()


def today() -> date:
    """The date on the wall of the school."""
    return datetime.fromtimestamp(now(), UTC).astimezone(SCHOOL_TIME).date()
