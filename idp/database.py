"""The database: one session a request, and one behaviour on SQLite and PostgreSQL.

SQLite is brought to PostgreSQL's ways: a read sees what is committed and holds nothing, and the first statement that
writes takes the write lock at once (BEGIN IMMEDIATE), so that no transaction fails half-way for having read first.
"""

import json
import os
import sqlite3
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, g
from flask.ctx import _AppCtxGlobals
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import DateTime, Dialect, MetaData, Uuid, event, text
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import JSON, TypeDecorator

from idp import clock, faults, postgresql, sqlite, statements
from idp.settings import Settings
from idp.statements import Prepared, Row

RELAXED = {"idp_relaxed": True}
"""Execution options of a statement whose loss in a power cut costs a retry and no promise (a spent code, a token)."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it is taken off on the way in and put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a time zone: guessing one is how sessions live an hour too long."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value if value.tzinfo is UTC else value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  the base class's signature
        """Return the moment in UTC, whatever zone the server's session has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what makes a driver's value of a moment; SQLite's text is written at once, as SQLAlchemy would."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)

        def written(value: datetime | None) -> str | None:
            if value is not None and value.tzinfo is not UTC:
                value = self.process_bind_param(value, dialect)
            return None if value is None else clock.spelled(value).replace("T", " ")

        return written

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what makes a moment of a driver's value; SQLite's text is read at once."""
        if dialect.name != "sqlite":
            return super().result_processor(dialect, coltype)
        return lambda text: None if text is None else datetime.fromisoformat(f"{text}+00:00")


class Base(DeclarativeBase):
    """The base of every model; constraint names are fixed so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), uuid.UUID: Uuid(), dict[str, Any]: JSON(), list[str]: JSON()}  # noqa: RUF012  SQLAlchemy reads it from the class


class _UnitOfWork:
    """What a request asks of the database, by whatever way: one connection and one transaction.

    The connection is taken at the first statement and given back by commit or rollback, so that nobody holds one while
    a password is hashed.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self.has_session = False
        """Whether the ORM takes part."""

    def connection(self) -> Connection:
        """Return the connection in use."""
        if self._connection is None:
            self._connection = self._take()
        return self._connection

    def commit(self) -> None:
        """Commit what prebuilt statements have written."""
        if self._connection is not None:
            statements.commit(self._connection)
            self.release()

    def take_back(self) -> None:
        """Take back what the ORM has not committed. A connection that is lost has nothing left on it to be taken back.

        An answer that is ready by then is as good as ever, and whoever asks next is told.
        """
        transaction = self._connection.get_transaction() if self._connection is not None else None
        if transaction is None:
            return
        try:
            transaction.rollback()
        except DBAPIError as error:
            transaction.connection.invalidate(error)

    def release(self) -> None:
        """Give the connection back; the pool takes back what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._give_back(connection)

    def _take(self) -> Connection:
        return self._engine.connect()

    def _give_back(self, connection: Connection) -> None:
        connection.close()


class LastingUnit(_UnitOfWork):
    """The unit of work of a thread that answers one request after another, on SQLite.

    Its one connection stays out of the pool from one request to the next, with nothing open on it.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._kept: Connection | None = None
        self._may_keep = False

    def join(self, context: _AppCtxGlobals) -> None:
        """Be what a request asks of the database that begins with these globals."""
        context.unit_of_work = self

    def _take(self) -> Connection:
        kept, self._kept = self._kept, None
        if kept is None:
            kept = super()._take()
            self._may_keep = not kept.info.get("read_only", False)
        return kept

    def _give_back(self, connection: Connection) -> None:
        if self._may_keep and _is_at_rest(connection):
            self._kept = connection
        else:
            super()._give_back(connection)


def _is_at_rest(connection: Connection) -> bool:
    """Tell whether a connection is good, and nothing is open on it."""
    if connection.closed or connection.invalidated or connection.in_transaction():
        return False
    raw: sqlite3.Connection | None = connection.connection.dbapi_connection  # type: ignore[assignment]  # it is SQLite's
    return raw is not None and not raw.in_transaction


def _unit() -> _UnitOfWork:
    """Return the unit of work of the application context at hand: a request's, or a command's."""
    found = _unit_if_any()
    if found is None:
        found = g.unit_of_work = _UnitOfWork(db.engine)
    return found


def _unit_if_any() -> _UnitOfWork | None:
    found: _UnitOfWork | None = g._get_current_object().get("unit_of_work")  # noqa: SLF001  Flask's documented way past its proxy
    return found


class _Session(Session):
    """The ORM's side of the unit of work: the same connection, and a commit or rollback of all that was done on it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _unit().has_session = True

    def get_bind(self, *_args: Any, **_kwargs: Any) -> Connection:
        """Return the one connection."""
        return _unit().connection()

    def commit(self) -> None:
        """Commit; prebuilt statements alone may have written."""
        if self.in_transaction():
            super().commit()
            _unit().release()
        else:
            _unit().commit()

    def rollback(self) -> None:
        """Take everything back."""
        super().rollback()
        _unit().release()

    def close(self) -> None:
        """Forget every object, and take back what was not committed."""
        _unit().take_back()
        super().close()
        _unit().release()


