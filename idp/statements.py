"""Statements that are built once, compiled once for each kind of database, and run by the driver itself.

SQLAlchemy still writes the SQL and converts each value; what is left out is what it does for every execution anew,
which costs several times what the database does for a row found by its key.
"""

import uuid
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NoReturn, TypeVar, overload

from sqlalchemy import Connection, Delete, Dialect, ExceptionContext, Insert, Select, Update, Uuid
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from idp import ids

Row = TypeVar("Row")
_Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
_Maker = Callable[[list[Any]], Any]
_Converter = Callable[[Any], Any]
_Conversions = tuple[tuple[int, _Converter], ...]
"""The places of values that driver and application see differently, and what makes one of the other."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """One statement in the words of one kind of database."""

    text: str
    is_positional: bool
    names: tuple[str, ...]
    """The parameters in their order."""
    binders: _Conversions
    fixed: dict[str, Any]
    """What the statement itself compares with or sets."""
    gives_rows: bool
    readers: _Conversions
    make: _Maker
    """Makes what a statement returns that names nothing else to make."""

    def bound(self, parameters: Mapping[str, Any]) -> Sequence[Any] | dict[str, Any]:
        """Return the parameters as the driver takes them. Raises KeyError when one is missing."""
        given = {**self.fixed, **parameters} if self.fixed else parameters
        values = _converted([given[name] for name in self.names], self.binders)
        return values if self.is_positional else dict(zip(self.names, values, strict=True))


class Prepared(Generic[Row]):
    """A statement whose parameters have the same names each time; `into` makes a result of a row's values.

    Its columns' defaults are not filled in: whoever inserts gives every value. A relaxed one may be lost in a power
    cut: that costs a retry and breaks no promise (a spent code, a token).
    """

    @overload
    def __init__(self: "Prepared[Any]", statement: _Statement, *, relaxed: bool = ...) -> None: ...

    @overload
    def __init__(self, statement: _Statement, into: Callable[..., Row], *, relaxed: bool = ...) -> None: ...

    def __init__(
        self,
        statement: _Statement,
        into: Callable[..., Row] | None = None,
        *,
        relaxed: bool = False,
    ) -> None:
        self._statement = statement
        self._make = _maker(into) if into is not None else None
        self._compiled: dict[str, Compiled] = {}
        self.is_relaxed = relaxed
        self.only_reads = isinstance(statement, Select) and statement._for_update_arg is None  # noqa: SLF001  no public name tells

    def compiled(self, dialect: Dialect, names: Iterable[str]) -> Compiled:
        """Return the statement in a dialect, compiled when it is first asked for with these parameters."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect, list(names))
        return found

    def read(self, compiled: Compiled, cursor: DBAPICursor) -> list[Row]:
        """Return all rows of an executed statement."""
        make, readers = self._make or compiled.make, compiled.readers
        return [make(_converted(list(row), readers)) for row in cursor.fetchall()]

    def _compile(self, dialect: Dialect, names: list[str]) -> Compiled:
        compiled = self._statement.compile(dialect=dialect, column_keys=names)
        order = list(compiled.positiontup or compiled.bind_names.values())
        binds = compiled.binds
        columns = tuple(self._statement.exported_columns)
        return Compiled(
            text=str(compiled),
            is_positional=bool(order) and dialect.positional,
            names=tuple(order),
            binders=_conversions(_binder(binds[name].type, dialect) for name in order),
            fixed={name: value for name, value in compiled.params.items() if name not in names},
            gives_rows=bool(columns),
            readers=_conversions(_reader(column.type, dialect) for column in columns),
            make=_maker(_row_type(column.key or "" for column in columns)),
        )


def execute(connection: Connection, statement: Prepared[Row], parameters: Mapping[str, Any]) -> list[Row]:
    """Run a statement on a connection and return its rows; whoever listens to the engine's statements hears of it.

    Raises what SQLAlchemy raises.
    """
    compiled = statement.compiled(connection.dialect, parameters)
    bound = compiled.bound(parameters)
    cursor = connection.connection.cursor()
    try:
        try:
            for listener in connection.engine.dispatch.before_cursor_execute:
                listener(connection, cursor, compiled.text, bound, statement, False)  # noqa: FBT003  the event's signature
            cursor.execute(compiled.text, bound)
            return statement.read(compiled, cursor) if compiled.gives_rows else []
        finally:
            cursor.close()  # before its connection, which some faults close
    except connection.dialect.loaded_dbapi.Error as error:
        fail(connection, error, compiled.text)


def commit(connection: Connection) -> None:
    """Commit what was written on a connection. Raises what SQLAlchemy raises."""
    for listener in connection.engine.dispatch.commit:
        listener(connection)
    try:
        connection.connection.commit()
    except connection.dialect.loaded_dbapi.Error as error:
        fail(connection, error, None)


class _Failure(ExceptionContext):
    """An error of the driver, for whoever listens to the engine's errors."""

    def __init__(self, connection: Connection, error: Any, text: str | None) -> None:
        dialect = connection.dialect
        self.connection, self.engine, self.dialect = connection, connection.engine, dialect
        self.cursor = self.parameters = self.execution_context = self.chained_exception = None
        self.statement, self.original_exception = text, error
        self.is_disconnect = dialect.is_disconnect(error, connection.connection, None)
        self.invalidate_pool_on_disconnect, self.is_pre_ping = True, False
        self.sqlalchemy_exception = DBAPIError.instance(
            text,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=self.is_disconnect,
            dialect=dialect,
        )


def fail(connection: Connection, error: Exception, text: str | None) -> NoReturn:
    """Raise SQLAlchemy's error for the driver's; a connection that is broken is not used again."""
    failure = _Failure(connection, error, text)
    for listener in connection.dialect.dispatch.handle_error:
        listener(failure)
    if failure.is_disconnect:
        connection.invalidate(error)
    raise failure.sqlalchemy_exception or error from error


def _row_type(names: Iterable[str]) -> type[tuple[Any, ...]]:
    return namedtuple("Row", list(names))  # noqa: PYI024  its columns are known only now


def _maker(into: Callable[..., Any]) -> _Maker:
    """Return what makes something of a row's values; a named tuple's own constructor would take them one by one."""
    if isinstance(into, type) and issubclass(into, tuple):
        return partial(tuple.__new__, into)
    return lambda values: into(*values)


def _converted(values: list[Any], conversions: _Conversions) -> list[Any]:
    for place, convert in conversions:
        values[place] = convert(values[place])
    return values


def _conversions(converters: Iterable[_Converter | None]) -> _Conversions:
    return tuple((place, convert) for place, convert in enumerate(converters) if convert is not None)


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> _Converter | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> _Converter | None:
    read = kind.dialect_impl(dialect).result_processor(dialect, None)
    return _id if read is not None and isinstance(kind, Uuid) else read


def _id(text: str | None) -> uuid.UUID | None:
    return None if text is None else ids.of_hex(text)
