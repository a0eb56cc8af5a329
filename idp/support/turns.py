"""Whose form comes first: each carries the state of a row that it was drawn from, and one of them wins for each state.

Of two people who act at once, or of one who presses twice, the second is told, and nothing is done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute

from idp.accounts.models import Account
from idp.database import db
from idp.support.models import Ticket

_TICK = timedelta(microseconds=1)

Row = TypeVar("Row", Account, Ticket)


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Somebody changed the row after the form was drawn; nothing was done now."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """It can't be done, and why; nothing was done."""

    problem: str


def version(changed_at: datetime) -> str:
    """Return what a form carries to say which state of a row it was drawn from."""
    return changed_at.isoformat()


def take(row: Row, column: InstrumentedAttribute[datetime], seen: str, now: datetime) -> Row | Overtaken:
    """Take a row for the form that has seen this version of it, and for the transaction at hand.

    The column is the one that says when the row was changed last.
    """
    model, before = type(row), getattr(row, column.key)
    if version(before) != seen:
        db.session.rollback()
        return Overtaken()
    taken = (
        update(model)
        .where(model.id == row.id, column == before)
        # Later than before whatever the clock says, or two changes of one moment would look like none.
        .values({column: max(now, before + _TICK)})
        .returning(model.id)
        .execution_options(synchronize_session=False)
    )
    if db.session.execute(taken).first() is None:
        db.session.rollback()
        return Overtaken()
    chosen = select(model).where(model.id == row.id).execution_options(populate_existing=True)
    return db.session.scalars(chosen).one()
