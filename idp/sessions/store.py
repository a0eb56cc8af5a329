"""What every single sign-on asks of a session: prebuilt statements, run in the request's one unit of work."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from idp.accounts.models import Account
from idp.database import find_row
from idp.sessions.models import BrowserSession
from idp.statements import Prepared


class ActiveSession(NamedTuple):
    """A browser that is logged in now, and who it is."""

    id: uuid.UUID
    account_id: uuid.UUID
    username: str
    name: str
    role: str
    locale: str
    auth_time: datetime
    amr: tuple[str, ...]
    acr: str
    shared_computer: bool
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime


LIVE = (
    BrowserSession.ended_at.is_(None),
    BrowserSession.idle_expires_at > bindparam("now"),
    BrowserSession.expires_at > bindparam("now"),
)
"""What makes a session count whose owner may log in: judged by the server's clock, whatever the cookie's age."""

COLUMNS = (
    BrowserSession.id,
    BrowserSession.account_id,
    Account.username,
    Account.name,
    Account.role,
    Account.locale,
    BrowserSession.auth_time,
    BrowserSession.amr,
    BrowserSession.acr,
    BrowserSession.shared_computer,
    BrowserSession.created_at,
    BrowserSession.last_seen_at,
    BrowserSession.idle_expires_at,
    BrowserSession.expires_at,
)

_FIND = Prepared(
    select(*COLUMNS)
    .join(Account, Account.id == BrowserSession.account_id)
    .where(BrowserSession.digest == bindparam("digest"), *LIVE, Account.disabled_at.is_(None))
)


def find(digest: bytes, now: datetime) -> ActiveSession | None:
    """Return the session whose cookie has this digest, if it counts now."""
    row = find_row(_FIND, {"digest": digest, "now": now})
    return None if row is None else active_session(row)


@dataclass(frozen=True, slots=True)
class KnownSession:
    """A session that no act has ended; time may have."""

    id: uuid.UUID
    account_id: uuid.UUID


_KNOWN = Prepared(
    select(BrowserSession.id, BrowserSession.account_id).where(
        BrowserSession.digest == bindparam("digest"), BrowserSession.ended_at.is_(None)
    ),
    into=KnownSession,
)


def find_known(digest: bytes) -> KnownSession | None:
    """Return the session even when its time is up: a log-out at hour three still has applications to tell."""
    return find_row(_KNOWN, {"digest": digest})


def active_session(row: Sequence[Any]) -> ActiveSession:
    """Return the session that a row of COLUMNS tells of."""
    values = list(row[: len(COLUMNS)])
    values[7] = tuple(values[7])
    return ActiveSession(*values)
