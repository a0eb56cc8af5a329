"""Alembic's entry: the connection is handed in by `idp db`, never configured twice."""

from typing import Any, Literal

from alembic import context

from idp import models  # noqa: F401  Base knows only the tables whose modules are loaded
from idp.database import Base, UtcDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration imports nothing from idp: a moment is written as the plain type that it is in the database."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_item=render_item,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
