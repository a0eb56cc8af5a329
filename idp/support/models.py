"""What families ask the support team, and what became of it."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from idp.accounts.models import Account
from idp.database import Base
from idp.ids import new_id
from idp.search import SEARCH_KEY

NO_ACCOUNT, NO_VERIFICATION, CHANGE_USERNAME, FORGOT, OTHER = TOPICS = (
    *("no-account", "verification-email", "change-username", "forgot", "other"),
)
OPEN, WAITING, CLOSED = STATES = "open", "waiting", "closed"
"""Whose turn it is: the team's, the family's, nobody's."""
PHONE, MAIL, NOTE, STATE = "phone", "mail", "note", "state"
"""What an entry tells: the family was called, or written to; something for the team alone; a change of state."""


class Ticket(Base):
    """One request for support, as it was sent. It makes no account and opens none: anybody can write anything here."""

    __tablename__ = "support_tickets"
    __table_args__ = (Index("ix_support_tickets_state_id", "state", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    number: Mapped[str] = mapped_column(String(8), unique=True)
    """Eight digits: random, so that nobody can count requests, and short, since it is said on the phone."""
    form_digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """Which form it was sent with: one that is sent twice makes one request."""
    topic: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(Account.id, ondelete="SET NULL"), index=True)
    """Whose it is, once the team has matched it, or somebody who was logged in has sent it."""
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(SEARCH_KEY, index=True)
    relationship: Mapped[str] = mapped_column(String(20))
    student_name: Mapped[str] = mapped_column(String(100))
    school: Mapped[str] = mapped_column(String(100))
    """A school's key in the settings; nothing for another one."""
    phone: Mapped[str] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(String(254), index=True)
    language: Mapped[str] = mapped_column(String(20))
    best_time: Mapped[str] = mapped_column(String(20))
    summary: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)

    def __repr__(self) -> str:
        return f"<Ticket {self.id}>"


class LogEntry(Base):
    """Something that was done about a request."""

    __tablename__ = "support_log_entries"
    __table_args__ = (Index("ix_support_log_entries_ticket_id_id", "ticket_id", "id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Ticket.id, ondelete="CASCADE"))
    actor_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey(Account.id, ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="")
    """The new one, for a change of state."""
    text: Mapped[str] = mapped_column(Text, default="")
    """For the team; of a reply by mail, what it said."""
    message_id: Mapped[uuid.UUID | None]
    """The outbox's message; no foreign key, since the outbox forgets sooner."""
    at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"<LogEntry {self.id}>"
