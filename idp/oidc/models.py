"""What the protocol keeps: grants, spent codes, access tokens, signing keys."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base, new_id


class Grant(Base):
    """What a person lets an application know: the scopes consented to, or given to the district's own."""

    __tablename__ = "grants"
    __table_args__ = (UniqueConstraint("account_id", "client_pk"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    client_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("clients.id"), index=True)
    scopes: Mapped[list[str]]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SpentCode(Base):
    """A code that was spent (RFC 6749 section 4.1.2), by its digest: a second use revokes what the first got.

    No foreign keys: each would be looked up in every single sign-on, for a fact of the past that is asked about by its
    digest alone. It is gone with the last token that it may have produced, long before a session that it names.
    """

    __tablename__ = "spent_codes"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  SQLAlchemy reads it from the class
    # One tree on SQLite, in place of the rows and an index of them.

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_pk: Mapped[uuid.UUID]
    session_id: Mapped[uuid.UUID]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """The code's own; the row stays while a token that it produced may live."""


class AccessToken(Base):
    """An opaque access token, by its digest. It lives no longer than its session, grant, account and application."""

    __tablename__ = "access_tokens"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    code_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    client_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("clients.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id"))
    session_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("browser_sessions.id"), index=True)
    grant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("grants.id"))
    scope: Mapped[str] = mapped_column(String(300))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]


class SigningKey(Base):
    """A key that signs what the provider says; its private half is sealed by a key that the database never sees."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(50), primary_key=True)
    algorithm: Mapped[str] = mapped_column(String(20))
    public_jwk: Mapped[dict[str, Any]]
    sealed_private_jwk: Mapped[str] = mapped_column(Text, deferred=True)
    created_at: Mapped[datetime]
    active_from: Mapped[datetime]
    """When it starts to sign: it is published before, so that every application has fetched it by then."""
    retired_at: Mapped[datetime | None]
    """When its successor took over; it stays published for what it signed."""
    unpublish_at: Mapped[datetime | None]
