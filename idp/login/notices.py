"""Mail that tells somebody of wrong passwords at their username: written by the worker, from what is on record.

At the log-in page nothing of it happens: a row more for a username that somebody has would show on the clock.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from idp import settings
from idp.accounts import letters, security_emails
from idp.accounts.models import Account
from idp.audit import sealing
from idp.audit import service as audit
from idp.audit.models import AuditEvent
from idp.database import db
from idp.throttle import service as throttle
from idp.throttle.rules import LOG_IN, TRIES_TOLD, TRIES_TOLD_IN_ALL, Wait

SETTLED = timedelta(minutes=10)
"""How long a failure is left alone: whoever gets in meanwhile from the same address has mistyped, and knows."""

_WINDOW = timedelta(days=1)
_AT_ONCE = 500
_LONGEST_SECONDS = 2.0
_MOST_LOG_INS = 300


@dataclass(frozen=True, slots=True)
class LogIn:
    """One password that was judged at the log-in page."""

    at: datetime
    address: str
    is_right: bool


def unexplained(log_ins: Sequence[LogIn]) -> list[datetime]:
    """Return when passwords were wrong that nobody has mended from the same address soon after, the oldest first."""
    right = [one for one in log_ins if one.is_right]
    return sorted(
        one.at
        for one in log_ins
        if not one.is_right
        and not any(one.address == other.address and one.at <= other.at <= one.at + SETTLED for other in right)
    )


def tell_due(after: int | None, now: datetime) -> int:
    """Go on through the record from a place of its chain on, mail whom it concerns, and return how far it was read.

    None begins with what comes from now on. What is too young is left for the next time, and so is what does not fit
    into two seconds. Commits after each account; what was read twice is mailed once.
    """
    if after is None:
        newest = sealing.newest_seal()
        return 0 if newest is None else int(newest["last_position"])
    ends = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < ends:
        reached, concerned = _read(after, now)
        for account_id in concerned:
            _tell(account_id, now)
        if reached == after:
            break
        after = reached
    return after


def _read(after: int, now: datetime) -> tuple[int, list[uuid.UUID]]:
    """Return the place up to which events are old enough, of some, and whose passwords were wrong in them."""
    columns = (AuditEvent.position, AuditEvent.at, AuditEvent.event, AuditEvent.outcome, AuditEvent.account_id)
    rows = db.session.execute(
        select(*columns).where(AuditEvent.position > after).order_by(AuditEvent.position).limit(_AT_ONCE)
    ).all()
    concerned: dict[uuid.UUID, None] = {}
    for row in rows:
        if row.at > now - SETTLED:
            break
        after = row.position
        if (row.event, row.outcome) == (LOG_IN, audit.FAILURE) and row.account_id and row.at > now - _WINDOW:
            concerned[row.account_id] = None
    return after, list(concerned)


def _tell(account_id: uuid.UUID, now: datetime) -> None:
    """Mail one person, if it was often enough; to the verified security email only, and once a day at most."""
    if throttle.blocked_until(TRIES_TOLD, str(account_id), now) is not None:
        return
    account, address = db.session.get(Account, account_id), security_emails.status(account_id).verified
    wrong = unexplained(_log_ins(account_id, now))
    enough = len(wrong) >= settings.current().throttle.account_robot_failures
    if account is None or account.disabled_at is not None or address is None or not enough:
        db.session.rollback()
        return
    if isinstance(throttle.reserve(TRIES_TOLD_IN_ALL, "", now), Wait):
        db.session.rollback()
        return
    throttle.reserve(TRIES_TOLD, str(account_id), now)
    issuer = settings.current().server.issuer
    letters.tell(
        "login/tries",
        account,
        address,
        now,
        times=len(wrong),
        last_at=wrong[-1],
        forgot_password=f"{issuer}/forgot-password",
        history=f"{issuer}/account/history",
    )
    audit.record("log_in_tries_told", account_id=account_id, tries=str(len(wrong)))
    db.session.commit()


def _log_ins(account_id: uuid.UUID, now: datetime) -> list[LogIn]:
    latest = (
        select(AuditEvent.at, AuditEvent.address, AuditEvent.event, AuditEvent.outcome)
        .where(AuditEvent.account_id == account_id, AuditEvent.position.is_not(None))
        .order_by(AuditEvent.id.desc())
        .limit(_MOST_LOG_INS)
    )
    return [
        LogIn(row.at, row.address or "", row.outcome == audit.SUCCESS)
        for row in db.session.execute(latest)
        if row.event == LOG_IN and row.at > now - _WINDOW
    ]
