"""Robot checks that were begun."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base

LOG_IN, REAUTHENTICATION = PURPOSES = "log_in", "reauthentication"
"""What a check is good for."""


class RobotCheck(Base):
    """One check, from the moment that somebody checks the box until its answer has run out: used up or not, it stays
    so long, so that nobody can use an answer twice. It knows no account.
    """

    __tablename__ = "robot_checks"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """SHA-256 of the answer that the page sends back."""
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Which browser it was begun in: the answer is worth nothing in another one."""
    purpose: Mapped[str] = mapped_column(String(20))
    wanted: Mapped[int] = mapped_column(SmallInteger)
    """The level at which the box is checked."""
    level: Mapped[int] = mapped_column(SmallInteger, default=0)
    """The level that it has come to."""
    work_secret: Mapped[str] = mapped_column(String(50))
    """By which this check's proof of work, and no other's, is known again."""
    round: Mapped[int] = mapped_column(SmallInteger, default=1)
    tasks: Mapped[int] = mapped_column(SmallInteger, default=0)
    """How many tasks were drawn for it."""
    task: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What is to be found now; nothing between two tasks."""
    turn: Mapped[int] = mapped_column(default=0)
    """How often it was changed: a change is made to what was read, and to nothing else."""
    extended: Mapped[int] = mapped_column(SmallInteger, default=0)
    begun_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    spent_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        return "<RobotCheck>"
