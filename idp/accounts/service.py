"""Keeping accounts. Nothing here commits: the journey that calls does, together with its audit event."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import undefer

from idp import sealing, search, settings
from idp.accounts import passwords, usernames
from idp.accounts.models import GUARDIAN, ROLES, Account, SecurityEmail
from idp.accounts.passwords import Credentials
from idp.database import db, upsert
from idp.ids import new_id
from idp.throttle import tries


class UsernameTaken(Exception):
    """Somebody has this username, or one that can't be told from it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a log-in needs to know of an account before its password is checked."""

    account_id: uuid.UUID
    username_key: str
    is_disabled: bool
    password_changed_at: datetime | None
    credentials: Credentials
    has_security_email: bool
    """Whether an address was entered for recovery, verified or not."""


_AT_ONCE = 500
_KNOWN = (
    Account.id,
    Account.username_key,
    Account.disabled_at,
    Account.password_changed_at,
    Account.password_hash,
    Account.temporary_password_digest,
    Account.temporary_password_expires_at,
    select(SecurityEmail.id).where(SecurityEmail.account_id == Account.id).exists(),
)


def find_by_username(username: str) -> Account | None:
    """Return the account that a username names, however it was typed."""
    return db.session.scalar(select(Account).where(Account.username_key == usernames.key(username)))


def get(account_id: uuid.UUID) -> Account:
    """Return an account. Raises LookupError when there is none."""
    account = db.session.get(Account, account_id)
    if account is None:
        raise LookupError(f"no account {account_id}")
    return account


def get_with_credentials(account_id: uuid.UUID) -> Account:
    """Return an account as the database has it now, its digests included. Raises LookupError when there is none."""
    digests = (undefer(Account.password_hash), undefer(Account.temporary_password_digest))
    account = db.session.get(Account, account_id, options=digests, populate_existing=True)
    if account is None:
        raise LookupError(f"no account {account_id}")
    return account


def find_known(username_key: str) -> Known | None:
    """Return what a log-in compares with, as plain values that need no open transaction."""
    return _known(select(*_KNOWN).where(Account.username_key == username_key))


def get_known(account_id: uuid.UUID) -> Known:
    """Return the same for an account by its id. Raises LookupError when there is none."""
    known = _known(select(*_KNOWN).where(Account.id == account_id))
    if known is None:
        raise LookupError(f"no account {account_id}")
    return known


def iterate(role: str | None = None) -> Iterator[Account]:
    """Yield all accounts, or those of one role, in the order of their usernames; never all of them are in memory."""
    chosen = select(Account).order_by(Account.username_key)
    chosen = chosen if role is None else chosen.where(Account.role == role)
    yield from db.session.scalars(chosen.execution_options(yield_per=_AT_ONCE))


def create(
    username: str,
    *,
    role: str = GUARDIAN,
    name: str = "",
    given_name: str = "",
    family_name: str = "",
    email: str | None = None,
    language: str = "",
    now: datetime,
) -> Account:
    """Add an account that can't log in yet. Raises UsernameTaken, and ValueError for a username that has a problem."""
    if problem := usernames.problem(username):
        raise ValueError(problem)
    if role not in ROLES:
        raise ValueError(f"no role {role!r}")
    values = {
        "id": new_id(),
        "username": usernames.clean(username),
        "username_key": usernames.key(username),
        "role": role,
        "name": name,
        "given_name": given_name,
        "family_name": family_name,
        "email": email,
        "email_verified": False,
        "name_key": search.name_key(name, family_name),
        "email_key": search.fold(email or ""),
        "locale": language,
        "created_at": now,
        "updated_at": now,
    }
    row = upsert(Account).values(values)
    added = row.on_conflict_do_nothing(index_elements=["username_key"]).returning(Account.id)
    account_id = db.session.execute(added).scalar()
    if account_id is None:
        raise UsernameTaken
    return get(account_id)


def rename(account: Account, username: str, now: datetime) -> None:
    """Give an account another username; its id stays. Raises UsernameTaken, and ValueError as create does."""
    if problem := usernames.problem(username):
        raise ValueError(problem)
    key = usernames.key(username)
    # The constraint on the key still holds against a rename at the same moment: that one fails as a whole.
    if db.session.scalar(select(Account.id).where(Account.username_key == key, Account.id != account.id)):
        raise UsernameTaken
    account.username, account.username_key, account.updated_at = usernames.clean(username), key, now


def put_on_file(account: Account, email: str, now: datetime) -> None:
    """Keep the contact address that the district has now; the username stays, even if it is the one before (R46)."""
    account.email, account.email_key, account.email_verified = email, search.fold(email), False
    account.updated_at = now


