"""Dialects that a run's applications share, and with them what SQLAlchemy compiled: a sixth of what a test costs."""

from typing import Any

from sqlalchemy import Dialect, Engine

_known: dict[str, Dialect] = {}
_compiled: dict[Any, Any] = {}
"""By statement and dialect: each engine has a cache of its own otherwise, and a dialect that no other one knows."""


def keep(engine: Engine) -> None:
    """Let later engines of this kind have the dialect of one that has been connected, which completes it."""
    _known.setdefault(engine.dialect.name, engine.dialect)


def share(engine: Engine) -> None:
    """Let an engine that is not yet connected take over the dialect that is kept, and all that was compiled for it."""
    if engine.dialect.name in _known:
        engine.dialect = _known[engine.dialect.name]
        engine.update_execution_options(compiled_cache=_compiled)
