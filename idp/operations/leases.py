"""Leases: a task that is due is done by one worker, whatever their number."""

import os
import socket
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from idp.database import RELAXED, db, upsert
from idp.operations.models import WorkerLease

HEARTBEAT = "worker"


def holder() -> str:
    """Name this process among those of all nodes."""
    return f"{socket.gethostname()[:80]}:{os.getpid()}"


def take(name: str, *, every: timedelta, longest: timedelta, now: datetime) -> bool:
    """Take a task if it was last finished so long ago and nobody has it; longest says when it counts as dropped.

    Commits.
    """
    values = {"holder": holder(), "until": now + longest}
    row = upsert(WorkerLease).values(name=name, finished_at=None, **values)
    is_due = or_(WorkerLease.finished_at.is_(None), WorkerLease.finished_at <= now - every)
    taken = row.on_conflict_do_update(
        index_elements=["name"], set_=values, where=(WorkerLease.until <= now) & is_due
    ).returning(WorkerLease.name)
    won = db.session.execute(taken).scalar() is not None
    db.session.commit()
    return won


def finish(name: str, now: datetime, reached: int | None = None) -> None:
    """Give a task back as done, if it is still this process's; perhaps with how far it has come. Commits."""
    mine = (WorkerLease.name == name) & (WorkerLease.holder == holder())
    values = {"until": now, "finished_at": now} | ({} if reached is None else {"reached": reached})
    db.session.execute(update(WorkerLease).where(mine).values(values))
    db.session.commit()


def reached(name: str) -> int | None:
    """Return how far a task has come; None before it has begun."""
    return db.session.scalar(select(WorkerLease.reached).where(WorkerLease.name == name))


def beat(now: datetime) -> None:
    """Say that a worker is alive. Commits."""
    values = {"holder": holder(), "until": now, "finished_at": now}
    row = upsert(WorkerLease).values(name=HEARTBEAT, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=["name"], set_=values).execution_options(**RELAXED))
    db.session.commit()


def last_beat() -> datetime | None:
    """Return when a worker was last alive."""
    return db.session.scalar(select(WorkerLease.finished_at).where(WorkerLease.name == HEARTBEAT))
