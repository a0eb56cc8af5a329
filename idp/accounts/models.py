"""People who log in."""

import uuid
from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base, new_id

GUARDIAN, SUPPORT, ADMIN = ROLES = "guardian", "support", "admin"


class Account(Base):
    """A person's log-in. Its id is never used again, so that a re-created username is somebody else to everybody."""

    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(100))
    username_key: Mapped[str] = mapped_column(String(200), unique=True)
    role: Mapped[str] = mapped_column(String(20), default=GUARDIAN)
    name: Mapped[str] = mapped_column(String(200), default="")
    given_name: Mapped[str] = mapped_column(String(100), default="")
    family_name: Mapped[str] = mapped_column(String(100), default="")
    email: Mapped[str | None] = mapped_column(String(320))
    """The contact address that the district has on file, which applications may see; never the security email."""
    email_verified: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str] = mapped_column(String(20), default="en")
    password_hash: Mapped[str | None] = mapped_column(String(200), deferred=True)
    password_changed_at: Mapped[datetime | None]
    temporary_password_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), deferred=True)
    temporary_password_expires_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    last_log_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def __repr__(self) -> str:
        return f"<Account {self.id}>"
