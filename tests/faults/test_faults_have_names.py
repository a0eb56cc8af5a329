"""What drivers say is called by one word: each error here is one that a real database has raised."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from idp import faults
from idp.faults import Fault, Unavailable
from tests.databases import POSTGRESQL, Databases


def _raised(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except (sqlite3.Error, psycopg.Error, SQLAlchemyError) as error:
        return error
    raise AssertionError("nothing went wrong")


def _in_sqlite(path: Path, *statements: str) -> BaseException:
    def act() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0.1)) as connection:
            for statement in statements:
                connection.execute(statement).fetchall()

    return _raised(act)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A SQLite database with a table of many pages."""
    made = tmp_path / "some.db"
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE anything (words TEXT)")
        connection.executemany("INSERT INTO anything VALUES (?)", [("word " * 500,)] * 50)
    return made


def test_a_full_disk_is_full(path: Path) -> None:
    error = _in_sqlite(path, "PRAGMA max_page_count = 1", "INSERT INTO anything VALUES (hex(zeroblob(100000)))")

    assert faults.find(error) is Fault.FULL


def test_a_damaged_file_is_damaged(path: Path) -> None:
    with path.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * 4096 * 20)

    assert faults.find(_in_sqlite(path, "SELECT count(words) FROM anything")) is Fault.DAMAGED


def test_a_file_of_something_else_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear parents, " * 500)

    assert faults.find(_in_sqlite(tmp_path / "letter.txt", "SELECT 1 FROM anything")) is Fault.DAMAGED


def test_a_folder_in_place_of_the_file_is_unreachable(tmp_path: Path) -> None:
    assert faults.find(_in_sqlite(tmp_path, "SELECT 1")) is Fault.UNREACHABLE


@pytest.mark.parametrize("statement", ["SELECT 1 FROM missing", "SELECT missing FROM anything"])
def test_what_a_migration_should_have_made_is_the_schema(statement: str, path: Path) -> None:
    assert faults.find(_in_sqlite(path, statement)) is Fault.SCHEMA


@pytest.mark.parametrize("statement", ["SELEKT 1", "SELECT abs(1, 2)"])
def test_a_mistake_of_ours_is_no_fault_of_the_machine(statement: str, path: Path) -> None:
    assert faults.find(_in_sqlite(path, statement)) is None
    assert faults.find(ValueError("disk full")) is None


@pytest.mark.parametrize(
    ("fault", "statements"),
    [
        (Fault.READ_ONLY, ["SET default_transaction_read_only = on", "CREATE TABLE anything ()"]),
        (Fault.SCHEMA, ["SELECT 1 FROM missing"]),
        (Fault.SCHEMA, ["SELECT missing FROM accounts"]),
        (Fault.LOCKED, ["SET statement_timeout = 50", "SELECT pg_sleep(5)"]),
        (Fault.REFUSED, ["SET ROLE pg_monitor", "SELECT 1 FROM accounts"]),
        (Fault.UNREACHABLE, ["SELECT pg_terminate_backend(pg_backend_pid())"]),
        (None, ["SELEKT 1"]),
        (None, ["SELECT 1 / 0"]),
    ],
)
def test_postgresql_says_it_by_its_codes(fault: Fault | None, statements: list[str], all_databases: Databases) -> None:
    with all_databases.new(POSTGRESQL) as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")

        def act() -> None:
            with engine.connect() as connection:
                for statement in statements:
                    connection.execute(text(statement))

        error = _raised(act)
        engine.dispose()

    assert isinstance(error, DBAPIError)
    assert faults.find(error) is fault


def test_postgresql_says_at_the_door_why_it_lets_nobody_in(all_databases: Databases) -> None:
    with all_databases.new(POSTGRESQL) as url, psycopg.connect(url, autocommit=True) as one:
        one.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
        try:
            error = _raised(lambda: psycopg.connect(url.replace("postgres@", "crowded@")))
            nobody = _raised(lambda: psycopg.connect(url.replace("postgres@", "nobody_here@")))
        finally:
            one.execute("DROP ROLE crowded")

    assert faults.find(error) is Fault.CONNECTIONS
    assert faults.find(nobody) is Fault.REFUSED


def test_each_says_what_to_do(path: Path) -> None:
    assert all(len(fault.advice) > 20 for fault in Fault)
    assert faults.find(Unavailable(Fault.KEYS)) is Fault.KEYS
    line = faults.told(Fault.SCHEMA, _in_sqlite(path, "SELECT 1 FROM missing"))
    assert line["said"] == "no such table: missing"
    assert line["advice"] == Fault.SCHEMA.advice
