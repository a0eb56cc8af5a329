"""Registered applications as the protocol sees them: parsed once per process, good while their revision stands."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Table, bindparam, or_, select

from idp.clients.addresses import redirect_uri_matches
from idp.clients.models import Client, Sector
from idp.clients.validation import NO_SECRET
from idp.database import db, find_row, run
from idp.statements import Prepared

_CACHED_AT_MOST = 2000
_LONGEST_ID = 100
_USED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """An application, with all that a request needs to know of it."""

    pk: uuid.UUID
    client_id: str
    client_name: str
    description: str
    sector_identifier: str
    sector_salt: bytes
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]
    token_endpoint_auth_method: str
    id_token_signed_response_alg: str
    first_party: bool
    require_pkce: bool
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    initiate_login_uri: str | None
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    disabled: bool
    revision: int

    @property
    def is_public(self) -> bool:
        """Whether it has no secret (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method == NO_SECRET

    def start_address(self, issuer: str) -> str | None:
        """Return where its users begin: it then logs in here (OpenID Connect Core section 4); else its home page."""
        if self.initiate_login_uri is None:
            return self.client_uri
        joint = "&" if urlsplit(self.initiate_login_uri).query else "?"
        return f"{self.initiate_login_uri}{joint}{urlencode({'iss': issuer})}"

    def accepts_redirect_uri(self, requested: str) -> bool:
        """Tell whether a response may go to requested (RFC 9700 section 2.1, RFC 8252 section 7.3)."""
        return any(redirect_uri_matches(uri, requested, native=self.is_public) for uri in self.redirect_uris)

    def accepts_post_logout_redirect_uri(self, requested: str) -> bool:
        """Tell whether a log-out may end at requested (OpenID Connect RP-Initiated Logout section 3)."""
        return any(
            redirect_uri_matches(uri, requested, native=self.is_public) for uri in self.post_logout_redirect_uris
        )


_COLUMNS = (
    Client.id,
    Client.client_id,
    Client.client_name,
    Client.description,
    Sector.identifier,
    Sector.salt,
    Client.redirect_uris,
    Client.post_logout_redirect_uris,
    Client.scopes,
    Client.token_endpoint_auth_method,
    Client.id_token_signed_response_alg,
    Client.first_party,
    Client.require_pkce,
    Client.backchannel_logout_uri,
    Client.backchannel_logout_session_required,
    Client.initiate_login_uri,
    Client.client_uri,
    Client.logo_uri,
    Client.policy_uri,
    Client.tos_uri,
    Client.disabled_at,
    Client.revision,
)
_KNOWN = select(*_COLUMNS).join(Sector, Sector.id == Client.sector_id).where(Client.removed_at.is_(None))
_LOAD = Prepared(_KNOWN.where(Client.client_id == bindparam("client_id")))
_REVISION = Prepared(
    select(Client.revision, Client.disabled_at).where(
        Client.client_id == bindparam("client_id"), Client.removed_at.is_(None)
    )
)
_MENU = _KNOWN.where(
    Client.first_party.is_(True), Client.disabled_at.is_(None), Client.initiate_login_uri.is_not(None)
).order_by(Client.client_name)
_TABLE = cast("Table", Client.__table__)
# On the table, not the model: last use is no change of the application, so it must not raise the revision.
_USED = Prepared(
    _TABLE.update()
    .where(
        _TABLE.c.id == bindparam("pk"),
        or_(_TABLE.c.last_used_at.is_(None), _TABLE.c.last_used_at <= bindparam("before")),
    )
    .values(last_used_at=bindparam("now")),
    relaxed=True,
)

_cache: dict[str, RegisteredClient] = {}
_used: dict[uuid.UUID, datetime] = {}
_lock = Lock()


def find(client_id: str) -> RegisteredClient | None:
    """Return the application that may act now, or None: unknown, disabled and removed look the same to a stranger."""
    if not may_be_an_id(client_id):
        return None
    row = find_row(_REVISION, {"client_id": client_id})
    return None if row is None or row.disabled_at is not None else at_revision(client_id, row.revision)


def at_revision(client_id: str, revision: int) -> RegisteredClient | None:
    """Return an application that the caller has just seen in the database, at this revision or a later one."""
    found = from_cache(client_id, revision) or _load(client_id)
    return None if found is None or found.disabled else found


def find_even_disabled(client_id: str) -> RegisteredClient | None:
    """Return an application that is not removed, whether or not it may act."""
    return _load(client_id) if may_be_an_id(client_id) else None


def from_cache(client_id: str, revision: int) -> RegisteredClient | None:
    """Return what this process has parsed, if it is of this revision, which the caller has read from the row."""
    cached = _cache.get(client_id)
    return cached if cached is not None and cached.revision == revision else None


def menu() -> list[RegisteredClient]:
    """Return the district's own applications that can be started from the portal, by name."""
    return [_parsed(row) for row in db.session.execute(_MENU)]


def touch_used(client: RegisteredClient, now: datetime) -> None:
    """Note that the application was used, at most every ten minutes. Does not commit."""
    before = _used.get(client.pk)
    if before is not None and abs(now - before) < _USED_EVERY:
        return
    run(_USED, {"pk": client.pk, "now": now, "before": now - _USED_EVERY})
    _keep(_used, client.pk, now)


def may_be_an_id(client_id: str) -> bool:
    """Keep what no id can be from the drivers, which raise errors of their own for a NUL or half a character."""
    return len(client_id) <= _LONGEST_ID and client_id.isascii() and client_id.isprintable()


def _load(client_id: str) -> RegisteredClient | None:
    row = find_row(_LOAD, {"client_id": client_id})
    if row is None:
        return None
    client = _parsed(row)
    _keep(_cache, client_id, client)
    return client


def _parsed(row: Any) -> RegisteredClient:
    values = row._asdict() | {
        "redirect_uris": tuple(row.redirect_uris),
        "post_logout_redirect_uris": tuple(row.post_logout_redirect_uris),
        "scopes": tuple(row.scopes),
    }
    return RegisteredClient(
        pk=values.pop("id"),
        sector_identifier=values.pop("identifier"),
        sector_salt=values.pop("salt"),
        disabled=values.pop("disabled_at") is not None,
        **values,
    )


def _keep(where: dict[Any, Any], key: object, value: object) -> None:
    """Remember value, and forget the oldest entry when there are too many: strangers choose none of the keys."""
    with _lock:
        where.pop(key, None)
        while len(where) >= _CACHED_AT_MOST:
            del where[next(iter(where))]
        where[key] = value
