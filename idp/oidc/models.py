"""What the protocol keeps: grants, what codes were redeemed for, signing keys."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.database import Base
from idp.ids import new_id


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


class AccessToken(Base):
    """What a code was redeemed for: an opaque access token, under the code's own id, so that there is one at most.

    The row spends the code (RFC 6749 section 4.1.2) before address and verifier are looked at; where these are wrong,
    it is revoked from the start. A token lives no longer than its session, grant, account and application, which are
    asked whenever it is shown: there are no foreign keys, each of which would be looked up in every single sign-on.
    """

    __tablename__ = "access_tokens"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  SQLAlchemy reads it from the class
    # One tree on SQLite, in place of the rows and an index of them, growing at its end: ids are in the order of time.

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """Of the token."""
    client_pk: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    session_id: Mapped[uuid.UUID]
    grant_id: Mapped[uuid.UUID]
    scope: Mapped[str] = mapped_column(String(300))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
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
