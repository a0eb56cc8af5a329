"""SQLite's one write lock, and for how long a process waits for it."""

import sqlite3
import threading

from idp import faults
from idp.faults import Fault

_SHORT_WAIT_SECONDS = 0.5


class WriteLock:
    """The lock as all threads of a process see it: they wait for it together, until they have waited in vain.

    From then on one of them waits for all, and the others are told soon: whoever only reads needs a thread, too.
    """

    def __init__(self) -> None:
        self._is_held_by_a_stranger = False
        self._waiting = threading.Lock()

    def take(self, cursor: sqlite3.Cursor) -> None:
        """Begin a transaction that may write. Raises sqlite3.OperationalError when the lock can't be had."""
        if not self._is_held_by_a_stranger:
            self._begin(cursor)
            return
        if not self._waiting.acquire(timeout=_SHORT_WAIT_SECONDS):
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise busy
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
