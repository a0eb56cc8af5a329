"""Where somebody was heading before a page came between: sealed, bound to the browser, and carried in the address.

An anonymous visitor costs no row, two tabs don't know of each other, and the back button, a reload and a page that
lay open for three hours all work.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import delete, insert, select

from idp import sealing
from idp.database import RELAXED, db
from idp.web.cookies import browser_token
from idp.web.models import ParkedRequest

_PURPOSE = "continuation"
_LONGEST_ADDRESS = 4000
_PARKED = "p."


@dataclass(frozen=True, slots=True)
class Continuation:
    """What was asked, and how far it has come."""

    path: str
    """The local page that goes on with it."""
    client_id: str | None
    """The application that asked, named on the pages between."""
    request: dict[str, Any]
    """What it asked, validated: nothing is read again from a live query."""
    started_at: float
    """When it was asked, in seconds since 1970; freshness is judged by this, never by now."""
    form_target: str = ""
    """Where the page's form may end after redirects: the application's origin or scheme."""
    fresh_after: float | None = None
    """A log-in before this moment does not count (max_age, prompt=login)."""
    done: tuple[str, ...] = field(default=())
    """The steps that were asked for and are done, so that nothing is asked twice."""

    def with_step(self, step: str) -> Self:
        """Return the same with one more step done."""
        return replace(self, done=(*self.done, step))


def seal(continuation: Continuation, now: datetime, lifetime: timedelta) -> str:
    """Return what travels in the address: the sealed request, or a row's token when it is too long for one."""
    body = json.dumps({"browser": _browser(), **asdict(continuation)}, separators=(",", ":")).encode()
    sealed = sealing.seal(_PURPOSE, body)
    if len(sealed) <= _LONGEST_ADDRESS:
        return sealed
    token = sealing.random_token()
    parked = {"digest": sealing.digest(token), "sealed": sealed, "expires_at": now + lifetime}
    db.session.execute(insert(ParkedRequest).execution_options(**RELAXED), parked)
    db.session.commit()
    return _PARKED + token


def unseal(text: str, now: datetime, lifetime: timedelta) -> Continuation | None:
    """Return what was sealed in this browser no longer ago than lifetime, else None."""
    try:
        body = json.loads(sealing.open_sealed(_PURPOSE, _unparked(text) if text.startswith(_PARKED) else text))
    except sealing.CannotOpen:
        return None
    if body.pop("browser") != _browser() or now.timestamp() - body["started_at"] > lifetime.total_seconds():
        return None
    try:
        return Continuation(**body | {"done": tuple(body["done"])})
    except TypeError:  # sealed by another version, beside which this one runs during an upgrade
        return None


def delete_expired(now: datetime, limit: int) -> int:
    """Delete up to limit parked requests that are past their time; return how many went. Does not commit."""
    old = select(ParkedRequest.digest).where(ParkedRequest.expires_at < now).limit(limit)
    gone = delete(ParkedRequest).where(ParkedRequest.digest.in_(old)).returning(ParkedRequest.digest)
    return len(db.session.execute(gone.execution_options(**RELAXED)).all())


def _unparked(text: str) -> str:
    digest = sealing.digest(text.removeprefix(_PARKED))
    return db.session.scalar(select(ParkedRequest.sealed).where(ParkedRequest.digest == digest)) or ""


def _browser() -> str:
    return sealing.digest(browser_token()).hex()