db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": _Session})


def run(statement: Prepared[Row], parameters: Mapping[str, Any]) -> list[Row]:
    """Run a prebuilt statement in the request's unit of work, below the ORM, and return its rows."""
    return statements.execute(_unit().connection(), statement, parameters)


def find_row(statement: Prepared[Row], parameters: Mapping[str, Any]) -> Row | None:
    """Run a prebuilt statement likewise, and return its first row or None."""
    rows = statements.execute(_unit().connection(), statement, parameters)
    return rows[0] if rows else None


def commit() -> None:
    """Commit what the request has written, by the ORM or by prebuilt statements."""
    unit = _unit()
    if unit.has_session:
        db.session.commit()
    else:
        unit.commit()


def release() -> None:
    """End the unit of work: what is not committed is taken back, and the connection is free for others."""
    unit = _unit_if_any()
    if unit is None:
        return
    if unit.has_session:
        db.session.remove()
        unit.has_session = False
    unit.release()


def upsert(model: type[Base]) -> "sqlite_dialect.Insert | postgresql_dialect.Insert":
    """Return an INSERT that knows ON CONFLICT, in the dialect of the database in use."""
    return sqlite_dialect.insert(model) if db.engine.dialect.name == "sqlite" else postgresql_dialect.insert(model)


def take_turn(connection: Connection, what: str) -> None:
    """Wait until nobody else is at this, on any node, and be alone with it until the transaction ends.

    For what several processes may find undone at the same moment, and only one of them may do.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": what})
    else:
        connection.exec_driver_sql("SAVEPOINT turn")  # may write, for all that is known: it takes the write lock
        connection.exec_driver_sql("RELEASE turn")


def database_url(settings: Settings) -> URL:
    """Return the configured address, with the one PostgreSQL driver that is installed."""
    url = make_url(settings.database.url)
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=os.path.abspath(url.database))
    return url


def init_app(app: Flask, settings: Settings) -> None:
    """Connect the application to its database."""
    url = database_url(settings)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(url, settings)
    # Teardown goes backwards: the session first, then what prebuilt statements alone have used.
    app.teardown_appcontext(lambda _error: release())
    db.init_app(app)
    with app.app_context():
        _install(db.engine, settings)


def _engine_options(url: URL, settings: Settings) -> dict[str, Any]:
    # An error's text names the statement; what was bound to it are people's names, digests and sealed keys.
    shared = {"hide_parameters": True, "json_serializer": _write_json, "json_deserializer": _read_json}
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            os.makedirs(os.path.dirname(url.database), mode=0o700, exist_ok=True)
        return {**shared, "connect_args": sqlite.connect_args(settings.database.lock_timeout_seconds)}
    return {
        **shared,
        "pool_size": settings.database.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.database.lock_timeout_seconds,
        "connect_args": postgresql.connect_args(settings.database.lock_timeout_seconds) | dict(url.query),
    }


def _write_json(value: Any) -> str:
    """Return JSON as the standard library spells it where orjson, which takes a tenth of the time, refuses."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value)


def _read_json(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:  # half a character, which the standard library lets pass
        return json.loads(text)


def _install(engine: Engine, settings: Settings) -> None:
    event.listen(engine, "handle_error", _drop_what_stays_broken)
    if engine.dialect.name == "sqlite":
        sqlite.prepare(engine, settings.database.lock_timeout_seconds)
    else:
        postgresql.prepare(engine)


def _drop_what_stays_broken(context: ExceptionContext) -> None:
    """Close a connection that would tell of its fault for ever: opened read-only, it stays so when all is mended."""
    fault = faults.find(context.original_exception)
    if fault is not None and fault.is_for_good:
        context.is_disconnect = True
