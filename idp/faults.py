"""What is wrong when the ground gives way (database, disk, keys): a word for programs, and for the operator what to do.

SQLite and psycopg tell the same trouble in different ways; here is the one place that knows both.
"""

import sqlite3
from enum import StrEnum

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Fault(StrEnum):
    """A trouble of the machine or the database, by the word that /readyz, the metrics and the log call it."""

    FULL = "full"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    UNREACHABLE = "unreachable"
    CONNECTIONS = "connections"
    REFUSED = "refused"
    DISK = "disk"
    DAMAGED = "damaged"
    SCHEMA = "schema"
    KEYS = "keys"

    @property
    def advice(self) -> str:
        """What the operator does about it, in one sentence."""
        return _ADVICE[self]

    @property
    def is_for_good(self) -> bool:
        """Whether the connection that told of it goes on telling it after the fault is mended: it has to be closed."""
        return self in {Fault.READ_ONLY, Fault.DISK, Fault.DAMAGED}


class Unavailable(Exception):
    """Something of ours that an answer needs is not to be had now; the fault says what."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


_ADVICE = {
    Fault.FULL: "the disk of the database is full; free or add space, and all goes on by itself",
    Fault.READ_ONLY: "the database can't be written; give idp's user the right to write the file and its folder, "
    "or let PostgreSQL's role and server write (default_transaction_read_only, a standby)",
    Fault.LOCKED: "another program holds the database's lock for longer than [database] lock_timeout_seconds; "
    "find and end it (a shell, a backup by hand)",
    Fault.UNREACHABLE: "the database does not answer; check IDP_DATABASE_URL and that it runs",
    Fault.CONNECTIONS: "all connections to the database are in use; raise [database] pool_size and PostgreSQL's "
    "max_connections, or find what is slow",
    Fault.REFUSED: "the database refuses idp's user; check name, password and rights in IDP_DATABASE_URL",
    Fault.DISK: "the disk of the database fails to read or write; look at the system's log, a quota or a size limit",
    Fault.DAMAGED: "the database's file is damaged; stop idp, keep a copy, and restore the newest backup: idp restore",
    Fault.SCHEMA: "the database has not the shape that this version needs; run idp db upgrade",
    Fault.KEYS: "no key of [secrets] wrapping_keys opens the signing keys; put the old one back",
}

_SQLITE = {
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    sqlite3.SQLITE_BUSY: Fault.LOCKED,
    sqlite3.SQLITE_LOCKED: Fault.LOCKED,
    sqlite3.SQLITE_PROTOCOL: Fault.LOCKED,
    sqlite3.SQLITE_CANTOPEN: Fault.UNREACHABLE,
    sqlite3.SQLITE_PERM: Fault.REFUSED,
    sqlite3.SQLITE_IOERR: Fault.DISK,
    sqlite3.SQLITE_CORRUPT: Fault.DAMAGED,
    sqlite3.SQLITE_NOTADB: Fault.DAMAGED,
}
"""By primary result code (the low byte): https://www.sqlite.org/rescode.html."""

_POSTGRESQL = {
    "53100": Fault.FULL,
    "25006": Fault.READ_ONLY,
    "55P03": Fault.LOCKED,
    "40P01": Fault.LOCKED,
    "57014": Fault.LOCKED,
    "53300": Fault.CONNECTIONS,
    "42501": Fault.REFUSED,
    "3D000": Fault.REFUSED,
    "58030": Fault.DISK,
    "XX001": Fault.DAMAGED,
    "XX002": Fault.DAMAGED,
    "42P01": Fault.SCHEMA,
    "42703": Fault.SCHEMA,
}
_POSTGRESQL_CLASSES = {
    "08": Fault.UNREACHABLE,
    "57": Fault.UNREACHABLE,
    "53": Fault.UNREACHABLE,
    "28": Fault.REFUSED,
}
"""By SQLSTATE and, for the rest, its class: https://www.postgresql.org/docs/current/errcodes-appendix.html."""


_AT_THE_DOOR = {
    "too many c": Fault.CONNECTIONS,
    "connection slots": Fault.CONNECTIONS,
    "authentication failed": Fault.REFUSED,
    "does not exist": Fault.REFUSED,
    "pg_hba.conf": Fault.REFUSED,
}
"""Whoever is not let in gets no SQLSTATE from libpq: PostgreSQL's words alone tell why."""


def find(error: BaseException) -> Fault | None:
    """Return what an error tells of, or None when it is a mistake of ours and no trouble of the machine."""
    if isinstance(error, Unavailable):
        return error.fault
    if isinstance(error, PoolTimeout):
        return Fault.CONNECTIONS
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    return _of_postgresql(cause)


def told(fault: Fault, error: BaseException) -> dict[str, str]:
    """Return what a log line says of a fault: its word, what to do, and the database's own words, which hold no row."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0][:200]
    return {"fault": fault.value, "advice": fault.advice, "error": error.__class__.__name__, "said": said}


def _of_sqlite(error: sqlite3.Error) -> Fault | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    if code == sqlite3.SQLITE_ERROR:  # a statement that does not fit: to the tables, or to the language
        return Fault.SCHEMA if "no such" in str(error) or "has no column" in str(error) else None
    return _SQLITE.get(code & 0xFF) or (Fault.UNREACHABLE if isinstance(error, sqlite3.OperationalError) else None)


def _of_postgresql(error: BaseException | None) -> Fault | None:
    # By name, so that a provider on SQLite need not load psycopg.
    if error is None or not type(error).__module__.startswith("psycopg"):
        return None
    state: str = getattr(error, "sqlstate", None) or ""  # none: the connection is gone, or there never was one
    known = _POSTGRESQL.get(state) or _POSTGRESQL_CLASSES.get(state[:2])
    if known is None and "OperationalError" in {kind.__name__ for kind in type(error).__mro__}:
        return next((fault for words, fault in _AT_THE_DOOR.items() if words in str(error)), Fault.UNREACHABLE)
    return known
