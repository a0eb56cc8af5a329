"""Adding and changing accounts: what the console and the command line do, decided, recorded and committed."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from idp.accounts import addresses, details, security_emails, usernames
from idp.accounts import service as accounts
from idp.accounts.addresses import Address, Problem
from idp.accounts.models import Account
from idp.accounts.service import UsernameTaken
from idp.audit import service as audit
from idp.clients import service as clients
from idp.database import db
from idp.sessions import service as sessions


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is known of somebody who is to get an account."""

    username: str
    role: str
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    email: str | None = None
    security_email: str | None = None
    """An address that the district itself has verified: nobody is asked for one at the first log-in."""


@dataclass(frozen=True, slots=True)
class WithTemporaryPassword:
    """An account and its new temporary password: this is the only time that anybody sees it."""

    account: Account
    temporary_password: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """An account after a change, and how many of its sessions ended by it."""

    account: Account
    ended_sessions: int = 0


@dataclass(frozen=True, slots=True)
class Invalid:
    """What was given can't be taken, and why; nothing was changed."""

    problem: str


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody has this username, or one that can't be told from it; or it is an application's id (RFC 9700 4.15)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such account."""


def add(new: NewAccount, *, actor_id: uuid.UUID | None, now: datetime) -> WithTemporaryPassword | Invalid | Taken:
    """Make an account that opens with a temporary password."""
    problem = usernames.problem(new.username)
    problem = problem or details.problem(new.name, new.given_name, new.family_name, new.email)
    recovery = addresses.check(new.security_email) if new.security_email is not None else None
    if isinstance(recovery, Problem):
        problem = problem or recovery.words
    if problem is not None:
        return Invalid(problem)
    if clients.is_client_id(new.username):
        return Taken()
    try:
        account = accounts.create(
            new.username,
            role=new.role,
            name=new.name or f"{new.given_name} {new.family_name}".strip(),
            given_name=new.given_name,
            family_name=new.family_name,
            email=new.email,
            now=now,
        )
    except UsernameTaken:
        db.session.rollback()
        return Taken()
    issued = _issue(account, now)
    audit.record("account_add", actor_id=actor_id, account_id=account.id, role=account.role)
    if isinstance(recovery, Address):
        security_emails.set_verified(account.id, recovery.text, now)
        audit.record("security_email_verified", actor_id=actor_id, account_id=account.id, by="district")
    db.session.commit()
    return issued


def rename(
    username: str, new_username: str, *, actor_id: uuid.UUID | None, now: datetime
) -> Changed | Invalid | Taken | Unknown:
    """Give an account another username. Applications see no change: they know the person by another id."""
    account = accounts.find_by_username(username)
    if account is None:
        return Unknown()
    if problem := usernames.problem(new_username):
        return Invalid(problem)
    if clients.is_client_id(new_username):
        return Taken()
    try:
        accounts.rename(account, new_username, now)
    except UsernameTaken:
        db.session.rollback()
        return Taken()
    audit.record("account_rename", actor_id=actor_id, account_id=account.id)
    db.session.commit()
    return Changed(account)


def disable(username: str, *, actor_id: uuid.UUID | None, now: datetime) -> Changed | Unknown:
    """Close an account and end its sessions; the applications that took part are told."""
    account = accounts.find_by_username(username)
    if account is None:
        return Unknown()
    accounts.disable(account, now)
    # Written before the sessions are read: a log-in under way either is among them or finds the account closed.
    db.session.flush()
    ended = sessions.end_all(account.id, "account_disabled", now)
    audit.record("account_disable", actor_id=actor_id, account_id=account.id, ended_sessions=ended)
    db.session.commit()
    return Changed(account, ended)


def enable(username: str, *, actor_id: uuid.UUID | None, now: datetime) -> Changed | Unknown:
    """Open an account that was closed; its password is the one it had."""
    account = accounts.find_by_username(username)
    if account is None:
        return Unknown()
    accounts.enable(account, now)
    audit.record("account_enable", actor_id=actor_id, account_id=account.id)
    db.session.commit()
    return Changed(account)


def issue_temporary_password(
    username: str, *, actor_id: uuid.UUID | None, now: datetime
) -> WithTemporaryPassword | Unknown:
    """Give an account a temporary password in place of any that it had, and end its sessions."""
    account = accounts.find_by_username(username)
    if account is None:
        return Unknown()
    issued = _issue(account, now)
    db.session.flush()
    ended = sessions.end_all(account.id, "temporary_password", now)
    audit.record("temporary_password", actor_id=actor_id, account_id=account.id, ended_sessions=ended)
    db.session.commit()
    return issued


def _issue(account: Account, now: datetime) -> WithTemporaryPassword:
    temporary = accounts.issue_temporary_password(account, now)
    return WithTemporaryPassword(account, temporary, account.temporary_password_expires_at or now)
