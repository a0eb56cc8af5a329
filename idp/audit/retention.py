"""Letting old events go, in a way that the chain itself tells of."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from idp import settings
from idp.audit import sealing
from idp.audit.models import AuditEvent, AuditSeal
from idp.database import db

_OLDEST_SEALS = 1000


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete events that are past retention, up to limit at once, and the seals of those; yield how many events went.

    Before the first of them goes, a checkpoint is sealed that says how far: whatever else is missing was taken by
    somebody else. Does not commit.
    """
    removed, last = _advance(now), 0
    while True:
        reached, gone = _delete_events(last, removed, limit)
        last = reached or last
        if gone == limit:
            yield gone
            continue
        _delete_seals(removed)
        before, removed = removed, _advance(now)
        yield gone
        if removed <= before:
            return


def _delete_events(after: int, through: int, limit: int) -> tuple[int | None, int]:
    """Delete up to limit events from a place of the chain on; return the last place and how many went."""
    chosen = db.session.execute(
        select(AuditEvent.id, AuditEvent.position)
        .where(AuditEvent.position > after, AuditEvent.position <= through)
        .order_by(AuditEvent.position)
        .limit(limit)
    ).all()
    if not chosen:
        return None, 0
    ids = [row.id for row in chosen]
    db.session.execute(delete(AuditEvent).where(AuditEvent.id.in_(ids)).execution_options(synchronize_session=False))
    return chosen[-1].position, len(chosen)


def _delete_seals(through: int) -> None:
    """Delete the seals of events that have gone, but never the newest one: the next is chained to it."""
    newest = sealing.newest_seal()
    gone = [number for number, last, _at in _oldest_seals() if last <= through]
    if newest is not None and gone:
        numbered = delete(AuditSeal).where(AuditSeal.number <= gone[-1], AuditSeal.number < newest["number"])
        db.session.execute(numbered.execution_options(synchronize_session=False))


def _oldest_seals() -> Sequence[Any]:
    oldest = select(AuditSeal.number, AuditSeal.last_position, AuditSeal.sealed_at).order_by(AuditSeal.number)
    return db.session.execute(oldest.limit(_OLDEST_SEALS)).all()


def _advance(now: datetime) -> int:
    """Seal a checkpoint when whole batches have become too old; return the place up to which events may go."""
    newest = sealing.newest_seal()
    if newest is None:
        return 0
    removed: int = newest["removed_through"]
    cutoff = now - timedelta(days=settings.current().audit.retention_days)
    # No event is younger than its seal, so a batch is old when its seal is.
    too_old = max((last for _number, last, sealed_at in _oldest_seals() if sealed_at < cutoff), default=0)
    if too_old <= removed:
        return removed
    if sealing.set_checkpoint(too_old, now) is None:
        return removed  # another worker has moved the chain on; the next round sees it
    return too_old
