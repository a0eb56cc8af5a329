"""A password chosen by a link from the mail: in place of one that was forgotten, or the very first one."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from idp.accounts import breached, hashing, password_rules, passwords, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.accounts.passwords import Match
from idp.audit import service as audit
from idp.database import db
from idp.login import new_password, password_check, steps
from idp.login import service as login
from idp.login.new_password import PASSWORD_CHANGE, Gone, Unfit
from idp.login.password_check import Busy
from idp.login.service import Browser, LoggedIn, StepsOpen
from idp.recovery import links, tokens
from idp.recovery.models import FIRST_PASSWORD, RESET, VERIFICATION
from idp.recovery.tokens import Live
from idp.sessions import service as sessions
from idp.throttle import tries
from idp.throttle.rules import Wait


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that is good now, and whom it is for."""

    account_id: uuid.UUID
    username: str
    way_on: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was sent by the page that a link leads to."""

    purpose: str
    token: str
    password: str
    shared_computer: bool
    browser: Browser


def find(purpose: str, token: str, now: datetime) -> Opened | Wait | None:
    """Return whom a link is for; None when it is wrong, used, too old, or its account is closed. It spends nothing."""
    live = links.find(purpose, token, now)
    return opened(live) if isinstance(live, Live) else live


def opened(live: Live) -> Opened | None:
    """Return whom a link that is live is for; None when its account is closed, or has another password since."""
    account = accounts.get(live.account_id)
    if account.disabled_at is not None:
        return None
    # Whoever has changed the password since by other means has no use for the link, but somebody else might have.
    if account.password_changed_at is not None and account.password_changed_at > live.created_at:
        return None
    return Opened(account.id, account.username, live.continuation)


def save(chosen: Chosen, now: datetime) -> LoggedIn | StepsOpen | Unfit | Gone | Busy:
    """Store a new password, which spends the link, and log in as far as open steps allow.

    Every session of the account ends, and with it what hangs on it; so do other links and a temporary password (PR9).
    """
    live = tokens.find(chosen.purpose, chosen.token, now)
    found = opened(live) if live else None
    if found is None:
        db.session.rollback()
        return Gone()
    known = accounts.get_known(found.account_id)
    problem = password_rules.problem(chosen.password, accounts.get_with_credentials(found.account_id))
    db.session.rollback()  # nothing is held open while the new one is looked up and hashed
    problem = problem or breached.problem(chosen.password)
    if problem is not None:
        return Unfit(problem)
    try:
        stored = passwords.hash_password(chosen.password)
    except hashing.Busy:
        return password_check.busy(chosen.purpose)
    # Of many who use the link at once, one spends it; a closed account, or one whose password was changed, keeps it.
    if tokens.spend(chosen.purpose, chosen.token, now) is None or not accounts.replace_password(known, stored, now):
        db.session.rollback()
        return Gone()
    account = accounts.get(found.account_id)
    _end_what_was(account, chosen.purpose, now)
    if chosen.purpose == RESET:
        new_password.tell_of_new_password(account, now)
    has_security_email = security_emails.status(account.id).is_set
    wanted = steps.needed(Match.PASSWORD, account, has_security_email=has_security_email)
    return _admit(account, chosen, wanted, now)


def _end_what_was(account: Account, purpose: str, now: datetime) -> None:
    sessions.end_all(account.id, "password_changed", now)
    # An address that waits to be verified may be a stranger's, who had the old password: it is asked for again.
    security_emails.drop_pending(account.id)
    tokens.revoke(account.id, now, RESET, FIRST_PASSWORD, VERIFICATION)
    tries.begin_anew(account.username_key)
    audit.record(PASSWORD_CHANGE, account_id=account.id, actor_id=account.id, reason=purpose)


def _admit(account: Account, chosen: Chosen, wanted: list[str], now: datetime) -> LoggedIn | StepsOpen:
    browser = chosen.browser
    if spoken := browser.spoken:
        accounts.learn_language(account, spoken.code, is_picked=spoken.is_picked, now=now)
    account.last_log_in_at = now
    if browser.session is not None and browser.session.account_id == account.id:
        browser = replace(browser, session=None)  # it has just ended with the others
    return login.admit(account, browser, wanted, shared_computer=chosen.shared_computer, now=now)
