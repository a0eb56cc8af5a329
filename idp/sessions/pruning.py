"""Letting go of sessions, steps and notices that nobody can need any more."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from idp.database import RELAXED, Base, db
from idp.sessions.models import BrowserSession, LogoutNotice, OpenSteps, Participant

KEPT = timedelta(days=30)
"""How long a session that is over is kept: an application's log-out, hours or days later, still finds everybody."""


def delete_expired(now: datetime, limit: int) -> int:
    """Delete up to limit rows of each kind that are past their time; return how many went. Does not commit.

    A session goes after what was issued in it, and after the parts that applications took.
    """
    over = now - KEPT
    done = or_(LogoutNotice.delivered_at < over, LogoutNotice.due_at.is_(None) & (LogoutNotice.given_up_at < over))
    sessions = select(BrowserSession.id).where(BrowserSession.expires_at < over)
    parts = select(Participant.sid).where(Participant.session_id.in_(sessions)).limit(limit)
    empty = ~select(Participant.sid).where(Participant.session_id == BrowserSession.id).exists()
    return (
        _delete(OpenSteps, OpenSteps.id, select(OpenSteps.id).where(OpenSteps.expires_at < now).limit(limit))
        + _delete(LogoutNotice, LogoutNotice.id, select(LogoutNotice.id).where(done).limit(limit))
        + _delete(Participant, Participant.sid, parts)
        + _delete(BrowserSession, BrowserSession.id, sessions.where(empty).limit(limit))
    )


def _delete(model: type[Base], key: InstrumentedAttribute[Any], chosen: Select[Any]) -> int:
    statement = delete(model).where(key.in_(chosen)).returning(key)
    return len(db.session.execute(statement.execution_options(**RELAXED, synchronize_session=False)).all())
