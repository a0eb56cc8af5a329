"""The plans by which a database carries out what the application asks of it, by whatever way a statement is sent.

SQLite tells the driver of each statement that it runs, and is asked for its plan afterwards. PostgreSQL's auto_explain
sends the plan that was followed, those of foreign keys and triggers included.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

_SCAN = re.compile(r"SCAN (\w+)")
_WITHOUT_PLAN = ("--", "BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")
_FEW = 2000
"""Rows that PostgreSQL may go through, since for a table of a few pages that is the quickest way."""
_EXPLAIN = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_analyze = on",
    "SET auto_explain.log_timing = off",
    "SET auto_explain.log_nested_statements = on",
    "SET auto_explain.log_format = json",
    "SET auto_explain.log_level = notice",
)


@dataclass(frozen=True)
class Scan:
    """A table that a statement went through row by row, or of which it threw away most of what an index gave."""

    table: str
    statement: str


@dataclass
class Plans:
    """What was seen."""

    statements: list[str] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)


@contextmanager
def watched(engine: Engine) -> Iterator[Plans]:
    """Watch all connections of an engine while the block runs; the plans are complete when it has ended."""
    plans = Plans()
    is_sqlite = engine.dialect.name == "sqlite"

    def watch(connection: Any, _record: Any) -> None:
        if is_sqlite:
            connection.set_trace_callback(plans.statements.append)
            return
        for setting in _EXPLAIN:
            connection.execute(setting)
        connection.commit()
        connection.add_notice_handler(lambda notice: _read(notice.message_primary or "", plans))

    engine.dispose()
    event.listen(engine, "connect", watch)
    try:
        yield plans
    finally:
        event.remove(engine, "connect", watch)
        engine.dispose()
    if is_sqlite:
        plans.statements[:] = [text for text in plans.statements if not text.startswith(_WITHOUT_PLAN)]
        _explain(str(engine.url.database), plans)


def _explain(path: str, plans: Plans) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA foreign_keys=ON").close()  # or nothing is said of what a deletion looks for
        for statement in plans.statements:
            # What SQLite tells of an INSERT of values are foreign keys that it skips while no constraint is violated.
            if statement.startswith("INSERT") and "SELECT" not in statement:
                continue
            for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                if found := _SCAN.match(step):
                    plans.scans.append(Scan(found[1], statement))
    finally:
        connection.close()


def _read(notice: str, plans: Plans) -> None:
    _, separator, told = notice.partition("plan:")
    if not separator:
        return
    explained = json.loads(told)
    statement = explained["Query Text"]
    plans.statements.append(statement)
    for step in _steps(explained["Plan"]):
        rejected = int(step.get("Rows Removed by Filter", 0))
        is_scan = step["Node Type"] == "Seq Scan" and step["Actual Rows"] + rejected > _FEW
        if is_scan or rejected > _FEW:
            plans.scans.append(Scan(step.get("Relation Name", step["Node Type"]), statement))


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _steps(part)
