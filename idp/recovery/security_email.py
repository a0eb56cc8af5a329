"""The security email: entered before the first session, changed in Account Settings, and mailed what verifies it."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from idp import settings
from idp.accounts import letters, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.accounts.service import Known
from idp.audit import service as audit
from idp.database import db
from idp.login import password_check, service, steps
from idp.login.new_password import Gone
from idp.login.password_check import Busy, Refused, Unlooked
from idp.login.robot import Evidence
from idp.login.service import Browser, LoggedIn, StepsOpen
from idp.recovery import tokens
from idp.recovery.models import OBJECTION, VERIFICATION
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession
from idp.throttle import service as throttle
from idp.throttle.rules import VERIFICATION_PAUSE, VERIFICATIONS, Wait

SET = "security_email_set"
"""The door at which the current password is asked for, and the event on record."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A fresh link is on its way to the pending address; older ones no longer work."""

    address: str


@dataclass(frozen=True, slots=True)
class NothingPending:
    """No address waits to be verified."""


def set_up(
    steps_token: str | None, address: str, password: str, browser: Browser, now: datetime
) -> LoggedIn | StepsOpen | Gone | Refused | Unlooked | Busy:
    """Enter the first address, before there is a session; then go on (R11, R14)."""
    opened = steps.find_open(steps_token, steps.SECURITY_EMAIL, now)
    if opened is None:
        return Gone()
    checked = password_check.check(opened.account_id, password, SET, browser.evidence, now)
    if not isinstance(checked, Known):
        return checked
    # Read again, since it could be done elsewhere while the hash ran; closing it is what only one request can do.
    opened = steps.find_open(steps_token, steps.SECURITY_EMAIL, now)
    if opened is None or not sessions.close_steps(opened):
        db.session.rollback()
        return Gone()
    account, left = accounts.get(opened.account_id), steps.after(steps.SECURITY_EMAIL, opened.steps)
    _enter(account, address, now)
    return service.admit(account, browser, left, shared_computer=opened.shared_computer, now=now)


def put_off(steps_token: str | None, browser: Browser, now: datetime) -> LoggedIn | StepsOpen | Gone:
    """Go on without an address, as often as the district's setting allows."""
    opened = steps.find_open(steps_token, steps.SECURITY_EMAIL, now)
    most = settings.current().recovery.setup_postponements
    if (
        opened is None
        or not accounts.put_off_security_email(opened.account_id, most, now)
        or not sessions.close_steps(opened)
    ):
        db.session.rollback()
        return Gone()
    account, left = accounts.get(opened.account_id), steps.after(steps.SECURITY_EMAIL, opened.steps)
    audit.record("security_email_put_off", account_id=account.id, actor_id=account.id)
    return service.admit(account, browser, left, shared_computer=opened.shared_computer, now=now)


def enter(
    session: ActiveSession, address: str, password: str, evidence: Evidence, now: datetime
) -> LoggedIn | Refused | Unlooked | Busy:
    """Enter an address, or another one, for somebody who is logged in; the one that was verified works meanwhile (R37).

    Whoever types the password has shown who they are once more, so the session's token changes.
    """
    checked = password_check.check(session.account_id, password, SET, evidence, now)
    if not isinstance(checked, Known):
        return checked
    _enter(accounts.get(session.account_id), address, now)
    token = sessions.renew(session, amr=service.AMR, now=now)
    db.session.commit()
    return LoggedIn(token, session.shared_computer)


def resend(
    account_id: uuid.UUID, now: datetime, actor_id: uuid.UUID | None = None, reason: str = ""
) -> Sent | Wait | NothingPending:
    """Mail a fresh link to the address that waits to be verified, for its owner or the support team (R39, R40)."""
    account, had = accounts.get(account_id), security_emails.status(account_id)
    address, since = had.pending, had.pending_since
    if address is None or since is None:
        db.session.rollback()
        return NothingPending()
    until = throttle.blocked_until(VERIFICATION_PAUSE, str(account_id), now)
    waits = Wait(until) if until is not None else _reserve(account_id, now)
    if waits is not None:
        db.session.rollback()
        return waits
    _mail_link(account, address, now)
    if had.verified is not None and not tokens.was_issued(OBJECTION, account_id, since):
        _mail_notice(account, had.verified, now)  # it was entered when the account's mails were used up
    why = {"reason": reason} if reason else {}
    audit.record("security_email_resent", account_id=account_id, actor_id=actor_id or account_id, **why)
    db.session.commit()
    return Sent(address)


def _enter(account: Account, address: str, now: datetime) -> None:
    """Keep an address as pending, and mail the link that verifies it.

    Whoever has used up the mails of six hours is not held up: the address waits for a link that is sent later.
    """
    before = security_emails.status(account.id).verified
    security_emails.set_pending(account.id, address, now)
    tokens.revoke(account.id, now, VERIFICATION)
    audit.record(SET, account_id=account.id, actor_id=account.id)
    if _reserve(account.id, now) is not None:
        return
    _mail_link(account, address, now)
    if before is not None:
        _mail_notice(account, before, now)


def _reserve(account_id: uuid.UUID, now: datetime) -> Wait | None:
    """Take one mail from the account's budget; None when there was one left."""
    reserved = throttle.reserve(VERIFICATIONS, str(account_id), now)
    if isinstance(reserved, Wait):
        return reserved
    throttle.reserve(VERIFICATION_PAUSE, str(account_id), now)  # it begins with each mail, and holds up only resending
    return None


def _mail_link(account: Account, address: str, now: datetime) -> None:
    issued, wanted = tokens.issue(VERIFICATION, account.id, address, now), settings.current()
    letters.write(
        "recovery/verify_email",
        account,
        address,
        now,
        useful_until=now + tokens.lifetime(VERIFICATION),
        link=f"{wanted.server.issuer}/verify-email?token={issued.token}",
        code=issued.code,
        hours=wanted.recovery.verification_hours,
        minutes=wanted.recovery.code_minutes,
    )


def _mail_notice(account: Account, before: str, now: datetime) -> None:
    """Tell the address that still works, with a link by which its owner stops the change."""
    issued, wanted = tokens.issue(OBJECTION, account.id, before, now, beside=True), settings.current()
    letters.write(
        "recovery/change_asked",
        account,
        before,
        now,
        asked_at=now,
        link=f"{wanted.server.issuer}/not-me?token={issued.token}",
        days=wanted.recovery.objection_days,
    )
