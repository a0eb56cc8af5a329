"""Letting go of sessions, steps and notices that nobody can need any more."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, delete

from idp import batches
from idp.database import RELAXED, db
from idp.sessions.models import BrowserSession, LogoutNotice, OpenSteps, Participant

KEPT = timedelta(days=30)
"""How long a session that is over is kept: an application's log-out, hours or days later, still finds everybody."""


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete what is past its time, up to limit rows of a kind at once; yield how many went. Does not commit.

    A session goes after what was issued in it, and together with the parts that applications took.
    """
    over = now - KEPT
    yield from batches.delete_older(OpenSteps.id, OpenSteps.expires_at, now, limit)
    yield from batches.delete_older(LogoutNotice.id, LogoutNotice.delivered_at, over, limit)
    yield from batches.delete_older(LogoutNotice.id, LogoutNotice.given_up_at, over, limit)
    yield from batches.delete_older(BrowserSession.id, BrowserSession.expires_at, over, limit, first=_delete_parts)


def _delete_parts(sessions: Sequence[Any]) -> int:
    """Delete the parts that applications took in these sessions: a handful each."""
    parts = delete(Participant).where(Participant.session_id.in_(sessions))
    deleted: CursorResult[tuple[()]] = db.session.execute(  # type: ignore[assignment]  # DELETE gives a cursor
        parts.execution_options(**RELAXED, synchronize_session=False)
    )
    return int(deleted.rowcount)
