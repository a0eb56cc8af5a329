"""Ways in which the ground gives way under a provider that runs, each with its end; all of them are real."""

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from idp.database import database_url
from tests.databases import POSTGRESQL, SQLITE
from tests.faults.conftest import Place

Trouble = Callable[[Place], Any]
"""A context manager: the trouble lasts while its block runs."""

AS_AN_ORDINARY_USER = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
    if os.geteuid() == 0
    else ()
)
"""Root writes what may not be written; so it is started without that right."""


@dataclass(frozen=True)
class Kind:
    """A trouble, and what is to be seen of it."""

    name: str
    database: str
    trouble: Trouble
    cause: str
    reads_go_on: bool
    """Whether UserInfo and pages that write nothing still answer."""
    restarts: bool = False
    """Whether it begins with a start of the provider; it never ends with one."""
    is_checked_by_command: bool = True

    def __str__(self) -> str:
        return f"{self.name} {self.database}"


def path_of(place: Place) -> Path:
    """Return the SQLite file."""
    return Path(database_url(place.provider.settings).database or "")


@contextmanager
def full_disk(place: Place) -> Iterator[None]:
    """Fill the disk that holds the database and the log, to the last byte."""
    ballast = path_of(place).parent / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            pass
    try:
        assert shutil.disk_usage(ballast.parent).free == 0
        yield
    finally:
        ballast.unlink()


@contextmanager
def quota(place: Place) -> Iterator[None]:
    """Let no process of the provider make a file longer than the database's log of changes is now."""
    length = Path(f"{path_of(place)}-wal").stat().st_size
    family = place.provider.family()
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in family}
    for pid, (_soft, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (length // 2, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@contextmanager
def read_only_file(place: Place) -> Iterator[None]:
    """Take the right to write away, as a restore by the wrong user does, and start the provider."""
    path = path_of(place)
    place.provider.stop()
    path.chmod(0o444)
    place.provider.through = AS_AN_ORDINARY_USER
    place.provider.start(until="/healthz")
    try:
        yield
    finally:
        for file in path.parent.glob(f"{path.name}*"):
            file.chmod(0o600)


@contextmanager
def locked_file(place: Place) -> Iterator[None]:
    """Let another program hold the lock for as long as the block runs."""
    other = sqlite3.connect(path_of(place), isolation_level=None, timeout=30)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def _administrator(place: Place) -> psycopg.Connection[Any]:
    return psycopg.connect(place.provider.settings.database.url, autocommit=True)


def _turn_everybody_out(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


@contextmanager
def read_only_server(place: Place) -> Iterator[None]:
    """Let new connections read only, as those to a standby do."""
    with _administrator(place) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        _turn_everybody_out(connection)
        try:
            yield
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


@contextmanager
def locked_tables(place: Place) -> Iterator[None]:
    """Let another program hold what every log-in writes to; it can still be read."""
    with psycopg.connect(place.provider.settings.database.url) as connection:
        tables = "throttle_counters, audit_events, access_tokens, worker_leases"
        connection.execute(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextmanager
def missing_server(place: Place) -> Iterator[None]:
    """Take the database server's door away, and turn out whoever is inside."""
    with _administrator(place) as connection:
        door = Path(connection.info.host) / ".s.PGSQL.5432"
        aside = door.with_name("aside")
        door.rename(aside)
        try:
            _turn_everybody_out(connection)
            yield
        finally:
            aside.rename(door)


KINDS = (
    Kind("a full disk", SQLITE, full_disk, "full", reads_go_on=True),
    Kind("a quota", SQLITE, quota, "disk", reads_go_on=True, is_checked_by_command=False),
    Kind("a read-only file", SQLITE, read_only_file, "read-only", reads_go_on=True, restarts=True),
    Kind("a held lock", SQLITE, locked_file, "locked", reads_go_on=True),
    Kind("a read-only server", POSTGRESQL, read_only_server, "read-only", reads_go_on=True),
    Kind("held locks", POSTGRESQL, locked_tables, "locked", reads_go_on=True),
    Kind("a missing server", POSTGRESQL, missing_server, "unreachable", reads_go_on=False),
)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of 3 MB on a folder, where root may: else the test has none to fill."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts a disk to fill")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk to fill can be mounted here: {mounted.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
