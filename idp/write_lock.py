"""SQLite's one write lock, and for how long a process waits for it."""

import sqlite3
import threading

from idp import faults
from idp.faults import Fault

_SHORT_WAIT_SECONDS = 0.5
_MOMENT_MILLISECONDS = 3
"""As long as a few transactions of other processes take."""

_thread = threading.local()


class WouldWait(Exception):
    """The lock is held for longer than this thread may wait for it. Nothing was written."""


def hurry(*, is_on: bool) -> None:
    """Let this thread wait for the lock for a moment only, while it has others to answer."""
    _thread.is_hurried = is_on


def is_hurried() -> bool:
    """Tell whether this thread may not wait for the lock."""
    return getattr(_thread, "is_hurried", False)


class WriteLock:
    """The lock as all threads of a process see it: they wait for it together, until they have waited in vain.

    From then on one of them waits for all, and the others are told soon: whoever only reads needs a thread, too.
    """

    def __init__(self, patience_seconds: int) -> None:
        self._patience = patience_seconds * 1000
        self._is_held_by_a_stranger = False
        self._waiting = threading.Lock()

    def patience(self) -> int:
        """Return for how many milliseconds this thread may wait for the lock."""
        return _MOMENT_MILLISECONDS if is_hurried() else self._patience

    def take(self, cursor: sqlite3.Cursor) -> None:
        """Begin a transaction that may write. Raises sqlite3.OperationalError when the lock can't be had."""
        if is_hurried():
            if self._is_held_by_a_stranger:
                raise _locked()
            cursor.execute("BEGIN IMMEDIATE")
        elif not self._is_held_by_a_stranger:
            self._begin(cursor)
        else:
            if not self._waiting.acquire(timeout=_SHORT_WAIT_SECONDS):
                raise _locked()
            try:
                self._begin(cursor)
            finally:
                self._waiting.release()

    def _begin(self, cursor: sqlite3.Cursor) -> None:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            self._is_held_by_a_stranger = faults.find(error) is Fault.LOCKED
            raise
        self._is_held_by_a_stranger = False


def _locked() -> sqlite3.OperationalError:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return busy
