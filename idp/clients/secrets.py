"""The secrets by which an application proves itself: random, shown once, stored as digests (AUTHLIB-8)."""

import hmac
import uuid
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select

from idp import sealing
from idp.clients.models import Client, ClientSecret
from idp.database import run
from idp.statements import Prepared

_VALID = Prepared(
    select(ClientSecret.digest).where(
        ClientSecret.client_pk == bindparam("client_pk"),
        or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > bindparam("now")),
    )
)


def matches(client_pk: uuid.UUID, presented: str | None, now: datetime) -> bool:
    """Tell whether presented is a secret of the application that is valid now; whatever was sent, it never raises."""
    digest = sealing.digest(presented or "")
    stored = run(_VALID, {"client_pk": client_pk, "now": now})
    # Each is compared, in constant time, so that the answer's time tells neither how many there are nor which it was.
    found = [hmac.compare_digest(digest, row.digest) for row in stored]
    return any(found) and bool(presented)


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
