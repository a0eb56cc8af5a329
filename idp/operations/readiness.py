"""Whether the database answers, has a shape that this version can work with, and can be written."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Engine, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from idp import clock, faults
from idp.database import RELAXED
from idp.faults import Fault
from idp.operations.models import WorkerLease
from idp.settings import PACKAGE

_SECONDS = 2.0
_ASK_EVERY = 0.5
"""Seconds between two questions, so that whoever asks a thousand times writes nothing a thousand times."""
_WRITTEN = "readiness"
"""The name of the row that is written to see whether it can be."""
_IDENTIFIERS = re.compile(r'^(down_revision|revision)[^=]*= *"(\w+)"', re.MULTILINE)


class Shape(StrEnum):
    """How the database's shape compares with what this version expects."""

    CURRENT = "current"
    EMPTY = "empty"
    BEHIND = "behind"
    AHEAD = "ahead"
    """A newer version has upgraded it: fine, since each migration is safe beside the version before."""


@lru_cache(maxsize=1)
def revisions() -> tuple[frozenset[str], str]:
    """Return every revision this version knows, and the newest.

    Read from the files' own words: Alembic takes longer to import than a provider should take to start.
    """
    known: set[str] = set()
    followed: set[str] = set()
    for path in (PACKAGE / "migrations" / "versions").glob("*.py"):
        for kind, identifier in _IDENTIFIERS.findall(path.read_text("utf-8")):
            (followed if kind == "down_revision" else known).add(identifier)
    (newest,) = known - followed
    return frozenset(known), newest


def shape(engine: Engine) -> Shape:
    """Compare the database with this version. Raises SQLAlchemyError when it does not answer."""
    known, newest = revisions()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        try:
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except DatabaseError as error:
            if faults.find(error) is not Fault.SCHEMA:
                raise
            return Shape.EMPTY
    if found is None:
        return Shape.EMPTY
    if found == newest:
        return Shape.CURRENT
    return Shape.BEHIND if found in known else Shape.AHEAD


def write(engine: Engine) -> None:
    """Write one small row, as every log-in does. Raises SQLAlchemyError when nothing can be written."""
    values = {"holder": "", "until": clock.now()}
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    row = insert(WorkerLease).values(name=_WRITTEN, **values)
    with engine.begin() as connection:
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values).execution_options(**RELAXED))


class Probe:
    """Asks the database whether this process can serve; each of its two questions has two seconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reads, self._writes = _Question(self._read), _Question(self._write)

    def fault(self) -> Fault | None:
        """Return what keeps this process from serving: no answer, a shape that does not fit, nothing can be written.

        Whoever waits for the write lock behind others is no fault until it has waited in vain.
        """
        return self._reads.answer(late=Fault.UNREACHABLE) or self._writes.answer(late=None)

    def _read(self) -> Fault | None:
        return None if shape(self._engine) in {Shape.CURRENT, Shape.AHEAD} else Fault.SCHEMA

    def _write(self) -> None:
        write(self._engine)


class _Question:
    """One question at a time: a database that is away, or locked, costs one thread and not many."""

    def __init__(self, ask: Callable[[], Fault | None]) -> None:
        self._ask = ask
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")
        self._asked: Future[Fault | None] | None = None
        self._known: Fault | None = None
        self._asked_at = 0.0
        self._lock = threading.Lock()

    def answer(self, late: Fault | None) -> Fault | None:
        """Return what is wrong; while no answer comes it is what was wrong before, or else what being late means."""
        with self._lock:
            if self._asked is not None and self._asked.done():
                self._known = self._asked.result()
            if self._asked is None or (self._asked.done() and time.monotonic() - self._asked_at > _ASK_EVERY):
                self._asked, self._asked_at = self._pool.submit(self._ask_safely), time.monotonic()
            asked = self._asked
        try:
            self._known = asked.result(timeout=_SECONDS)
        except TookTooLong:
            return self._known or late
        return self._known

    def _ask_safely(self) -> Fault | None:
        try:
            return self._ask()
        except SQLAlchemyError as error:
            return faults.find(error) or Fault.UNREACHABLE
