"""People who log in."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base
from idp.ids import new_id
from idp.search import SEARCH_KEY

_KEY = String(200).with_variant(String(200, collation="C"), "postgresql")
"""Compared byte by byte, so that an index finds what begins with some letters, too."""

GUARDIAN, SUPPORT, ADMIN = ROLES = "guardian", "support", "admin"


class Account(Base):
    """A person's log-in. Its id is never used again, so that a re-created username is somebody else to everybody."""

    __tablename__ = "accounts"
    __table_args__ = (
        Index("ix_accounts_name_key_id", "name_key", "id"),
        Index("ix_accounts_email_key_id", "email_key", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(100))
    username_key: Mapped[str] = mapped_column(_KEY, unique=True)
    role: Mapped[str] = mapped_column(String(20), default=GUARDIAN)
    name: Mapped[str] = mapped_column(String(200), default="")
    given_name: Mapped[str] = mapped_column(String(100), default="")
    family_name: Mapped[str] = mapped_column(String(100), default="")
    email: Mapped[str | None] = mapped_column(String(320))
    """The contact address that the district has on file, which applications may see; never the security email."""
    email_verified: Mapped[bool] = mapped_column(default=False)
    name_key: Mapped[str] = mapped_column(SEARCH_KEY, default="", server_default="")
    email_key: Mapped[str] = mapped_column(SEARCH_KEY, default="", server_default="")
    """What the support team's search looks in."""
    locale: Mapped[str] = mapped_column(String(20), default="")
    """The language of pages and mail, as the settings write it; empty until the first log-in tells which one it is."""
    password_hash: Mapped[str | None] = mapped_column(String(200), deferred=True)
    password_changed_at: Mapped[datetime | None]
    temporary_password_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), deferred=True)
    temporary_password_expires_at: Mapped[datetime | None]
    recovery_by: Mapped[str | None] = mapped_column(String(10))
    """`phone` or `letter`, for a family without email: the support team has said that it recovers them that way."""
    security_email_put_off: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often entering a security email was put off."""
    disabled_at: Mapped[datetime | None]
    last_log_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"<Account {self.id}>"


class SecurityEmail(Base):
    """An address for recovery and for notices of security; never shown to applications, nor put on file (R13).

    An account has one that is verified, at most, and one that waits to be: the first is used until then.
    """

    __tablename__ = "security_emails"
    __table_args__ = (
        UniqueConstraint("account_id", "is_verified"),
        Index("ix_security_emails_address_key_is_verified", "address_key", "is_verified"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(Account.id, ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(320))
    address_key: Mapped[str] = mapped_column(String(320))
    is_verified: Mapped[bool]
    created_at: Mapped[datetime]
    """When it was entered, or verified."""

    def __repr__(self) -> str:
        return f"<SecurityEmail {self.id}>"
