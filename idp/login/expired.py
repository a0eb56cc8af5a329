"""A temporary password that was typed correctly, but too late: what lets its owner ask for a new one."""

import json
import uuid
from datetime import datetime, timedelta

from sqlalchemy.orm import undefer

from idp import sealing
from idp.accounts.models import Account
from idp.accounts.service import Known
from idp.database import db
from idp.web import cookies

_PURPOSE = "expired-password"
_LIFETIME = timedelta(minutes=30)


def offer(known: Known, now: datetime) -> str:
    """Return what the page's button sends: only somebody who knew the password gets it, and in this browser."""
    digest = known.credentials.temporary_digest or b""
    content = {"name": f"{known.account_id} {digest.hex()}", "at": now.timestamp(), "browser": _browser()}
    return sealing.seal(_PURPOSE, json.dumps(content).encode())


def read(text: str, now: datetime) -> str | None:
    """Return what names the account and its password in an offer that was made in this browser a while ago."""
    try:
        content = json.loads(sealing.open_sealed(_PURPOSE, text))
    except sealing.CannotOpen:
        return None
    if content["browser"] != _browser() or now.timestamp() - content["at"] > _LIFETIME.total_seconds():
        return None
    name: str = content["name"]
    return name


def find(name: str, now: datetime) -> Account | None:
    """Return the account, if it still waits for somebody with that temporary password."""
    account_id, _, digest = name.partition(" ")
    digests = (undefer(Account.temporary_password_digest),)
    account = db.session.get(Account, uuid.UUID(account_id), options=digests, populate_existing=True)
    if account is None or account.disabled_at is not None or account.temporary_password_digest is None:
        return None
    expires_at = account.temporary_password_expires_at
    is_expired = expires_at is not None and expires_at <= now
    return account if is_expired and account.temporary_password_digest.hex() == digest else None


def _browser() -> str:
    return sealing.digest(cookies.browser_token()).hex()
