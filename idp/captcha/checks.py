"""The rows of checks: read, and changed only as they were read. Nothing here commits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from idp import batches, sealing, settings
from idp.captcha.models import RobotCheck
from idp.database import RELAXED, db

_COLUMNS = (
    *(RobotCheck.digest, RobotCheck.purpose, RobotCheck.wanted, RobotCheck.level, RobotCheck.work_secret),
    *(RobotCheck.round, RobotCheck.tasks, RobotCheck.task, RobotCheck.turn, RobotCheck.extended),
    RobotCheck.expires_at,
)


@dataclass(frozen=True, slots=True)
class Check:
    """A live check as it was read."""

    digest: bytes = field(repr=False)
    purpose: str
    wanted: int
    level: int
    work_secret: str = field(repr=False)
    round: int
    tasks: int
    task: dict[str, Any] = field(repr=False)
    turn: int
    extended: int
    expires_at: datetime


def lifetime() -> timedelta:
    """Return how long a check lasts from the last thing that was done about it."""
    return timedelta(minutes=settings.current().robot_check.minutes)


def find(answer: str, browser: str, now: datetime) -> Check | None:
    """Return the check with this answer, if this browser has begun it, and it is neither used up nor too old."""
    row = db.session.execute(
        select(*_COLUMNS).where(
            RobotCheck.digest == sealing.digest(answer),
            RobotCheck.browser_digest == sealing.digest(browser),
            RobotCheck.spent_at.is_(None),
            RobotCheck.expires_at > now,
        )
    ).first()
    return None if row is None else Check(*row)


def change(found: Check, **values: Any) -> bool:
    """Change a check if nobody else has since it was read; tell whether it was changed."""
    changed = db.session.execute(
        update(RobotCheck)
        .where(RobotCheck.digest == found.digest, RobotCheck.turn == found.turn, RobotCheck.spent_at.is_(None))
        .values(turn=found.turn + 1, **values)
        .returning(RobotCheck.turn)
        .execution_options(**RELAXED, synchronize_session=False)
    ).first()
    return changed is not None


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete checks that have run out, up to limit at once; yield how many went."""
    yield from batches.delete_older(RobotCheck.digest, RobotCheck.expires_at, now, limit)
