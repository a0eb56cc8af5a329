"""Security events, and the seals that make a later change visible."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base, new_id


class AuditEvent(Base):
    """Who did what, to what, from where, and how it ended. No foreign keys: the record outlives what it tells of."""

    __tablename__ = "audit_events"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(index=True)
    event: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[uuid.UUID | None]
    """Who did it: the account that was logged in, or None for a stranger, an application or the command line."""
    account_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    client_id: Mapped[str | None] = mapped_column(String(100), index=True)
    source: Mapped[str] = mapped_column(String(20))
    """The door: web, or cli, or worker."""
    address: Mapped[str | None] = mapped_column(String(50))
    request_id: Mapped[str | None] = mapped_column(String(50))
    details: Mapped[dict[str, Any]]
    mac: Mapped[str] = mapped_column(String(100))
    """Keyed digest of all the above, made when the row is written."""
    position: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """Its place in the chain, given when its batch is sealed; None until then."""


class AuditSeal(Base):
    """The seal on one batch of events, which holds the seal before it."""

    __tablename__ = "audit_seals"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    first_position: Mapped[int] = mapped_column(BigInteger)
    last_position: Mapped[int] = mapped_column(BigInteger)
    events_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    sealed_at: Mapped[datetime]
    is_checkpoint: Mapped[bool] = mapped_column(default=False)
    """Retention has taken the events up to here away; the chain starts anew from this seal."""
    mac: Mapped[str] = mapped_column(String(100))
