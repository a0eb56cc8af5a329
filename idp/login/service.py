"""Logging in: at the log-in page, and once more before a sensitive act."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from idp import sealing
from idp.accounts import hashing, passwords, usernames
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.accounts.passwords import Match
from idp.accounts.service import Known
from idp.audit import service as audit
from idp.database import db
from idp.login import expired, password_check, steps
from idp.login.password_check import Busy, Refused, Unlooked
from idp.login.robot import ChallengeNeeded, Evidence
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession
from idp.throttle import tries
from idp.throttle.ladder import Stopped
from idp.throttle.rules import LOG_IN, REAUTHENTICATION, Wait
from idp.throttle.tries import Tried
from idp.web import metrics
from idp.web.language import Spoken

AMR = ["pwd"]  # RFC 8176 section 2
_LONGEST_WAIT_FOR_REHASH = 1.0  # seconds: the person has waited for one hash already


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser that somebody logs in with."""

    session: ActiveSession | None
    """The session it has had until now."""
    user_agent: str
    address: str
    spoken: Spoken | None = None
    """The language of the page that somebody logs in by."""
    evidence: Evidence = field(default_factory=Evidence)
    is_known: bool = False
    """Whether this very log-in has shown that it is known at the username."""


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
    device: str | None = field(default=None, repr=False)
    """The token by which the browser is known from now on; None on a shared computer, and where nothing changes."""


@dataclass(frozen=True, slots=True)
class StepsOpen:
    """The password was right, and something has to be done before there is a session."""

    token: str = field(repr=False)
    step: str


@dataclass(frozen=True, slots=True)
class Expired:
    """A temporary password was right, but it has run out; by the offer its owner can ask for a new one."""

    offer: str = field(repr=False)


_COUNTED_AS = {
    LoggedIn: "success",
    StepsOpen: "steps_open",
    Refused: "refused",
    Expired: "refused",
    Wait: "wait",
    Stopped: "stopped",
    ChallengeNeeded: "robot_check",
    Busy: "busy",
}


def log_in(attempt: Attempt, now: datetime) -> LoggedIn | StepsOpen | Refused | Expired | Unlooked | Busy:
    """Check a username and password, and record the attempt whatever its outcome."""
    outcome = _log_in(attempt, now)
    metrics.count_log_in(_COUNTED_AS[type(outcome)])
    return outcome


def _log_in(attempt: Attempt, now: datetime) -> LoggedIn | StepsOpen | Refused | Expired | Unlooked | Busy:
    key = usernames.key(attempt.username)
    try:
        hashing.expect_turn()
        tried = password_check.reserve(LOG_IN, key, attempt.browser.evidence, now)
        if not isinstance(tried, Tried):
            return tried
        known = accounts.find_known(key)
        db.session.rollback()  # it was only read: no transaction stays open during the hash
        credentials = known.credentials if known else passwords.of_nobody()
        match = password_check.judge(tried, attempt.password, credentials, now)
    except hashing.Busy:
        return password_check.busy(LOG_IN)
    rehashed = _rehashed(attempt.password, known) if match is Match.PASSWORD and known else None
    if known is None or not _is_admitted(known, match, now):
        tries.settle(tried, succeeded=False, now=now)
        # For a username that nobody has, too: one write less would show on the clock. Each row costs a hash of ours, so
        # a stranger who keeps every core busy adds some 100 MB a day and core (250 bytes, five hashes a second).
        audit.record(
            LOG_IN,
            audit.FAILURE,
            account_id=known.account_id if known else None,
            client_id=attempt.client_id,
            reason=password_check.reason(known, match),
        )
        password_check.tell_of_stop(tried, known, now)
        db.session.commit()
        if known is not None and match is Match.EXPIRED and not known.is_disabled:
            return Expired(expired.offer(known, now))
        return Refused(tried.level)
    tries.settle(tried, succeeded=True, now=now)
    if rehashed and known.credentials.stored:
        accounts.replace_hash(known.account_id, known.credentials.stored, rehashed)
    account = accounts.get(known.account_id)
    if spoken := attempt.browser.spoken:
        accounts.learn_language(account, spoken.code, is_picked=spoken.is_picked, now=now)
    wanted = steps.needed(match, account, has_security_email=known.has_security_email)
    shared_computer, browser = attempt.shared_computer, replace(attempt.browser, is_known=tried.is_known)
    return admit(account, browser, wanted, attempt.client_id, shared_computer=shared_computer, now=now)


def reauthenticate(
    session: ActiveSession, password: str, evidence: Evidence, now: datetime
) -> LoggedIn | Refused | Unlooked | Busy:
    """Check the password of somebody who is logged in, and renew the session: before an act that can do harm."""
    checked = password_check.check(session.account_id, password, REAUTHENTICATION, evidence, now)
    if not isinstance(checked, Known):
        return checked
    token = sessions.renew(session, amr=AMR, now=now)
    audit.record(REAUTHENTICATION, account_id=session.account_id, actor_id=session.account_id)
    db.session.commit()
    return LoggedIn(token, session.shared_computer)


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


def admit(
    account: Account,
    browser: Browser,
    open_steps: list[str],
    client_id: str | None = None,
    *,
    shared_computer: bool,
    now: datetime,
) -> LoggedIn | StepsOpen:
    """Give the browser a session, or what has to be done before there is one, and commit."""
    if not open_steps:
        return start(account, browser, client_id, shared_computer=shared_computer, now=now)
    token = sessions.open_steps(account, open_steps, amr=AMR, shared_computer=shared_computer, now=now)
    audit.record(LOG_IN, account_id=account.id, client_id=client_id, steps=open_steps)
    db.session.commit()
    return StepsOpen(token, open_steps[0])


def start(
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
            amr=AMR,
            shared_computer=shared_computer,
            user_agent=browser.user_agent,
            address=browser.address,
            now=now,
        )
    else:
        token = sessions.renew(had, amr=AMR, now=now, shared_computer=shared_computer)
    device = None if shared_computer else browser.evidence.device or sealing.random_token()
    if device is not None and not browser.is_known:
        tries.remember_browser(device, account.username_key, now)
    audit.record(LOG_IN, account_id=account.id, actor_id=account.id, client_id=client_id)
    db.session.commit()
    return LoggedIn(token, shared_computer, device)
