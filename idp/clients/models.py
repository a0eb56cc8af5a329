"""Applications that may ask who somebody is."""

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp.database import Base
from idp.ids import new_id


class Sector(Base):
    """A group of applications that know a person by the same subject (OpenID Connect Core section 8.1).

    The salt makes subjects of different sectors impossible to match; it never changes, or every subject would.
    """

    __tablename__ = "sectors"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    identifier: Mapped[str] = mapped_column(String(300), unique=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime]


class Client(Base):
    """A registered application (RFC 7591 section 2 names its metadata)."""

    __tablename__ = "clients"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(String(100), unique=True)
    client_name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(500), default="")
    """Why the application asks, in a school's words: shown at consent."""
    sector_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("sectors.id"), index=True)
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]]
    scopes: Mapped[list[str]]
    token_endpoint_auth_method: Mapped[str] = mapped_column(String(40))
    id_token_signed_response_alg: Mapped[str] = mapped_column(String(20), default="RS256")
    first_party: Mapped[bool] = mapped_column(default=False)
    """The district's own: consent is skipped, and the portal's menu lists it when it has an initiate_login_uri."""
    require_pkce: Mapped[bool] = mapped_column(default=True)
    backchannel_logout_uri: Mapped[str | None] = mapped_column(String(400))
    backchannel_logout_session_required: Mapped[bool] = mapped_column(default=True)
    initiate_login_uri: Mapped[str | None] = mapped_column(String(400))
    client_uri: Mapped[str | None] = mapped_column(String(400))
    logo_uri: Mapped[str | None] = mapped_column(String(400))
    policy_uri: Mapped[str | None] = mapped_column(String(400))
    tos_uri: Mapped[str | None] = mapped_column(String(400))
    contacts: Mapped[list[str]]
    disabled_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    """A removed application's row stays: its id is never given to another, and the audit still names it."""
    revision: Mapped[int] = mapped_column(default=1)
    """Raised by every change, so that each process knows when what it has parsed is old, and two admins can't undo
    each other's work unseen."""
    form_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    """SHA-256 of the token of the form that registered it: a form that is sent twice registers once."""
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    sector: Mapped[Sector] = relationship(lazy="joined", innerjoin=True)
    secrets: Mapped[list["ClientSecret"]] = relationship(order_by="ClientSecret.created_at")

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012  SQLAlchemy reads it from the class

    def __repr__(self) -> str:
        return f"<Client {self.client_id}>"


class ClientSecret(Base):
    """One secret of an application, as a digest; two are valid while one replaces the other."""

    __tablename__ = "client_secrets"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    client_pk: Mapped[uuid.UUID] = mapped_column(ForeignKey("clients.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
