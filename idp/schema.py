"""The database's shape: bring it up to date, take it back, or tell how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from idp.database import db, take_turn
from idp.settings import PACKAGE


def upgrade(revision: str = "head") -> None:
    """Bring the database to a revision, the newest by default; of several nodes that do so at once, one does."""
    with _config() as config:
        take_turn(config.attributes["connection"], "schema")
        command.upgrade(config, revision)


def downgrade(revision: str) -> None:
    """Take the database back to an earlier revision; `base` empties it."""
    with _config() as config:
        command.downgrade(config, revision)


def is_current() -> bool:
    """Tell whether the database has the shape that this version expects."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest()


@cache
def newest() -> str | None:
    """Return the newest revision this version knows, looked up once: 30 ms of importing every migration."""
    return ScriptDirectory(str(PACKAGE / "migrations")).get_current_head()


def check() -> None:
    """Raise when the models and the migrations differ."""
    with _config() as config:
        command.check(config)


@contextmanager
def _config() -> Iterator[Config]:
    config = Config()
    config.set_main_option("script_location", str(PACKAGE / "migrations"))
    with db.engine.begin() as connection:
        config.attributes["connection"] = connection
        yield config
