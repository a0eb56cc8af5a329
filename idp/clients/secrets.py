"""The secrets by which an application proves itself: random, shown once, stored as digests (AUTHLIB-8)."""

import hmac
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, or_, select

from idp import sealing
from idp.clients import registry
from idp.clients.models import Client, ClientSecret
from idp.clients.registry import RegisteredClient
from idp.database import run
from idp.statements import Prepared

_VALID = Prepared(
    select(Client.revision, Client.disabled_at, ClientSecret.digest)
    .outerjoin(
        ClientSecret,
        and_(
            ClientSecret.client_pk == Client.id,
            or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > bindparam("now")),
        ),
    )
    .where(Client.client_id == bindparam("client_id"), Client.removed_at.is_(None))
)


def find(client_id: str, presented: str | None, now: datetime) -> tuple[RegisteredClient | None, bool]:
    """Return the application that may act now, and whether presented is a secret of it; whatever was sent, no error.

    It is one statement, and the same for an unknown application as for a known one.
    """
    rows = run(_VALID, {"client_id": client_id, "now": now}) if registry.may_be_an_id(client_id) else []
    digest = sealing.digest(presented or "")
    # Each is compared, in constant time, so that the answer's time tells neither how many there are nor which it was.
    found = [hmac.compare_digest(digest, row.digest) for row in rows if row.digest is not None]
    if not rows or rows[0].disabled_at is not None:
        return None, False
    return registry.at_revision(client_id, rows[0].revision), any(found) and bool(presented)


def add(client: Client, now: datetime) -> str:
    """Give the application a secret and return it: nobody can read it again."""
    secret = sealing.random_token()
    client.secrets.append(ClientSecret(digest=sealing.digest(secret), created_at=now, expires_at=None))
    return secret


def expire(client: Client, now: datetime, overlap: timedelta) -> datetime | None:
    """Let the newest secret end after overlap and the older ones now; return when, or None if there was none."""
    valid = [secret for secret in client.secrets if secret.expires_at is None or secret.expires_at > now]
    valid.sort(key=lambda secret: (secret.expires_at is None, secret.created_at))
    if not valid:
        return None
    *older, newest = valid
    for secret in older:
        secret.expires_at = now
    newest.expires_at = min(newest.expires_at or now + overlap, now + overlap)
    return newest.expires_at
