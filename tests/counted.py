"""Counting what a piece of work asks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

from idp.database import db


@dataclass
class Spent:
    """What was asked of the database."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0


@contextmanager
def counted(engine: Engine | None = None) -> Iterator[Spent]:
    """Count the statements that are sent and the transactions that wrote and were committed.

    They are those of the application at hand, unless an engine is given.
    """
    spent, written = Spent(), [False]

    def statement(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        spent.statements.append(text)
        written[0] |= not text.startswith("SELECT")

    def commit(_connection: Any) -> None:
        spent.commits += written[0]
        written[0] = False

    engine = engine or db.engine
    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield spent
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)
