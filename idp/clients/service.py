"""Registering applications and changing them. Every change raises the revision; nothing here commits.

A change that meets another one made meanwhile raises sqlalchemy.orm.exc.StaleDataError when it is flushed.
"""

import string
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from secrets import choice, token_bytes

from sqlalchemy import ColumnElement, func, or_, select

from idp import sealing, settings
from idp.clients import secrets
from idp.clients.addresses import host_of
from idp.clients.models import Client, ClientSecret, Sector
from idp.clients.registry import may_be_an_id
from idp.clients.validation import NO_SECRET, ClientMetadata
from idp.database import db, upsert
from idp.ids import new_id

DISTRICT_SECTOR = "district"
_ORDER = (Client.client_name, Client.client_id)
_ALPHABET = string.ascii_letters + string.digits
_ID_LENGTH = 24  # 142 bits; no subject and no account's id has this length


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update changed, field by field (before, after), and the secret that a change of kind has brought."""

    changes: dict[str, tuple[object, object]]
    secret: str | None


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new secret, and when the one before it ends."""

    secret: str
    old_valid_until: datetime | None


def new_client_id() -> str:
    """Return a random client_id; letters and digits only, so that it needs no escaping anywhere."""
    return "".join(choice(_ALPHABET) for _ in range(_ID_LENGTH))


def get(client_id: str) -> Client | None:
    """Return an application that is not removed, for whoever is about to show or change it."""
    if not may_be_an_id(client_id):
        return None
    return db.session.scalar(select(Client).where(Client.client_id == client_id, Client.removed_at.is_(None)))


def is_client_id(text: str) -> bool:
    """Tell whether text is, or ever was, an application's client_id, in whatever case it is written."""
    typed = text.strip().lower()
    if not may_be_an_id(typed):
        return False
    return db.session.scalar(select(Client.id).where(func.lower(Client.client_id) == typed)) is not None


def find_all() -> list[Client]:
    """Return every application that is not removed, by name."""
    return list(db.session.scalars(select(Client).where(Client.removed_at.is_(None)).order_by(*_ORDER)))


def count(text: str) -> int:
    """Return how many applications have text in their name or client_id."""
    return db.session.scalar(select(func.count(Client.id)).where(*_holding(text))) or 0


def search(text: str, *, offset: int, limit: int) -> list[Client]:
    """Return a part of the applications whose name or client_id holds text, by name."""
    return list(db.session.scalars(select(Client).where(*_holding(text)).order_by(*_ORDER).offset(offset).limit(limit)))


def _holding(text: str) -> tuple[ColumnElement[bool], ...]:
    # autoescape: a % or _ that was typed is looked for, and does not stand for anything.
    by_name = Client.client_name.icontains(text, autoescape=True)
    return Client.removed_at.is_(None), or_(by_name, Client.client_id.contains(text, autoescape=True))


def valid_secrets(client: Client, now: datetime) -> list[ClientSecret]:
    """Return the secrets that count now, oldest first: when each was made and when it ends is all that is known."""
    return [secret for secret in client.secrets if secret.expires_at is None or secret.expires_at > now]


def register(
    metadata: ClientMetadata,
    *,
    first_party: bool,
    now: datetime,
    client_id: str | None = None,
    form_token: str | None = None,
) -> tuple[Client, str | None]:
    """Register an application and return it with its secret, which is None for one that has none."""
    client_id = client_id or new_client_id()
    client = Client(
        client_id=client_id,
        sector_id=_sector(metadata, client_id, first_party=first_party, now=now).id,
        first_party=first_party,
        form_digest=sealing.digest(form_token) if form_token else None,
        created_at=now,
        updated_at=now,
        **_columns(metadata),
    )
    secret = None if metadata.is_public else secrets.add(client, now)
    db.session.add(client)
    db.session.flush()
    return client, secret


def update(client: Client, metadata: ClientMetadata, *, first_party: bool, now: datetime) -> Updated:
    """Change an application's metadata. Its sector stays, or everybody would be a stranger to it.

    One that becomes public loses its secrets at once; one that gets its first secret has it returned.
    """
    before = {name: getattr(client, name) for name in (*_columns(metadata), "first_party")}
    after: dict[str, object] = {**_columns(metadata), "first_party": first_party}
    changes = {name: (before[name], after[name]) for name in after if before[name] != after[name]}
    was_public = client.token_endpoint_auth_method == NO_SECRET
    for name, (_old, new) in changes.items():
        setattr(client, name, new)
    secret = None
    if metadata.is_public and not was_public:
        secrets.expire(client, now, timedelta(0))
    elif was_public and not metadata.is_public:
        secret = secrets.add(client, now)
    if changes:
        _touch(client, now)
    return Updated(changes, secret)


def rotate_secret(client: Client, now: datetime, *, old_ends_now: bool = False) -> Rotated:
    """Give the application a new secret; the old one stays valid for the overlap, unless it has become known."""
    overlap = timedelta(0 if old_ends_now else settings.current().tokens.client_secret_overlap_days)
    until = secrets.expire(client, now, overlap)
    secret = secrets.add(client, now)
    _touch(client, now)
    return Rotated(secret, until)


def disable(client: Client, now: datetime) -> bool:
    """Shut an application out, with all that was issued to it; False when it was before."""
    if client.disabled_at is not None:
        return False
    client.disabled_at = now
    _touch(client, now)
    return True


def enable(client: Client, now: datetime) -> bool:
    """Let an application act again; False when it could."""
    if client.disabled_at is None:
        return False
    client.disabled_at = None
    _touch(client, now)
    return True


def remove(client: Client, now: datetime) -> None:
    """Take an application away for good. Its row stays, since the record names it and its id must never come back."""
    secrets.expire(client, now, timedelta(0))
    client.disabled_at = client.disabled_at or now
    client.removed_at = now
    _touch(client, now)


def _touch(client: Client, now: datetime) -> None:
    """Make the row itself change, which raises its revision also when only a secret did."""
    client.updated_at = max(now, client.updated_at + timedelta(microseconds=1))
    db.session.flush()


def _columns(metadata: ClientMetadata) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(metadata).items()}


def _sector(metadata: ClientMetadata, client_id: str, *, first_party: bool, now: datetime) -> Sector:
    """Return the sector of a new application: the district's, its site's, or one of its own (Core section 8.1)."""
    hosts = {host_of(uri) for uri in metadata.redirect_uris}
    host = hosts.pop() if len(hosts) == 1 else None
    # Prefixed, so that a site can't be called what the district's own sector is called.
    identifier = DISTRICT_SECTOR if first_party else f"host:{host}" if host else f"client:{client_id}"
    values = {"id": new_id(), "identifier": identifier, "salt": token_bytes(32), "created_at": now}
    db.session.execute(upsert(Sector).values(values).on_conflict_do_nothing(index_elements=["identifier"]))
    return db.session.scalars(select(Sector).where(Sector.identifier == identifier)).one()
