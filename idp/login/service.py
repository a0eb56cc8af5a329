"""Checking passwords: at the log-in page, before a sensitive act, and when a temporary one is replaced."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from idp.accounts import hashing, password_rules, passwords, usernames
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.accounts.passwords import Credentials, Match
from idp.accounts.service import Known
from idp.audit import service as audit
from idp.database import db
from idp.login import steps
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession
from idp.throttle import service as throttle
from idp.throttle.rules import LOG_IN, REAUTHENTICATION, Wait
from idp.throttle.service import Reserved
from idp.web import metrics

_AMR = ["pwd"]  # RFC 8176 section 2
_LONGEST_WAIT_FOR_REHASH = 1.0  # seconds: the person has waited for one hash already


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser that somebody logs in with."""

    session: ActiveSession | None
    """The session it has had until now."""
    user_agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was typed at the log-in page."""

    username: str
    password: str = field(repr=False)
    shared_computer: bool
    client_id: str | None
    """The application that sent the person here."""
    browser: Browser


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """There is a session; its cookie's token is new."""

    token: str = field(repr=False)
    shared_computer: bool


@dataclass(frozen=True, slots=True)
class StepsOpen:
    """The password was right, and something has to be done before there is a session."""

    token: str = field(repr=False)
    step: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Wrong username, wrong password or closed account: the visitor is not told which."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Too many passwords are being checked at once; nothing was counted."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The new password can't be used, and why."""

    problem: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The open step is no longer there: done in another tab, out of time, or its account was closed."""


_COUNTED_AS = {LoggedIn: "success", StepsOpen: "steps_open", Refused: "refused", Wait: "wait", Busy: "busy"}


def log_in(attempt: Attempt, now: datetime) -> LoggedIn | StepsOpen | Refused | Wait | Busy:
    """Check a username and password, and record the attempt whatever its outcome."""
    outcome = _log_in(attempt, now)
    metrics.count_log_in(_COUNTED_AS[type(outcome)])
    return outcome


def _log_in(attempt: Attempt, now: datetime) -> LoggedIn | StepsOpen | Refused | Wait | Busy:
    key = usernames.key(attempt.username)
    try:
        hashing.expect_turn()
        reserved = throttle.reserve(LOG_IN, key, now)
        # A try that waits looks up nobody: beside no hash, even that would show on the clock (tests/benchmarks/timing).
        known = None if isinstance(reserved, Wait) else accounts.find_known(key)
        db.session.commit()
        if isinstance(reserved, Wait):
            return reserved
        match = _judge(reserved, attempt.password, known.credentials if known else Credentials(), now)
    except hashing.Busy:
        return _busy(LOG_IN)
    rehashed = _rehashed(attempt.password, known) if match is Match.PASSWORD and known else None
    if known is None or not _is_admitted(known, match, now):
        throttle.settle(reserved, succeeded=False)
        # For a username that nobody has, too: one write less would show on the clock. Each row costs a hash of ours, so
        # a stranger who keeps every core busy adds some 100 MB a day and core (250 bytes, five hashes a second).
        audit.record(
            LOG_IN,
            audit.FAILURE,
            account_id=known.account_id if known else None,
            client_id=attempt.client_id,
            reason=_reason(known, match),
        )
        db.session.commit()
        return Refused()
    throttle.settle(reserved, succeeded=True)
    if rehashed and known.credentials.stored:
        accounts.replace_hash(known.account_id, known.credentials.stored, rehashed)
    return _admit(attempt, accounts.get(known.account_id), steps.needed(match), now)


def reauthenticate(session: ActiveSession, password: str, now: datetime) -> LoggedIn | Refused | Wait | Busy:
    """Check the password of somebody who is logged in, and renew the session: before an act that can do harm."""
    try:
        hashing.expect_turn()
        known = accounts.get_known(session.account_id)
        reserved = _reserve(REAUTHENTICATION, str(session.account_id), now)
        if isinstance(reserved, Wait):
            return reserved
        match = _judge(reserved, password, known.credentials, now)
    except hashing.Busy:
        return _busy(REAUTHENTICATION)
    account_id = session.account_id
    if match is not Match.PASSWORD or not accounts.note_log_in(known, now):
        throttle.settle(reserved, succeeded=False)
        audit.record(
            REAUTHENTICATION,
            audit.FAILURE,
            account_id=account_id,
            actor_id=account_id,
            reason=_reason(known, match),
        )
        db.session.commit()
        return Refused()
    throttle.settle(reserved, succeeded=True)
    token = sessions.renew(session, amr=_AMR, now=now)
    audit.record(REAUTHENTICATION, account_id=account_id, actor_id=account_id)
    db.session.commit()
    return LoggedIn(token, session.shared_computer)


def set_up_password(steps_token: str, password: str, browser: Browser, now: datetime) -> LoggedIn | Unfit | Gone | Busy:
    """Replace a temporary password and log in; every other session of the account ends."""
    opened = sessions.find_open_steps(steps_token, now)
    if opened is None:
        return Gone()
    problem = password_rules.problem(password, accounts.get_with_credentials(opened.account_id))
    db.session.rollback()
    if problem is not None:
        return Unfit(problem)
    try:
        stored = passwords.hash_password(password)
    except hashing.Busy:
        return _busy("new_password")
    # Read again, since it could be done elsewhere while the hash ran; closing it is what only one request can do.
    opened = sessions.find_open_steps(steps_token, now)
    if opened is None or not sessions.close_steps(opened):
        db.session.rollback()
        return Gone()
    account = accounts.get(opened.account_id)
    accounts.store_password(account, stored, now)
    sessions.end_all(account.id, "password_changed", now)
    audit.record("password_change", account_id=account.id, actor_id=account.id, reason="temporary_password")
    if browser.session is not None and browser.session.account_id == account.id:
        browser = replace(browser, session=None)  # it has just ended with the others
    return _start(account, browser, None, shared_computer=opened.shared_computer, now=now)


def _reserve(kind: str, subject: str, now: datetime) -> Reserved | Wait:
    """Take a try from the budget and commit: before the hash, or parallel guesses would not share one budget.

    A try that waits costs no hash, so it writes nothing, either: a stranger would fill the record with it.
    """
    reserved = throttle.reserve(kind, subject, now)
    db.session.commit()
    return reserved


def _judge(reserved: Reserved, password: str, credentials: Credentials, now: datetime) -> Match:
    """Compare a password. Raises Busy when its turn did not come: nothing was judged, so nothing is counted."""
    try:
        return passwords.matches(password, credentials, now)
    except hashing.Busy:
        throttle.release(reserved)
        db.session.commit()
        raise


def _busy(door: str) -> Busy:
    metrics.count_refusal("busy", door)
    return Busy()


def _is_admitted(known: Known, match: Match, now: datetime) -> bool:
    return match in {Match.PASSWORD, Match.TEMPORARY} and accounts.note_log_in(known, now)


def _rehashed(password: str, known: Known) -> str | None:
    """Hash anew with today's pepper and cost, for an account that may log in: at its next log-in when many wait."""
    if known.is_disabled or not passwords.needs_rehash(known.credentials.stored):
        return None
    if hashing.expected_wait() > _LONGEST_WAIT_FOR_REHASH:
        return None
    try:
        return passwords.hash_password(password)
    except hashing.Busy:
        return None


