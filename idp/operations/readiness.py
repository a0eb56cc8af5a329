"""Whether the database answers, and has a shape that this version can work with."""

import re
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from idp.settings import PACKAGE

_SECONDS = 2.0
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
        except DatabaseError:
            return Shape.EMPTY
    if found is None:
        return Shape.EMPTY
    if found == newest:
        return Shape.CURRENT
    return Shape.BEHIND if found in known else Shape.AHEAD


class Probe:
    """Asks the database whether this process can serve, within two seconds, and one question at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")
        self._asked: Future[bool] | None = None

    def is_ready(self) -> bool:
        """Tell whether the database answers in time and has a fitting shape.

        A question that hangs is waited for by the next caller: a database that is away costs one thread, not many.
        """
        if self._asked is None or self._asked.done():
            self._asked = self._pool.submit(self._ask)
        try:
            return self._asked.result(timeout=_SECONDS)
        except (SQLAlchemyError, TookTooLong):
            return False

    def _ask(self) -> bool:
        return shape(self._engine) in {Shape.CURRENT, Shape.AHEAD}
