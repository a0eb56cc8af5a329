"""Once SQLite's lock was waited for in vain, one thread waits for all: the others are free for whoever only reads."""

import sqlite3
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from idp import faults
from idp.faults import Fault
from idp.write_lock import WriteLock

_PATIENCE_SECONDS = 20.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database."""
    made = tmp_path / "some.db"
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
        connection.execute("CREATE TABLE anything (number INTEGER)")
    return made


def _connection(path: Path, stack: ExitStack, patience: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    return stack.enter_context(closing(connection))


def test_one_waits_the_others_are_told_and_all_goes_on_when_it_is_free(path: Path) -> None:
    lock = WriteLock(10)
    with ExitStack() as stack:
        stranger = _connection(path, stack, 0)
        stranger.execute("BEGIN EXCLUSIVE")
        assert _fault_of(lock, _connection(path, stack, 0.1)) is Fault.LOCKED, "the first one waits in vain"

        patient = _connection(path, stack, _PATIENCE_SECONDS)
        has_it = threading.Event()

        def wait() -> None:
            lock.take(patient.cursor())
            has_it.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        others = [_connection(path, stack, 3600) for _ in range(3)]
        assert [_fault_of(lock, other) for other in others] == [Fault.LOCKED] * 3, "who would wait an hour is told soon"
        assert not has_it.is_set()

        stranger.execute("ROLLBACK")
        assert has_it.wait(_PATIENCE_SECONDS)
        waiting.join()
        patient.execute("COMMIT")
        assert [_fault_of(lock, other) for other in others] == [None] * 3


def test_a_fault_that_is_none_of_the_lock_leaves_everybody_waiting_for_it(path: Path) -> None:
    lock = WriteLock(10)
    with ExitStack() as stack:
        inside = _connection(path, stack, 1)
        inside.execute("BEGIN")
        with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
            lock.take(inside.cursor())
        inside.execute("ROLLBACK")
        holder = _connection(path, stack, 1)
        lock.take(holder.cursor())
        waiting = threading.Thread(target=_fault_of, args=(lock, _connection(path, stack, _PATIENCE_SECONDS)))
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive(), "a lock that others of ours hold is waited for"
        holder.execute("COMMIT")
        waiting.join(_PATIENCE_SECONDS)
        assert not waiting.is_alive()


def _fault_of(lock: WriteLock, connection: sqlite3.Connection) -> Fault | None:
    """Take the lock and leave it; return what was in the way."""
    try:
        lock.take(connection.cursor())
    except sqlite3.OperationalError as error:
        return faults.find(error)
    connection.execute("ROLLBACK")
    return None
