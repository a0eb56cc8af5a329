"""What the provider asks of a connection to PostgreSQL: how long it is waited for, when it begins, when it is replaced.

On SQLite nothing of this is used, and psycopg is not loaded.
"""

import re
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DataError
from sqlalchemy.pool import ConnectionPoolEntry

from idp.shared_clock import SharedClock

_QUOTED_VALUE = re.compile(r':? ".*', re.DOTALL)


def patience(seconds: int) -> dict[str, Any]:
    """Return for how long PostgreSQL is waited for: a lock, a connection, and a server that went without a word."""
    return {
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
    event.listen(engine, "checkout", SharedClock().look)
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


def _use_once_what_only_reads(connection: Any, record: ConnectionPoolEntry) -> None:
    """Let nobody have a connection again that was opened while PostgreSQL let new ones only read: it would never write.

    The server says so when it opens one, from PostgreSQL 14 on; asking costs no round trip.
    """
    if connection is not None and connection.info.parameter_status("default_transaction_read_only") == "on":
        record.invalidate(soft=True)
