"""Checking a typed password: one hash, a try from the one budget, and what is on record of it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from idp.accounts import hashing, passwords
from idp.accounts import service as accounts
from idp.accounts.passwords import Credentials, Match
from idp.accounts.service import Known
from idp.audit import service as audit
from idp.database import db
from idp.throttle import service as throttle
from idp.throttle.rules import REAUTHENTICATION, Wait
from idp.throttle.service import Reserved
from idp.web import metrics


@dataclass(frozen=True, slots=True)
class Refused:
    """Wrong username, wrong password or closed account: the visitor is not told which."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Too many passwords are being checked at once; nothing was counted."""


def check(account_id: uuid.UUID, password: str, door: str, now: datetime) -> Known | Refused | Wait | Busy:
    """Check the password of somebody who is logged in, at one of the doors that ask for it once more.

    All these doors share one budget. A failure is recorded under the door's name and committed; a success is the
    caller's to commit, with what it was asked for.
    """
    try:
        hashing.expect_turn()
        known = accounts.get_known(account_id)
        reserved = _reserve(REAUTHENTICATION, str(account_id), now)
        if isinstance(reserved, Wait):
            return reserved
        match = judge(reserved, password, known.credentials, now)
    except hashing.Busy:
        return busy(door)
    if match is not Match.PASSWORD or not accounts.note_log_in(known, now):
        throttle.settle(reserved, succeeded=False)
        audit.record(door, audit.FAILURE, account_id=account_id, actor_id=account_id, reason=reason(known, match))
        db.session.commit()
        return Refused()
    throttle.settle(reserved, succeeded=True)
    return known


def _reserve(kind: str, subject: str, now: datetime) -> Reserved | Wait:
    """Take a try from the budget and commit: before the hash, or parallel guesses would not share one budget.

    A try that waits costs no hash, so it writes nothing, either: a stranger would fill the record with it.
    """
    reserved = throttle.reserve(kind, subject, now)
    db.session.commit()
    return reserved


def judge(reserved: Reserved, password: str, credentials: Credentials, now: datetime) -> Match:
    """Compare a password. Raises Busy when its turn did not come: nothing was judged, so nothing is counted."""
    try:
        return passwords.matches(password, credentials, now)
    except hashing.Busy:
        throttle.release(reserved)
        db.session.commit()
        raise


def busy(door: str) -> Busy:
    """Return that too many passwords are being checked, and count it."""
    metrics.count_refusal("busy", door)
    return Busy()


def reason(known: Known | None, match: Match) -> str:
    """Return why a password was refused, in a word for the record; the visitor is not told."""
    if known is None:
        return "unknown_username"
    if match is Match.NOTHING:
        return "wrong_password"
    if match is Match.EXPIRED:
        return "temporary_password_expired"
    return "account_disabled" if known.is_disabled else "account_changed"
