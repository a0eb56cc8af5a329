"""Connections to PostgreSQL: what only reads begins nothing, and what the server has ended is replaced before use."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg.pq import TransactionStatus
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from idp.accounts.models import Account
from idp.app import create_app
from idp.clients.models import Client
from idp.database import commit, db, find_row, release, run, take_turn
from idp.settings import Settings
from idp.statements import Prepared
from tests.databases import Databases, with_database

_READ = Prepared(select(Client.client_name))
_LOCK = Prepared(select(Client.client_name).with_for_update(read=True))
_WRITE = Prepared(update(Account).values(locale="en"))


@pytest.fixture
def url(all_databases: Databases) -> Iterator[str]:
    """An empty database."""
    with all_databases.new("postgresql") as url:
        yield url


@pytest.fixture
def app(settings: Settings, url: str) -> Iterator[Flask]:
    """An application on it, with a context."""
    app = create_app(with_database(settings, url))
    with app.app_context():
        yield app
        release()
        db.engine.dispose()


def raw() -> Any:
    """Return psycopg's connection behind the one in use."""
    return db.session.connection().connection.dbapi_connection


def status() -> TransactionStatus:
    found: TransactionStatus = raw().info.transaction_status
    return found


@pytest.mark.usefixtures("app")
def test_what_only_reads_begins_no_transaction() -> None:
    assert run(_READ, {}) == []

    assert status() == TransactionStatus.IDLE


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("statement", [_LOCK, _WRITE], ids=["locks", "writes"])
def test_what_locks_or_writes_begins_one(statement: Prepared[Any]) -> None:
    find_row(statement, {})

    assert status() == TransactionStatus.INTRANS
    commit()
    assert status() == TransactionStatus.IDLE


@pytest.mark.usefixtures("app")
def test_what_the_orm_reads_is_one_transaction_until_it_ends() -> None:
    db.session.execute(select(Account)).all()
    assert status() == TransactionStatus.INTRANS
    db.session.rollback()

    take_turn(db.session.connection(), "a test")
    assert status() == TransactionStatus.INTRANS, "the turn lasts until the transaction ends"


@pytest.mark.usefixtures("app")
def test_the_server_keeps_what_it_has_prepared_for_reads() -> None:
    for _visit in range(7):
        run(_READ, {})
        release()

    kept = raw().execute("SELECT statement FROM pg_prepared_statements").fetchall()
    assert [line for (line,) in kept if "client_name" in line] != []


@pytest.mark.usefixtures("app")
def test_a_failed_statement_leaves_nothing_open() -> None:
    with pytest.raises(DBAPIError, match="no_such_table"):
        db.session.execute(text("SELECT 1 FROM no_such_table"))
    release()

    assert run(_READ, {}) == []
    assert status() == TransactionStatus.IDLE


@pytest.mark.usefixtures("app")
def test_a_connection_that_the_server_has_ended_is_replaced_unseen(url: str) -> None:
    run(_READ, {})
    before = raw().info.backend_pid
    release()
    with psycopg.connect(url, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", [before])

    assert run(_READ, {}) == []
    assert raw().info.backend_pid != before


@pytest.mark.usefixtures("app")
def test_a_connection_that_nobody_has_ended_is_kept() -> None:
    seen = set()
    for _visit in range(5):
        run(_READ, {})
        seen.add(raw().info.backend_pid)
        release()

    assert len(seen) == 1


@pytest.mark.usefixtures("app")
def test_one_that_is_ended_in_use_is_told_as_a_fault_and_then_forgotten(url: str) -> None:
    run(_WRITE, {})
    with psycopg.connect(url, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", [raw().info.backend_pid])

    with pytest.raises(DBAPIError, match=r"terminating connection|closed"):
        run(_WRITE, {})
    release()

    assert run(_READ, {}) == []


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("has_written", [False, True], ids=["reads", "writes"])
def test_an_answer_that_is_ready_outlives_a_connection_that_is_ended_in_use(url: str, has_written: bool) -> None:
    db.session.execute(select(Account)).all()
    if has_written:
        run(_WRITE, {})
    with psycopg.connect(url, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", [raw().info.backend_pid])

    release()

    assert run(_READ, {}) == []
