"""Runs `idp …` as on a machine whose clock is off by so many seconds as a file says: `wrong_clock.py FILE serve …`.

Replaced is what the operating system says to idp/clock.py, which is the only reader of the time. (libfaketime would do
so for the whole process, but breaks its waiting: clock_nanosleep fails.)
"""

import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from idp import clock
from idp.cli import main

_FILE = Path(sys.argv.pop(1))


class WrongClock(datetime):
    """A clock that is off."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # what it returns is a plain moment
        """Return what the machine takes for the present moment."""
        return datetime.now(tz) + timedelta(seconds=int(_FILE.read_text()))


clock.datetime = WrongClock  # type: ignore[attr-defined]  # what idp.clock has imported is nobody else's
main()
