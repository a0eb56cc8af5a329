"""What the provider asks of a connection to PostgreSQL: how long it is waited for, when it begins, when it is replaced.

On SQLite nothing of this is used, and psycopg is not loaded.
"""

import re
import select
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, ExceptionContext
from sqlalchemy.exc import DataError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from idp.shared_clock import SharedClock
from idp.statements import Prepared

_IDLE = 0
"""psycopg's word for a connection with no transaction (pq.TransactionStatus.IDLE)."""
_QUOTED_VALUE = re.compile(r':? ".*', re.DOTALL)


def connect_args(seconds: int) -> dict[str, Any]:
    """Return how to connect: nothing begins by itself, since `_begin` does that, and nothing is waited for longer."""
    return {
        "autocommit": True,
        "options": f"-c lock_timeout={seconds}s",
        "connect_timeout": seconds,
        "tcp_user_timeout": seconds * 1000,
        "keepalives_idle": seconds,
        "keepalives_interval": max(1, seconds // 4),
        "keepalives_count": 4,
    }


def prepare(engine: Engine) -> None:
    """Let the connections of an engine behave so."""
    event.listen(engine, "handle_error", _withhold_values)
    event.listen(engine, "checkout", _replace_what_was_cut_off)
    event.listen(engine, "checkout", SharedClock().look)
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "checkin", _use_once_what_only_reads)


def _withhold_values(context: ExceptionContext) -> None:
    """Take out of an error what PostgreSQL tells of a row: its DETAIL and CONTEXT, and a value that it quotes.

    The exception ends up in the log, and hide_parameters covers only what SQLAlchemy itself would add.
    """
    raised, wrapped = context.original_exception, context.sqlalchemy_exception
    primary = getattr(getattr(raised, "diag", None), "message_primary", None)
    if not primary:
        return
    said, told = str(raised), _QUOTED_VALUE.sub("", primary) if isinstance(wrapped, DataError) else primary
    raised.args = (told,)
    if wrapped is not None:
        wrapped.args = (str(wrapped.args[0]).replace(said, told),)


def _begin(_connection: Connection, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    """Begin a transaction before the first statement that may need one, as on SQLite: what only reads holds nothing.

    It saves two round trips, to begin and to roll back; and psycopg forgets at a rollback what the server has prepared.
    """
    raw = cursor.connection
    only_reads = isinstance(context, Prepared) and context.only_reads
    if not only_reads and raw.pgconn.transaction_status == _IDLE:
        raw.execute("BEGIN", prepare=False)


def _replace_what_was_cut_off(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Replace a connection that the server has ended meanwhile: it has said so, and is not asked by a round trip."""
    if "was_in_use" not in record.info:
        record.info["was_in_use"] = True
    elif connection.closed or _says_something(connection.fileno()):
        raise DisconnectionError


def _says_something(descriptor: int) -> bool:
    """Tell whether there is anything to read, or nobody to say anything any more."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


def _use_once_what_only_reads(connection: Any, record: ConnectionPoolEntry) -> None:
    """Let nobody have a connection again that was opened while PostgreSQL let new ones only read: it would never write.

    The server says so when it opens one, from PostgreSQL 14 on; asking costs no round trip.
    """
    if connection is not None and connection.info.parameter_status("default_transaction_read_only") == "on":
        record.invalidate(soft=True)
