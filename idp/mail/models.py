"""The outbox."""

import uuid
from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base
from idp.ids import new_id

WAITING, ACCEPTED, REFUSED, GIVEN_UP, BOUNCED = "waiting", "accepted", "refused", "given_up", "bounced"

TOO_LATE = "not sent: its link ran out before the mail server took anything"
"""What stands as the reply of a message that was given up since it was of use to nobody any more."""


class OutboxMessage(Base):
    """A message to one address, from the moment it was decided on until what became of it is of no interest."""

    __tablename__ = "outbox_messages"
    __table_args__ = (Index("ix_outbox_messages_due", "due_at", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(60))
    """Which of our messages it is: the name of its template."""
    recipient: Mapped[str] = mapped_column(String(320), index=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    """Whom it is about; no foreign key, since mail lies below accounts and outlives them."""
    language: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(200))
    sealed_content: Mapped[str | None] = mapped_column(Text)
    """What it says: it may hold a link or a temporary password, so it is sealed, and gone once it was accepted."""
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    """Its Message-ID (RFC 5322 section 3.6.4): the same at every try, so that a mailbox knows a second copy."""
    state: Mapped[str] = mapped_column(String(20), default=WAITING)
    reply: Mapped[str] = mapped_column(String(500), default="")
    """What the mail server, or the one behind it, answered last."""
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When it is tried next; None once nobody tries it any more."""
    useful_until: Mapped[datetime | None]
    """From when on what it says is of no use, since its link or password has run out; None when it always is."""
    lease_until: Mapped[datetime | None]
    lease: Mapped[uuid.UUID | None]
    """Who is trying it: a worker whose lease ran out must not settle what another one has taken over."""
    settled_at: Mapped[datetime | None] = mapped_column(index=True)
