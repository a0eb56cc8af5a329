"""Letting old events go, in a way that the chain itself tells of."""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, select

from idp import settings
from idp.audit import sealing
from idp.audit.models import AuditEvent, AuditSeal
from idp.database import db

_OLDEST_SEALS = 1000


def delete_expired(now: datetime, limit: int) -> int:
    """Delete up to limit events that are past retention, and the seals of those; return how many events went.

    Before the first of them goes, a checkpoint is sealed that says how far: whatever else is missing was taken by
    somebody else. Does not commit.
    """
    removed = _advance(now)
    old = select(AuditEvent.id).where(AuditEvent.position <= removed).order_by(AuditEvent.position).limit(limit)
    gone: CursorResult[tuple[()]] = db.session.execute(  # type: ignore[assignment]  # DELETE gives a cursor
        delete(AuditEvent).where(AuditEvent.id.in_(old)).execution_options(synchronize_session=False)
    )
    if gone.rowcount < limit:
        newest = sealing.newest_seal()
        if newest is not None:
            db.session.execute(
                delete(AuditSeal)
                .where(AuditSeal.last_position <= removed, AuditSeal.number < newest["number"])
                .execution_options(synchronize_session=False)
            )
    return int(gone.rowcount)


def _advance(now: datetime) -> int:
    """Seal a checkpoint when whole batches have become too old; return the place up to which events may go."""
    newest = sealing.newest_seal()
    if newest is None:
        return 0
    removed: int = newest["removed_through"]
    cutoff = now - timedelta(days=settings.current().audit.retention_days)
    oldest = db.session.execute(
        select(AuditSeal.last_position, AuditSeal.sealed_at).order_by(AuditSeal.number).limit(_OLDEST_SEALS)
    ).all()
    # No event is younger than its seal, so a batch is old when its seal is.
    too_old = max((last for last, sealed_at in oldest if sealed_at < cutoff), default=0)
    if too_old <= removed:
        return removed
    if sealing.set_checkpoint(too_old, now) is None:
        return removed  # another worker has moved the chain on; the next round sees it
    return too_old
