"""What all nodes share: who does what is due, and which keys their settings have."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base


class WorkerLease(Base):
    """A task that one worker at a time does, now and then."""

    __tablename__ = "worker_leases"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(100))
    """Host and process that has it or had it last."""
    until: Mapped[datetime]
    """When somebody else may take it: a worker that dies does not keep it."""
    finished_at: Mapped[datetime | None]
    reached: Mapped[int | None] = mapped_column(BigInteger)
    """How far it has come, for a task that goes through what grows; None before it has begun."""


class SecretKey(Base):
    """A key that settings of some node have or had, known by its name; never the key itself."""

    __tablename__ = "secret_keys"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    """wrapping, pepper or audit."""
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    check_value: Mapped[bytes] = mapped_column(LargeBinary(32))
    """By which a node sees that its key of this name is another one than everybody else's."""
    first_seen_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    """When it was last the first of somebody's list, within a minute or so; None for one that was only read."""
