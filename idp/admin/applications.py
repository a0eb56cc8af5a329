"""Registering and changing applications: what the console and the command line do, decided, recorded and committed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from idp import sealing
from idp.accounts import service as accounts
from idp.audit import service as audit
from idp.clients import service as clients
from idp.clients import validation
from idp.clients.models import Client
from idp.clients.validation import NO_SECRET, ClientMetadata, Problem
from idp.database import db


@dataclass(frozen=True, slots=True)
class Registered:
    """A new application, and its secret: this is the only time that anybody sees it."""

    client: Client
    secret: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """An application after a change, and the secret that came with it, if one did."""

    client: Client
    secret: str | None = None
    old_secret_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invalid:
    """What was given can't be taken; nothing was changed."""

    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class AlreadyRegistered:
    """This very form was sent before, and registered this application."""

    client: Client


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such application, or no longer."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Somebody changed the application after the form was opened; nothing was changed."""


Outcome = Changed | Invalid | Unknown | Overtaken


def register(
    given: Mapping[str, object],
    *,
    first_party: bool,
    actor_id: uuid.UUID | None,
    now: datetime,
    form_token: str | None = None,
) -> Registered | Invalid | AlreadyRegistered:
    """Register an application; a form_token makes sure that a form which is sent twice does so once."""
    metadata = validation.validate(given)
    if isinstance(metadata, list):
        return Invalid(metadata)
    if form_token and (before := _registered_by(form_token)):
        return AlreadyRegistered(before)
    try:
        client, secret = clients.register(
            metadata, first_party=first_party, now=now, client_id=_free_client_id(), form_token=form_token
        )
    except IntegrityError:
        # The same form's other request was faster by a moment.
        db.session.rollback()
        before = _registered_by(form_token or "")
        if before is None:
            raise
        return AlreadyRegistered(before)
    _record("client_add", client, actor_id, registered=_described(metadata), first_party=first_party)
    db.session.commit()
    return Registered(client, secret)


def change(
    client_id: str,
    given: Mapping[str, object],
    *,
    first_party: bool,
    revision: int,
    actor_id: uuid.UUID | None,
    now: datetime,
) -> Outcome:
    """Change an application's metadata, if it is still at the revision that whoever changes it has seen."""
    client = clients.get(client_id)
    if client is None:
        return Unknown()
    metadata = validation.validate(given)
    if isinstance(metadata, list):
        return Invalid(metadata)
    if client.revision != revision:
        return Overtaken()
    try:
        updated = clients.update(client, metadata, first_party=first_party, now=now)
    except StaleDataError:
        return _overtaken()
    if updated.changes:
        changes = {name: {"from": old, "to": new} for name, (old, new) in updated.changes.items()}
        _record("client_change", client, actor_id, changes=changes)
    db.session.commit()
    return Changed(client, updated.secret)


def rotate_secret(
    client_id: str,
    *,
    old_ends_now: bool = False,
    revision: int | None = None,
    actor_id: uuid.UUID | None,
    now: datetime,
) -> Outcome:
    """Give an application a new secret. With a revision, a form that is sent twice does so once."""
    client = clients.get(client_id)
    if client is None:
        return Unknown()
    if client.token_endpoint_auth_method == NO_SECRET:
        return Invalid([Problem("secret", _("This application has no secret that could be replaced."))])
    if revision is not None and client.revision != revision:
        return Overtaken()
    try:
        rotated = clients.rotate_secret(client, now, old_ends_now=old_ends_now)
    except StaleDataError:
        return _overtaken()
    _record("client_rotate_secret", client, actor_id, old_secret_until=rotated.old_valid_until)
    db.session.commit()
    return Changed(client, rotated.secret, rotated.old_valid_until)


def disable(client_id: str, *, actor_id: uuid.UUID | None, now: datetime) -> Changed | Unknown | Overtaken:
    """Shut an application out: what was issued to it dies with its next request, on every worker."""
    return _switch(client_id, enabled=False, actor_id=actor_id, now=now)


def enable(client_id: str, *, actor_id: uuid.UUID | None, now: datetime) -> Changed | Unknown | Overtaken:
    """Let an application in again."""
    return _switch(client_id, enabled=True, actor_id=actor_id, now=now)


def remove(client_id: str, *, typed_name: str, actor_id: uuid.UUID | None, now: datetime) -> Outcome:
    """Take an application away for good, if its name was typed as it is."""
    client = clients.get(client_id)
    if client is None:
        return Unknown()
    if typed_name.strip() != client.client_name:
        return Invalid([Problem("typed_name", _("Type the name exactly as it is shown."))])
    try:
        clients.remove(client, now)
    except StaleDataError:
        return _overtaken()
    _record("client_remove", client, actor_id)
    db.session.commit()
    return Changed(client)


def _switch(
    client_id: str, *, enabled: bool, actor_id: uuid.UUID | None, now: datetime
) -> Changed | Unknown | Overtaken:
    client = clients.get(client_id)
    if client is None:
        return Unknown()
    try:
        changed = clients.enable(client, now) if enabled else clients.disable(client, now)
    except StaleDataError:
        return _overtaken()
    if changed:
        _record("client_enable" if enabled else "client_disable", client, actor_id)
    db.session.commit()
    return Changed(client)


def _overtaken() -> Overtaken:
    db.session.rollback()
    return Overtaken()


def _free_client_id() -> str:
    """Return an id that is nobody's username either: one is never taken for the other (RFC 9700 section 4.15)."""
    while True:
        client_id = clients.new_client_id()
        if accounts.find_by_username(client_id) is None:
            return client_id


def _registered_by(form_token: str) -> Client | None:
    return db.session.scalar(select(Client).where(Client.form_digest == sealing.digest(form_token)))


def _record(event: str, client: Client, actor_id: uuid.UUID | None, **details: Any) -> None:
    audit.record(event, actor_id=actor_id, client_id=client.client_id, name=client.client_name, **details)


def _described(metadata: ClientMetadata) -> dict[str, object]:
    """Return what the record keeps of a registration: where answers go, and what the application may learn."""
    return {
        "redirect_uris": metadata.redirect_uris,
        "post_logout_redirect_uris": metadata.post_logout_redirect_uris,
        "scopes": metadata.scopes,
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        "require_pkce": metadata.require_pkce,
        "backchannel_logout_uri": metadata.backchannel_logout_uri,
        "initiate_login_uri": metadata.initiate_login_uri,
    }
