"""What the provider asks of a connection to SQLite: how it is set up, when it takes the lock, when it is replaced.

On PostgreSQL nothing of this is used.
"""

import os
import sqlite3
from functools import partial
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from idp.statements import Prepared
from idp.write_lock import WriteLock


def connect_args(seconds: int) -> dict[str, Any]:
    """Return how to connect: nothing begins by itself, since `_begin` does that, and no lock is waited for longer."""
    return {"timeout": seconds, "isolation_level": None}


def prepare(engine: Engine, lock_timeout_seconds: int) -> None:
    """Let the connections of an engine behave so."""
    path, lock = engine.url.database or "", WriteLock(lock_timeout_seconds)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "connect", partial(_note_read_only, path))
    event.listen(engine, "checkout", partial(_open_anew, path))
    event.listen(engine, "before_cursor_execute", partial(_begin_before_writing, lock), retval=True)


def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
    # Rows are added at the ends of a few trees, whose pages are written again and again: the log is copied into the
    # file when it has 16 MB, four times as many as usual, and holds each of them only once more for that.
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL", "wal_autocheckpoint=4000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _note_read_only(path: str, _connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    record.info["read_only"] = os.path.exists(path) and not os.access(path, os.W_OK)


def _open_anew(path: str, _connection: sqlite3.Connection, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Replace a connection that was opened while the file was read-only, and has only read: it would never write."""
    if record.info["read_only"] and os.access(path, os.W_OK):
        raise DisconnectionError


def _begin_before_writing(
    lock: WriteLock, connection: Connection, cursor: sqlite3.Cursor, statement: str, *more: Any
) -> tuple[str, Any]:
    """Take the write lock before the first statement that writes, as durable as that statement asks for.

    The statement goes back as it came: SQLAlchemy would wrap a listener that returns nothing.
    """
    parameters, context, _is_many = more
    if statement[:6] not in {"SELECT", "PRAGMA"} and not cursor.connection.in_transaction:
        _begin(lock, connection, cursor, relaxed=_is_relaxed(context))
    return statement, parameters


def _begin(lock: WriteLock, connection: Connection, cursor: sqlite3.Cursor, *, relaxed: bool) -> None:
    known, patience = connection.info, lock.patience()
    if known.get("relaxed", False) != relaxed:
        cursor.execute("PRAGMA synchronous=NORMAL" if relaxed else "PRAGMA synchronous=FULL")
        known["relaxed"] = relaxed
    if known.get("patience") != patience:
        cursor.execute(f"PRAGMA busy_timeout={patience}")
        known["patience"] = patience
    lock.take(cursor)


def _is_relaxed(context: Any) -> bool:
    """Tell whether a statement may be lost in a power cut; what runs one is itself, or SQLAlchemy's context."""
    if isinstance(context, Prepared):
        return context.is_relaxed
    return bool(context is not None and context.execution_options.get("idp_relaxed"))
