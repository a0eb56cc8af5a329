"""A copy of the SQLite database while everything runs: of one moment, checked, and whole or not there at all."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import func, select

from idp.accounts.models import Account
from idp.audit import sealing, verification
from idp.audit.models import AuditEvent
from idp.clients.models import Client
from idp.database import Base, db, release
from idp.operations import secret_keys
from idp.operations.readiness import Shape, shape
from idp.sessions.models import BrowserSession

_PAGES_AT_ONCE = 2000
_OWNER_ONLY = 0o600
_URL = "IDP_DATABASE_URL"

Progress = Callable[[int, int], None]


class Unfit(Exception):
    """A file that is no good copy of a database of ours; the message says why."""


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a copy."""

    size: int
    rows: dict[str, int]
    head: str | None
    """The newest seal on the record of security events, as `idp audit verify --head` takes it."""
    keys: dict[str, list[str]]
    """By setting of [secrets]: the names of the keys without which the copy is of no use."""


def make(source: Path, target: Path, progress: Progress = lambda _done, _all: None) -> Content:
    """Copy a database that is in use to target, which is replaced only when the copy is whole and has been checked.

    The copy is of the moment at which it began; nobody waits for it. Raises Unfit, OSError and sqlite3.Error.
    """
    with _beside(target) as unfinished:
        copy(source, unfinished, progress)
        content = check(unfinished)
        settle(unfinished)
        os.replace(unfinished, target)
        flush(target.parent)
    return content


def copy(source: Path, target: Path, progress: Progress = lambda _done, _all: None) -> None:
    """Copy a database as it is at this moment into a new file that only its owner can read."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
    with closing(_opened(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()  # holds this moment while others write on
        reading.backup(
            writing, pages=_PAGES_AT_ONCE, progress=lambda _status, left, pages: progress(pages - left, pages)
        )


def check(path: Path) -> Content:
    """Look at every page and every security event of a copy. Raises Unfit when anything is not as it was."""
    try:
        with closing(_opened(path)) as opened:
            (found,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise Unfit(f"the copy is damaged: {found}")
            if dangling := opened.execute("PRAGMA foreign_key_check").fetchone():
                raise Unfit(f"a row of {dangling[0]} refers to one that is missing")
    except sqlite3.DatabaseError as error:
        raise Unfit(f"it is no SQLite database that can be read ({error})") from error
    with application_on(path):
        if shape(db.engine) is not Shape.CURRENT:
            raise Unfit(f"its tables are {shape(db.engine)}; this version can read only its own")
        report = verification.verify()
        if not report.is_intact:
            raise Unfit(f"its record of security events does not verify: {report.findings[0].text}")
        rows = {name: db.session.scalar(select(func.count()).select_from(table)) or 0 for name, table in _counted()}
        needed = {name: sorted(secret_keys.needs(kind)) for kind, name in secret_keys.SETTINGS.items()}
        newest = sealing.newest_seal()
        head = None if newest is None else f"{newest['number']}:{newest['mac']}"
    return Content(path.stat().st_size, rows, head, needed)


def settle(path: Path) -> None:
    """Make one file of a copy, without a log beside it, and flush it to the disk."""
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE").fetchone()
    flush(path)


def flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def application_on(path: Path) -> Iterator[None]:
    """Be the application on another database while the block runs, as a command started there would be."""
    before = {name: os.environ.pop(name) for name in (_URL, f"{_URL}_FILE") if name in os.environ}
    os.environ[_URL] = f"sqlite:///{path}"
    try:
        with click.get_current_context().find_root().obj().app_context():
            try:
                yield
            finally:
                release()
                db.engine.dispose()
    finally:
        del os.environ[_URL]
        os.environ.update(before)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a name beside the target that has nothing yet; whatever is there at the end is taken away."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        yield unfinished
    finally:
        for left in target.parent.glob(f"{unfinished.name}*"):
            left.unlink()


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database that is there, and make none."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)


def _counted() -> Iterator[tuple[str, type[Base]]]:
    yield "accounts", Account
    yield "applications", Client
    yield "sessions", BrowserSession
    yield "security events", AuditEvent
