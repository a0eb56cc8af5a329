"""The application's own small SQLite file: log-ins under way, sessions, log-outs heard of."""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    digest TEXT PRIMARY KEY, purpose TEXT NOT NULL, browser TEXT NOT NULL, data TEXT NOT NULL, expires_at REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, subject TEXT NOT NULL, sid TEXT, name TEXT NOT NULL,
    id_token TEXT NOT NULL, form_token TEXT NOT NULL, started_at REAL NOT NULL, seen_at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS sessions_subject ON sessions (subject);
CREATE INDEX IF NOT EXISTS sessions_sid ON sessions (sid);
CREATE TABLE IF NOT EXISTS log_outs (
    jti TEXT PRIMARY KEY, subject TEXT, sid TEXT, received_at REAL NOT NULL, keep_until REAL NOT NULL
) STRICT;
"""


class Store:
    """A SQLite file; each use opens its own connection, so threads and processes never share one."""

    def __init__(self, path: Path, schema: str = "") -> None:
        """Create the file, readable by us alone, with the shared tables and those of `schema`."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._path = path
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA + schema)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for looking something up."""
        with closing(self._connect()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, with the write lock from its start, so that what it reads stays true until it commits."""
        with closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


def random_token() -> str:
    """256 random bits that are safe in a URL and a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a random secret: enough to recognise it, useless to whoever reads the file."""
    return hashlib.sha256(secret.encode()).hexdigest()
