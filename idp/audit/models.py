"""Security events, and the seals that make a later change visible."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base
from idp.ids import new_id

_SEALED = text("position IS NOT NULL")


class AuditEvent(Base):
    """Who did what, to what, from where, and how it ended. No foreign keys: the record outlives what it tells of."""

    __tablename__ = "audit_events"
    # Writing an event is part of every single sign-on: the worker, which seals in batches, enters it in these indexes.
    __table_args__ = tuple(
        Index(f"ix_audit_events_{column}", column, sqlite_where=_SEALED, postgresql_where=_SEALED)
        for column in ("account_id", "client_id")
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    """In the order of time."""
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[uuid.UUID | None]
    """Who did it: the account that was logged in, or None for a stranger, an application or the command line."""
    account_id: Mapped[uuid.UUID | None]
    client_id: Mapped[str | None] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(20))
    """The door: web, or cli, or worker."""
    address: Mapped[str | None] = mapped_column(String(50))
    request_id: Mapped[str | None] = mapped_column(String(50))
    details: Mapped[dict[str, Any]]
    mac: Mapped[str] = mapped_column(String(100))
    """Keyed digest of all the above, made when the row is written."""
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """Its place in the chain, given when its batch is sealed; None until then."""
    position_mac: Mapped[str | None] = mapped_column(String(100))
    """Keyed digest that binds the row to its place."""


class AuditSeal(Base):
    """The seal on one batch of events. It holds the seal before it, so that none can be taken out or put in."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_position: Mapped[int] = mapped_column(BigInteger)
    last_position: Mapped[int] = mapped_column(BigInteger)
    """One less than the first when the batch is empty: a checkpoint, which retention leaves."""
    events_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    removed_through: Mapped[int] = mapped_column(BigInteger)
    """The place up to which retention has taken events away when this was sealed; 0 for nothing."""
    sealed_at: Mapped[datetime]
    previous_mac: Mapped[str] = mapped_column(String(100))
    mac: Mapped[str] = mapped_column(String(100))


class AuditHead(Base):
    """How far the chain reaches: a second place that somebody who cuts off its end has to know of. One row."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, default=1)
    number: Mapped[int] = mapped_column(BigInteger)
    last_position: Mapped[int] = mapped_column(BigInteger)
    removed_through: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[str] = mapped_column(String(100))
