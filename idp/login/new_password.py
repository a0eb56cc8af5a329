"""A new password: in place of a temporary one, or of one that its owner knows."""

from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import gettext as _

from idp.accounts import breached, hashing, letters, password_rules, passwords, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.accounts.service import Known
from idp.audit import service as audit
from idp.database import db
from idp.login import password_check, service, steps
from idp.login.password_check import Busy, Refused, Unlooked
from idp.login.robot import Evidence
from idp.login.service import Browser, LoggedIn, StepsOpen
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession

PASSWORD_CHANGE = "password_change"  # noqa: S105  the name of a door


@dataclass(frozen=True, slots=True)
class Unfit:
    """The new password can't be used, and why."""

    problem: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The open step is no longer there: done in another tab, out of time, or its account was closed."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The password is a new one, and so is the session's token."""

    token: str
    shared_computer: bool
    is_address_dropped: bool
    """Whether a security email was waiting to be verified, and does no longer."""


def set_up_password(
    steps_token: str | None, password: str, browser: Browser, now: datetime
) -> LoggedIn | StepsOpen | Unfit | Gone | Busy:
    """Replace a temporary password and go on; every other session of the account ends."""
    opened = steps.find_open(steps_token, steps.NEW_PASSWORD, now)
    if opened is None:
        return Gone()
    problem = password_rules.problem(password, accounts.get_with_credentials(opened.account_id))
    db.session.rollback()
    problem = problem or breached.problem(password)
    if problem is not None:
        return Unfit(problem)
    try:
        stored = passwords.hash_password(password)
    except hashing.Busy:
        return password_check.busy("new_password")
    # Read again, since it could be done elsewhere while the hash ran; closing it is what only one request can do.
    opened = steps.find_open(steps_token, steps.NEW_PASSWORD, now)
    if opened is None or not sessions.close_steps(opened):
        db.session.rollback()
        return Gone()
    account, left = accounts.get(opened.account_id), steps.after(steps.NEW_PASSWORD, opened.steps)
    accounts.store_password(account, stored, now)
    sessions.end_all(account.id, "password_changed", now)
    audit.record(PASSWORD_CHANGE, account_id=account.id, actor_id=account.id, reason="temporary_password")
    if browser.session is not None and browser.session.account_id == account.id:
        browser = replace(browser, session=None)  # it has just ended with the others
    return service.admit(account, browser, left, shared_computer=opened.shared_computer, now=now)


def change_password(
    session: ActiveSession, current: str, new: str, evidence: Evidence, now: datetime
) -> Changed | Refused | Unfit | Unlooked | Busy:
    """Replace the password of somebody who knows it: other sessions end, and this one goes on under a new token."""
    account_id = session.account_id
    problem = password_rules.problem(new, accounts.get_with_credentials(account_id))
    db.session.rollback()
    if problem is not None:
        return Unfit(problem)
    checked = password_check.check(account_id, current, PASSWORD_CHANGE, evidence, now)
    if not isinstance(checked, Known):
        return checked
    if new == current:
        db.session.commit()
        return Unfit(_("This is the password that you have. Choose a new one."))
    db.session.commit()  # nothing is held open while the new one is looked up and hashed
    problem = breached.problem(new)
    if problem is not None:
        return Unfit(problem)
    try:
        stored = passwords.hash_password(new)
    except hashing.Busy:
        return password_check.busy(PASSWORD_CHANGE)
    if not accounts.replace_password(checked, stored, now):
        db.session.rollback()
        return Refused()  # it was changed in another place while the hash ran, so what was typed is no longer right
    sessions.end_all(account_id, "password_changed", now, except_session=session.id)
    # An address that waits to be verified may be a stranger's, who had the old password: it is asked for again.
    is_address_dropped = security_emails.drop_pending(account_id)
    token = sessions.renew(session, amr=service.AMR, now=now)
    audit.record(PASSWORD_CHANGE, account_id=account_id, actor_id=account_id)
    tell_of_new_password(accounts.get(account_id), now)
    db.session.commit()
    return Changed(token, session.shared_computer, is_address_dropped)


def tell_of_new_password(account: Account, now: datetime) -> None:
    """Mail a notice, so that somebody who did not change it hears of it."""
    letters.tell("login/password_changed", account, security_emails.notice_address(account), now, changed_at=now)
