"""Databases for tests: a PostgreSQL server of our own, and fast copies of a migrated template on both kinds."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask

from idp import schema
from idp.app import create_app
from idp.database import db
from idp.settings import Settings
from tests import dialects

AppBuilder = Callable[[Settings], Flask]

SQLITE, POSTGRESQL = KINDS = "sqlite", "postgresql"

_TEMPLATE = "template"
_TURN_OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
_TABLES = """
    SELECT tablename, pg_relation_size(quote_ident(tablename)::regclass)
    FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
_A_LOT = 256 * 1024
"""From so many bytes of a table on, its file is thrown away, and the space of rows that are gone with it."""
_SHAPE = """
    SELECT 'table', tablename FROM pg_tables WHERE schemaname = 'public'
    UNION ALL SELECT 'index', indexname FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1, 2
"""
_INSTALL = "PostgreSQL's programs are missing. Type: apt-get install postgresql"


@dataclass
class Databases:
    """Makes databases that have the newest schema and no rows."""

    settings: Settings
    folder: Path
    _closing: ExitStack = field(default_factory=ExitStack)
    _templates: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=count)
    _lent: dict[str, str] = field(default_factory=dict)
    _emptied: list[str] = field(default_factory=list)
    """PostgreSQL's databases that are ready again: taking rows away takes a tenth of the time of a new copy."""

    @cached_property
    def server(self) -> "Cluster":
        """The PostgreSQL server, started when it is first needed."""
        return self._closing.enter_context(cluster())

    def close(self) -> None:
        """End what was started."""
        self._closing.close()

    @contextmanager
    def new(self, kind: str, *, migrated: bool = True) -> Iterator[str]:
        """Lend one database without rows; yields its URL."""
        if migrated and kind not in self._templates:
            self._migrate(self._create(kind, _TEMPLATE, None))
            self._templates.add(kind)
        reusable = migrated and kind == POSTGRESQL
        name = self._emptied.pop() if reusable and self._emptied else f"test_{next(self._numbers)}"
        url = self._create(kind, name, _TEMPLATE if migrated else None) if name not in self._lent else self._lent[name]
        try:
            yield url
        finally:
            if reusable:
                self._return(name, url)
            else:
                self._drop(kind, name)

    def _return(self, name: str, url: str) -> None:
        if self.server.empty(name):
            self._lent[name] = url
            self._emptied.append(name)
        else:
            self._lent.pop(name, None)
            self.server.forget(name)
            self._drop(POSTGRESQL, name)

    def _migrate(self, url: str) -> None:
        app = create_app(with_database(self.settings, url))
        with app.app_context():
            schema.upgrade()
            dialects.keep(db.engine)
            db.engine.dispose()

    def _create(self, kind: str, name: str, template: str | None) -> str:
        if kind == SQLITE:
            path = self.folder / f"{name}.db"
            if template:
                shutil.copyfile(self.folder / f"{template}.db", path)
            return f"sqlite:///{path}"
        self.server.run(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return self.server.url(name)

    def _drop(self, kind: str, name: str) -> None:
        if kind == SQLITE:
            for path in self.folder.glob(f"{name}.db*"):
                path.unlink()
        else:
            self.server.run(f'DROP DATABASE "{name}" WITH (FORCE)')


def with_database(settings: Settings, url: str) -> Settings:
    """Return the settings with another database."""
    return replace(settings, database=replace(settings.database, url=url))


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL server, reached through a socket in its own folder: no port to fight for."""

    folder: Path
    _user: int | None
    _options: str
    _kept: dict[str, "psycopg.Connection[Any]"] = field(default_factory=dict)
    """What empties each database: a new connection would read half of the catalogue first, which takes longer."""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._control("start", "--log", str(self.folder / "log"), "--options", self._options)

    def stop(self, mode: str) -> None:
        """Stop it: `fast` breaks off what is under way, `immediate` is like a crash."""
        self._control("stop", "--mode", mode)

    def _control(self, *arguments: str) -> None:
        command = [str(_programs() / "pg_ctl"), "--pgdata", str(self.folder / "data"), "--wait", *arguments]
        _call(command, self.folder, self._user)

    def url(self, name: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def empty(self, name: str) -> bool:
        """Take every row out of a database; False when its schema is no longer the newest one."""
        connection = self._left_alone(name)
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() != ("alembic_version",):
            return False
        versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        if versions != [(schema.newest(),)] or connection.execute(_SHAPE).fetchall() != self._whole_shape:
            return False
        sizes: dict[str, int] = dict(connection.execute(_TABLES).fetchall())
        if max(sizes.values()) > _A_LOT:
            connection.execute("TRUNCATE " + ", ".join(f'"{table}"' for table in sizes) + " CASCADE")
        else:  # a hundred times as quick for the few rows of a test
            deletions = [f'DELETE FROM "{table}"' for table, size in sizes.items() if size]  # noqa: S608  # the catalogue's names
            connection.execute("; ".join(deletions) or "SELECT")
        return True

    def _left_alone(self, name: str) -> "psycopg.Connection[Any]":
        """Turn out whoever still has a database open; a test may have done that to the kept connection, too."""
        try:
            self._connection(name).execute(_TURN_OUT, [name])
        except psycopg.OperationalError:
            self.forget(name)
            self._connection(name).execute(_TURN_OUT, [name])
        return self._connection(name)

    def _connection(self, name: str) -> "psycopg.Connection[Any]":
        if name not in self._kept:
            # As a replica it is held up by no trigger and no foreign key.
            options = "-c session_replication_role=replica"
            self._kept[name] = psycopg.connect(self.url(name), autocommit=True, options=options)
        return self._kept[name]

    def forget(self, name: str) -> None:
        """Close what empties a database, which is about to go."""
        if kept := self._kept.pop(name, None):
            kept.close()

    @cached_property
    def _whole_shape(self) -> list[Any]:
        """What the template has: a test may have taken a table or a trigger away."""
        with psycopg.connect(self.url(_TEMPLATE), autocommit=True) as connection:
            return connection.execute(_SHAPE).fetchall()

    def let_go(self) -> None:
        """Close all that is kept open."""
        for name in list(self._kept):
            self.forget(name)

    def run(self, statement: str) -> None:
        """Carry out one statement outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def cluster(*, careful: bool = False) -> Iterator[Cluster]:
    """Start a PostgreSQL server in a folder of its own, and end it afterwards.

    It never flushes to the disk, since nobody needs its rows tomorrow; a careful one keeps what it has committed even
    when it crashes. It runs as an ordinary user, since PostgreSQL refuses to run as root.
    """
    folder = Path(tempfile.mkdtemp(prefix="idp-postgresql-"))
    user = _ordinary_user()
    if user is not None:
        os.chown(folder, user, -1)
    try:
        ways = ["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]
        _call([str(_programs() / "initdb"), "--pgdata", str(folder / "data"), *ways], folder, user)
        options = f"-c listen_addresses='' -k {folder} -c max_connections=200 -c fsync=off"
        careless = "" if careful else " -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off"
        started = Cluster(folder, user, options + careless)
        started.start()
        try:
            yield started
        finally:
            started.let_go()
            started.stop("immediate")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs: Debian keeps them off the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which("initdb")
    if found is None:
        raise RuntimeError(_INSTALL)
    return Path(found).parent


def _ordinary_user() -> int | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return known.get("postgres", known["nobody"])


def _call(command: list[str], folder: Path, user: int | None) -> None:
    # The server outlives pg_ctl and would hold a pipe open, so what is said goes to a file.
    with (folder / "output").open("ab") as output:
        done = subprocess.run(command, stdout=output, stderr=output, cwd=folder, user=user, check=False)
    if done.returncode:
        said = [path.read_text() for path in (folder / "output", folder / "log") if path.exists()]
        raise RuntimeError(f"{command[0]} failed:\n" + "\n".join(said))