def _reason(known: Known | None, match: Match) -> str:
    if known is None:
        return "unknown_username"
    if match is Match.NOTHING:
        return "wrong_password"
    if match is Match.EXPIRED:
        return "temporary_password_expired"
    return "account_disabled" if known.is_disabled else "account_changed"


def _admit(attempt: Attempt, account: Account, open_steps: list[str], now: datetime) -> LoggedIn | StepsOpen:
    if not open_steps:
        return _start(account, attempt.browser, attempt.client_id, shared_computer=attempt.shared_computer, now=now)
    token = sessions.open_steps(account, open_steps, amr=_AMR, shared_computer=attempt.shared_computer, now=now)
    audit.record(LOG_IN, account_id=account.id, client_id=attempt.client_id, steps=open_steps)
    db.session.commit()
    return StepsOpen(token, open_steps[0])


def _start(
    account: Account, browser: Browser, client_id: str | None, *, shared_computer: bool, now: datetime
) -> LoggedIn:
    """Give the browser a session of this account, and commit. What session it had of another one ends."""
    had = browser.session
    if had is not None and had.account_id != account.id:
        sessions.end(had.id, "switched_account", now)
        audit.record("log_out", account_id=had.account_id, actor_id=had.account_id, reason="switched_account")
        had = None
    if had is None:
        token = sessions.start(
            account,
            amr=_AMR,
            shared_computer=shared_computer,
            user_agent=browser.user_agent,
            address=browser.address,
            now=now,
        )
    else:
        token = sessions.renew(had, amr=_AMR, now=now, shared_computer=shared_computer)
    audit.record(LOG_IN, account_id=account.id, actor_id=account.id, client_id=client_id)
    db.session.commit()
    return LoggedIn(token, shared_computer)
