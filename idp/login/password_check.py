"""Checking a typed password: one hash, a try from the one budget, and what is on record of it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from idp import settings
from idp.accounts import hashing, letters, passwords, security_emails
from idp.accounts import service as accounts
from idp.accounts.passwords import Credentials, Match
from idp.accounts.service import Known
from idp.audit import service as audit
from idp.database import db
from idp.login import robot
from idp.login.robot import ChallengeNeeded, Evidence
from idp.throttle import tries
from idp.throttle.ladder import Challenge, Level, Stopped
from idp.throttle.rules import REAUTHENTICATION, Wait
from idp.throttle.tries import Tried
from idp.web import context, metrics

PASSWORD_STOPPED = "password_stopped"  # noqa: S105  the name of an event


@dataclass(frozen=True, slots=True)
class Refused:
    """Wrong username, wrong password or closed account: the visitor is not told which."""

    level: Level = Level.NONE
    """How far a robot check has to go before the next try."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Too many passwords are being checked at once; nothing was counted."""


Unlooked = ChallengeNeeded | Wait | Stopped
"""What stands against a try before its password is looked at."""


def check(
    account_id: uuid.UUID, password: str, door: str, evidence: Evidence, now: datetime
) -> Known | Refused | Unlooked | Busy:
    """Check the password of somebody who is logged in, at one of the doors that ask for it once more.

    All these doors and the log-in page share one budget (TH9). A failure is recorded under the door's name and
    committed; a success is the caller's to commit, with what it was asked for.
    """
    try:
        hashing.expect_turn()
        known = accounts.get_known(account_id)
        tried = reserve(REAUTHENTICATION, known.username_key, evidence, now)
        if not isinstance(tried, Tried):
            return tried
        match = judge(tried, password, known.credentials, now)
    except hashing.Busy:
        return busy(door)
    if match is not Match.PASSWORD or not accounts.note_log_in(known, now):
        tries.settle(tried, succeeded=False, now=now)
        audit.record(door, audit.FAILURE, account_id=account_id, actor_id=account_id, reason=reason(known, match))
        tell_of_stop(tried, known, now)
        db.session.commit()
        return Refused(tried.level)
    tries.settle(tried, succeeded=True, now=now)
    return known


def reserve(purpose: str, username_key: str, evidence: Evidence, now: datetime) -> Tried | Unlooked:
    """Take a try from the budgets and commit: before the hash, or parallel guesses would not share one.

    The robot check that came with it is used up by that, once. A try that is not looked at costs no hash, so it writes
    nothing, either: a stranger would fill the record with it.
    """
    answered = robot.spend(evidence, purpose, now) if evidence.robot_answer else Level.NONE
    outcome = tries.reserve(
        purpose, username_key, now, device=evidence.device, network=context.network(), answered=answered
    )
    if isinstance(outcome, Tried):
        db.session.commit()
        return outcome
    db.session.rollback()
    return ChallengeNeeded(outcome.level) if isinstance(outcome, Challenge) else outcome


def judge(tried: Tried, password: str, credentials: Credentials, now: datetime) -> Match:
    """Compare a password. Raises Busy when its turn did not come: nothing was judged, so nothing is counted."""
    try:
        return passwords.matches(password, credentials, now)
    except hashing.Busy:
        tries.release(tried, now)
        db.session.commit()
        raise


def tell_of_stop(tried: Tried, known: Known | None, now: datetime) -> None:
    """Mail one notice when a failure was the last one that strange browsers get, and put it on record. Doesn't commit.

    The mail is a write that a username which nobody has does not cost; who could time it has failed a hundred times.
    """
    if not tried.stops:
        return
    audit.record(PASSWORD_STOPPED, account_id=known.account_id if known else None)
    if known is not None:
        account, times = accounts.get(known.account_id), settings.current().throttle.account_stop_failures
        address = security_emails.notice_address(account)
        letters.tell("login/password_stopped", account, address, now, stopped_at=now, times=times)


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