def learn_language(account: Account, language: str, *, is_picked: bool, now: datetime) -> None:
    """Note in which language somebody came to log in: one that they picked, or any where none is known yet."""
    if account.locale != language and (is_picked or not account.locale):
        account.locale, account.updated_at = language, now


def disable(account: Account, now: datetime) -> None:
    """Close an account; whoever calls ends its sessions in the same transaction."""
    account.disabled_at, account.updated_at = now, now


def enable(account: Account, now: datetime) -> None:
    """Open an account that was closed."""
    account.disabled_at, account.updated_at = None, now


def issue_temporary_password(account: Account, now: datetime) -> str:
    """Return a new temporary password, good for some days; whatever password there was no longer works."""
    temporary = passwords.new_temporary()
    account.password_hash = None
    account.temporary_password_digest = sealing.digest(temporary)
    account.temporary_password_expires_at = now + timedelta(days=settings.current().passwords.temporary_days)
    account.updated_at = now
    tries.begin_anew(account.username_key)
    return temporary


def set_password(account: Account, password: str, now: datetime) -> None:
    """Hash a password and keep it, for a caller that holds nothing that others wait for; see store_password."""
    store_password(account, passwords.hash_password(password), now)


def store_password(account: Account, stored: str, now: datetime) -> None:
    """Keep what passwords.hash_password() made of a new password; a temporary one is spent by this."""
    account.password_hash = stored
    account.temporary_password_digest = account.temporary_password_expires_at = None
    account.password_changed_at = account.updated_at = now


def forget_password(account: Account, now: datetime) -> None:
    """Let no password work any more, for an account whose password somebody else knows: a new one comes by mail."""
    account.password_hash = account.temporary_password_digest = account.temporary_password_expires_at = None
    account.password_changed_at = account.updated_at = now
    tries.begin_anew(account.username_key)


def put_off_security_email(account_id: uuid.UUID, most: int, now: datetime) -> bool:
    """Count that entering a security email was put off; False when that was done as often as it may be."""
    counted = db.session.execute(
        update(Account)
        .where(Account.id == account_id, Account.security_email_put_off < most)
        .values(security_email_put_off=Account.security_email_put_off + 1, updated_at=now)
        .returning(Account.id)
    )
    return counted.first() is not None


def replace_password(known: Known, stored: str, now: datetime) -> bool:
    """Keep a new password's hash; False when the account was closed or its password changed since it was known."""
    replaced = db.session.execute(
        update(Account)
        .where(Account.id == known.account_id, Account.disabled_at.is_(None), *_unchanged(known))
        .values(
            password_hash=stored,
            temporary_password_digest=None,
            temporary_password_expires_at=None,
            password_changed_at=now,
            updated_at=now,
        )
        .returning(Account.id)
    )
    return replaced.first() is not None


def replace_hash(account_id: uuid.UUID, old: str, new: str) -> None:
    """Keep the same password's hash of a new cost or pepper, unless the password was changed meanwhile."""
    db.session.execute(
        update(Account).where(Account.id == account_id, Account.password_hash == old).values(password_hash=new)
    )


def note_log_in(known: Known, now: datetime) -> bool:
    """Note that what was typed was right; False when the account was closed or its password changed meanwhile.

    One statement that locks the row: a log-in whose hash was under way when an admin closed the account is refused.
    """
    noted = db.session.execute(
        update(Account)
        .where(Account.id == known.account_id, Account.disabled_at.is_(None), *_unchanged(known))
        .values(last_log_in_at=now)
        .returning(Account.id)
    )
    return noted.first() is not None


def _unchanged(known: Known) -> tuple[ColumnElement[bool], ...]:
    # IS NOT DISTINCT FROM: most of these are NULL. The hash itself is not compared, since a rehash changes it.
    return (
        Account.password_changed_at.is_not_distinct_from(known.password_changed_at),
        Account.temporary_password_digest.is_not_distinct_from(known.credentials.temporary_digest),
    )


def _known(
    query: Select[uuid.UUID, str, datetime | None, datetime | None, str | None, bytes | None, datetime | None, bool],
) -> Known | None:
    row = db.session.execute(query).first()
    if row is None:
        return None
    account_id, username_key, disabled_at, changed_at, stored, digest, expires_at, has_email = row
    credentials = Credentials(stored, digest, expires_at)
    return Known(account_id, username_key, disabled_at is not None, changed_at, credentials, bool(has_email))
