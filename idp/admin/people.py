"""Adding and changing accounts: what the console and the command line do, decided, recorded and committed."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from idp import settings
from idp.accounts import addresses, details, letters, security_emails, usernames
from idp.accounts import service as accounts
from idp.accounts.addresses import Address, Problem
from idp.accounts.models import Account
from idp.accounts.service import UsernameTaken
from idp.audit import service as audit
from idp.clients import service as clients
from idp.database import db
from idp.recovery import first_password
from idp.recovery.first_password import NoAddress
from idp.sessions import service as sessions

_NO_ADDRESS = "There is no email address on file that mail can be sent to."


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is known of somebody who is to get an account."""

    username: str
    role: str
    name: str = ""
    given_name: str = ""
    family_name: str = ""
    email: str | None = None
    language: str = ""
    security_email: str | None = None
    """An address that the district itself has verified: nobody is asked for one at the first log-in."""


@dataclass(frozen=True, slots=True)
class WithTemporaryPassword:
    """An account and its new temporary password: this is the only time that anybody sees it."""

    account: Account
    temporary_password: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Mailed:
    """An account, and where its username and the way to a first password were mailed to."""

    account: Account
    address: str


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


def add(
    new: NewAccount, *, actor_id: uuid.UUID | None, now: datetime, by_mail: bool = False
) -> WithTemporaryPassword | Mailed | Invalid | Taken:
    """Make an account that opens with a temporary password, which is returned, or mailed with the username (R7)."""
    problem = usernames.problem(new.username)
    problem = problem or details.problem(new.name, new.given_name, new.family_name, new.email)
    problem = problem or _language_problem(new.language)
    recovery = addresses.check(new.security_email) if new.security_email is not None else None
    if isinstance(recovery, Problem):
        problem = problem or recovery.words
    if problem is not None:
        return Invalid(problem)
    if by_mail and not new.email:
        return Invalid(_NO_ADDRESS)
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
            language=new.language,
            now=now,
        )
    except UsernameTaken:
        db.session.rollback()
        return Taken()
    issued = _mail(account, actor_id, now) if by_mail else _issue(account, now)
    audit.record("account_add", actor_id=actor_id, account_id=account.id, role=account.role)
    if isinstance(recovery, Address):
        security_emails.set_verified(account.id, recovery.text, now)
        audit.record("security_email_verified", actor_id=actor_id, account_id=account.id, by="district")
    db.session.commit()
    return issued


def _language_problem(language: str) -> str | None:
    offered = settings.current().district.languages
    if not language or language in offered:
        return None
    return f"the district offers no language {language!r}, but {', '.join(offered)}"


def rename(
    username: str, new_username: str, *, actor_id: uuid.UUID | None, now: datetime, reason: str = ""
) -> Changed | Invalid | Taken | Unknown:
    """Give an account another username, and mail the new one (R47).

    Sessions go on, and applications see no change: they know the person by another id.
    """
    account = accounts.find_by_username(username)
    if account is None:
        return Unknown()
    if problem := usernames.problem(new_username):
        return Invalid(problem)
    if clients.is_client_id(new_username):
        return Taken()
    old = account.username
    try:
        accounts.rename(account, new_username, now)
        db.session.flush()
    except (UsernameTaken, IntegrityError):  # the second is for somebody who was given it at this very moment
        db.session.rollback()
        return Taken()
    details = {"reason": reason} if reason else {}
    audit.record("account_rename", actor_id=actor_id, account_id=account.id, **details)
    _tell_of_new_username(account, old, now)
    db.session.commit()
    return Changed(account)


def put_on_file(username: str, email: str, *, actor_id: uuid.UUID | None, now: datetime) -> Changed | Invalid | Unknown:
    """Note a person's new contact address; neither the username nor the security email changes by it (R46)."""
    account = accounts.find_by_username(username)
    if account is None:
        return Unknown()
    if problem := details.problem("", "", "", email):
        return Invalid(problem)
    if email != account.email:
        accounts.put_on_file(account, email, now)
        audit.record("contact_email_changed", actor_id=actor_id, account_id=account.id)
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


def mail_first_password(username: str, *, actor_id: uuid.UUID | None, now: datetime) -> Mailed | Invalid | Unknown:
    """Likewise, but mail the temporary password, or the link in its place, to the address on file."""
    account = accounts.find_by_username(username)
    if account is None:
        return Unknown()
    try:
        mailed = _mail(account, actor_id, now)
    except NoAddress:
        return Invalid(_NO_ADDRESS)
    db.session.commit()
    return mailed


def _mail(account: Account, actor_id: uuid.UUID | None, now: datetime) -> Mailed:
    first_password.send(account, now, actor_id)
    return Mailed(account, account.email or "")


def _tell_of_new_username(account: Account, old: str, now: datetime) -> None:
    """Mail it to the address on file and to the verified security email: whoever did not ask for it hears of it."""
    verified = security_emails.status(account.id).verified
    addresses = {security_emails.key(one): one for one in (account.email, verified) if one}
    for address in addresses.values():
        letters.tell("admin/username_changed", account, address, now, old_username=old)


def _issue(account: Account, now: datetime) -> WithTemporaryPassword:
    first_password.forget_links(account, now)
    temporary = accounts.issue_temporary_password(account, now)
    return WithTemporaryPassword(account, temporary, account.temporary_password_expires_at or now)
