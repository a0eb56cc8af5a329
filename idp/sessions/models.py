"""Browser sessions and what hangs on them."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base
from idp.ids import new_id


class BrowserSession(Base):
    """A browser that is logged in. The row lives on when its cookie is renewed; what was issued hangs on the row."""

    __tablename__ = "browser_sessions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    auth_time: Mapped[datetime]
    amr: Mapped[list[str]]
    acr: Mapped[str] = mapped_column(String(100))
    shared_computer: Mapped[bool] = mapped_column(default=False)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    address: Mapped[str] = mapped_column(String(50), default="")
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(40))


class OpenSteps(Base):
    """A right username and password whose steps are not all done yet: not a session, and no code can come of it."""

    __tablename__ = "open_steps"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    steps: Mapped[list[str]]
    amr: Mapped[list[str]]
    shared_computer: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Participant(Base):
    """An application's part in a session: by its sid it names the session in every token and log-out notice."""

    __tablename__ = "session_participants"
    __table_args__ = (UniqueConstraint("session_id", "client_pk"),)

    sid: Mapped[str] = mapped_column(String(50), primary_key=True)
    session_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("browser_sessions.id"))
    client_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("clients.id"), index=True)
    created_at: Mapped[datetime]


class LogoutNotice(Base):
    """A back-channel log-out that is owed to an application (OpenID Connect Back-Channel Logout 1.0)."""

    __tablename__ = "logout_notices"
    __table_args__ = (
        Index("ix_logout_notices_due", "delivered_at", "due_at"),
        Index("ix_logout_notices_client_pk_created_at", "client_pk", "created_at"),
        Index(
            "ix_logout_notices_given_up_at",
            "given_up_at",
            sqlite_where=text("given_up_at IS NOT NULL"),
            postgresql_where=text("given_up_at IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    client_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("clients.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    sid: Mapped[str] = mapped_column(String(50))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When it is tried next; None once it is delivered or given up."""
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_result: Mapped[str] = mapped_column(String(200), default="")


class NoticeBreaker(Base):
    """How an application's log-out address fares: after failures in a row it is left alone for a while."""

    __tablename__ = "notice_breakers"

    client_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("clients.id"), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]
    last_result: Mapped[str] = mapped_column(String(200), default="")
