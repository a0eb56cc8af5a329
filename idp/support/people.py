"""What the team sees of people: a search, and one person with what helps them. Reads only."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from idp import search
from idp.accounts import security_emails, usernames
from idp.accounts.models import Account, SecurityEmail
from idp.accounts.security_emails import Status
from idp.database import db
from idp.mail.models import OutboxMessage
from idp.support import queue
from idp.support.models import Ticket
from idp.throttle import tries

_MOST_FOUND = 50
_MOST_MESSAGES = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found, by name."""

    accounts: list[Account]
    is_cut: bool
    """Whether there is more of it than is shown."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and what the team has to know to help them."""

    account: Account
    security_email: Status
    messages: list[OutboxMessage]
    """The last ones to them, the newest first, with what became of each (R42)."""
    tickets: list[Ticket]
    waits_until: datetime | None
    """Until when a log-in or a password is not looked at, for too many wrong ones, in a browser that is not known."""
    is_stopped: bool
    """Whether so many were wrong that it is looked at in known browsers only."""


def find(typed: str) -> Found:
    """Return people whose name, username or address on file begins with what was typed, or whose security email it is.

    Each is one stretch of an index, so that it costs the same in a small district and in a large one.
    """
    found: dict[uuid.UUID, Account] = {}
    for column, condition in _stretches(typed):
        chosen = select(Account).where(condition).order_by(column).limit(_MOST_FOUND + 1)
        found |= {account.id: account for account in db.session.scalars(chosen)}
    found |= {account.id: account for account in _by_security_email(typed)}
    ordered = sorted(found.values(), key=lambda account: (account.name_key, account.username_key))
    return Found(ordered[:_MOST_FOUND], is_cut=len(ordered) > _MOST_FOUND)


def show(account: Account, now: datetime) -> Person:
    """Return all that is known of one person."""
    latest = select(OutboxMessage).where(OutboxMessage.account_id == account.id).order_by(OutboxMessage.id.desc())
    return Person(
        account,
        security_emails.status(account.id),
        list(db.session.scalars(latest.limit(_MOST_MESSAGES))),
        queue.of_account(account.id),
        waits_until(account, now),
        tries.is_stopped(account.username_key, now),
    )


def waits_until(account: Account, now: datetime) -> datetime | None:
    """Return until when nobody's tries at this account are looked at; None when they are."""
    return tries.waits_until(account.username_key, now)


def get(text: str) -> Account | None:
    """Return the account whose id stands in an address."""
    try:
        return db.session.get(Account, uuid.UUID(text))
    except ValueError:
        return None


def _stretches(typed: str) -> Iterator[tuple[InstrumentedAttribute[str], ColumnElement[bool]]]:
    for turn in search.name_turns(typed):
        yield Account.name_key, search.begins_with(Account.name_key, turn)
    yield Account.username_key, search.begins_with(Account.username_key, usernames.key(typed))
    yield Account.email_key, search.begins(Account.email_key, typed)


def _by_security_email(typed: str) -> list[Account]:
    """Return whose security email is just this: by the whole of it alone, since the team is not shown it."""
    address = typed.strip()
    if "@" not in address or len(address) > 320:
        return []
    chosen = (
        select(Account)
        .join(SecurityEmail, SecurityEmail.account_id == Account.id)
        .where(SecurityEmail.address_key == security_emails.key(address))
        .limit(_MOST_FOUND)
    )
    return list(db.session.scalars(chosen))
