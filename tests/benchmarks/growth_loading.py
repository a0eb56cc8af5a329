"""Putting millions of rows into a migrated database: by executemany on SQLite, by COPY on PostgreSQL.

What makes it quick is for loading alone: no journal to undo with, no constraint checked row by row, and the indexes
that no constraint needs are built at the end, from what the migrations made.
"""

import sqlite3
import sys
import time
from collections.abc import Iterator
from itertools import islice

import psycopg
from sqlalchemy.engine import make_url

from tests.benchmarks.growth_rows import Load, Row, loads
from tests.benchmarks.growth_scale import Scale

_ROWS_AT_ONCE = 20_000
_PROGRESS_SECONDS = 10.0
_SECONDARY = """
    SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON oid = format('%I', indexname)::regclass
    WHERE schemaname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = pg_class.oid)
"""


def fill(url: str, scale: Scale, *, quiet: bool = False) -> None:
    """Fill a migrated and empty database with a district of that scale; say how far it is unless quiet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _fill_sqlite(str(parsed.database), scale, quiet=quiet)
    else:
        _fill_postgresql(url, scale, quiet=quiet)


def _fill_sqlite(path: str, scale: Scale, *, quiet: bool) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-1000000"):
            connection.execute(f"PRAGMA {pragma}").close()
        listed = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        indexes: list[tuple[str, str]] = listed.fetchall()
        connection.execute("BEGIN EXCLUSIVE")
        for name, _sql in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        for load in loads(scale):
            places = ", ".join("?" * len(load.columns))
            insert = f"INSERT INTO {load.table} ({', '.join(load.columns)}) VALUES ({places})"  # noqa: S608  our own names
            for rows in _told(load, quiet=quiet):
                connection.executemany(insert, rows)
        for _name, sql in indexes:
            connection.execute(sql)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL").close()
    finally:
        connection.close()


def _fill_postgresql(url: str, scale: Scale, *, quiet: bool) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        # Foreign keys are triggers, and those of a replica do not fire.
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '512MB'", "TIME ZONE 'UTC'"):
            connection.execute(f"SET {setting}".encode())
        indexes = connection.execute(_SECONDARY).fetchall()
        for name, _definition in indexes:
            connection.execute(f'DROP INDEX "{name}"'.encode())
        for load in loads(scale):
            with connection.cursor().copy(f"COPY {load.table} ({', '.join(load.columns)}) FROM STDIN".encode()) as copy:
                for rows in _told(load, quiet=quiet):
                    copy.write("".join(_line(row) for row in rows))
        for _name, definition in indexes:
            connection.execute(definition.encode())
        connection.execute("VACUUM (ANALYZE)")


def _line(row: Row) -> str:
    """Return a row in COPY's text format; no value of ours holds a tab, a line break or a backslash."""
    return (
        "\t".join(["\\N" if v is None else "\\\\x" + v.hex() if isinstance(v, bytes) else str(v) for v in row]) + "\n"
    )


def _told(load: Load, *, quiet: bool) -> Iterator[list[Row]]:
    """Return the rows in batches, and tell now and then how many have gone."""
    began = told = time.monotonic()
    done = 0
    while rows := list(islice(load.rows, _ROWS_AT_ONCE)):
        yield rows
        done += len(rows)
        if not quiet and time.monotonic() - told > _PROGRESS_SECONDS:
            told = time.monotonic()
            _say(f"  {load.table}: {done:,} of {load.count:,}, {done / (told - began):,.0f} a second")
    if done != load.count:
        raise AssertionError(f"{load.table} has {done} rows in place of {load.count}")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
