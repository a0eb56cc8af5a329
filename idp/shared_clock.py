"""One time for all nodes: the database server's, by which a machine goes whose own clock is wrong."""

import time
from datetime import timedelta
from typing import Any

import structlog

from idp import clock

log = structlog.get_logger(__name__)

_ASK_EVERY_SECONDS = 10.0


class SharedClock:
    """Asks PostgreSQL for the time now and then, on a connection that is being taken into use anyway."""

    def __init__(self) -> None:
        self._ask_at = 0.0
        self._told = timedelta(0)

    def look(self, connection: Any, _record: Any, _proxy: Any) -> None:
        """Compare the clocks if it is time to; an operator is told when they begin or cease to differ."""
        if time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + _ASK_EVERY_SECONDS
        with connection.cursor() as cursor:
            (theirs,) = cursor.execute("SELECT clock_timestamp()").fetchone()
        connection.rollback()
        behind = clock.compare(theirs)
        if abs(behind - self._told) > clock.TOLERANCE:
            self._tell(behind)

    def _tell(self, behind: timedelta) -> None:
        if abs(behind) <= clock.TOLERANCE:
            self._told = timedelta(0)
            log.info("clock_right_again")
            return
        self._told = behind
        seconds = round(behind.total_seconds())
        log.error(
            "clock_wrong",
            seconds_behind=seconds,
            advice="set this machine's clock, and keep it right by NTP; until then it goes by the database server's",
        )
