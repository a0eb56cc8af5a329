"""What the team sees of requests for support: queue, search, and one request with all that was done. Reads only."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp import search
from idp.accounts.models import Account
from idp.database import db
from idp.mail.models import OutboxMessage
from idp.support.models import CLOSED, STATE, STATES, LogEntry, Ticket

PAGE_SIZE = 50
MOST_COUNTED = 100
"""Nobody works by a larger number, and counting to it costs the same in every year."""
_MOST_FOUND = 50
_MOST_ENTRIES = 200
_MOST_EARLIER = 20
_MOST_MESSAGES = 10
DIGITS = 8
"""Of a request's number."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a tab of the queue."""

    tickets: list[Ticket]
    next: str
    """The cursor of the page after it; nothing when this is the last one."""
    is_first: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has found."""

    tickets: list[Ticket]
    is_cut: bool
    """Whether there is more of it than is shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done about a request."""

    kind: str
    state: str
    text: str
    at: datetime
    by: str
    """Who did it; nothing for what the program did by itself, and for somebody whose account is gone."""
    is_mail: bool
    """Whether a message belongs to it."""
    message: OutboxMessage | None
    """The message, as long as the outbox keeps it."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One request, and all that the team has to know to answer it."""

    ticket: Ticket
    account: Account | None
    entries: list[Entry]
    """The oldest first."""
    earlier: list[Ticket]
    """Other requests of the same account or from the same address, the newest first."""
    messages: list[OutboxMessage]
    """The last ones to the address that the family has given, whatever they are about, the newest first (R42)."""


def counts() -> dict[str, int]:
    """Return how many requests are in each state: exact up to a hundred, and one more for anything above."""
    return {state: _count(state) for state in STATES}


def page(state: str, after: str) -> Page:
    """Return a page of one tab, the oldest first, of what is closed the newest; any other cursor gives the first."""
    cursor, backwards = _cursor(after), state == CLOSED
    chosen = select(Ticket).where(Ticket.state == state)
    if cursor is not None:
        chosen = chosen.where(Ticket.id < cursor if backwards else Ticket.id > cursor)
    chosen = chosen.order_by(Ticket.id.desc() if backwards else Ticket.id).limit(PAGE_SIZE + 1)
    found = list(db.session.scalars(chosen))
    shown = found[:PAGE_SIZE]
    return Page(shown, shown[-1].id.hex if len(found) > PAGE_SIZE else "", cursor is None)


def find(typed: str) -> Found:
    """Return the requests with a number, or of people whose name begins with what was typed."""
    digits = "".join(character for character in typed[:40] if character not in " -")
    if len(digits) == DIGITS and digits.isascii() and digits.isdecimal():
        ticket = find_by_number(digits)
        return Found([] if ticket is None else [ticket], is_cut=False)
    found: dict[uuid.UUID, Ticket] = {}
    for turn in search.name_turns(typed):
        chosen = select(Ticket).where(search.begins_with(Ticket.name_key, turn))
        rows = db.session.scalars(chosen.order_by(Ticket.name_key).limit(_MOST_FOUND + 1))
        found |= {row.id: row for row in rows}
    newest = sorted(found.values(), key=lambda ticket: ticket.created_at, reverse=True)
    return Found(newest[:_MOST_FOUND], is_cut=len(newest) > _MOST_FOUND)


def find_by_number(number: str) -> Ticket | None:
    """Return the request with a number."""
    return db.session.scalar(select(Ticket).where(Ticket.number == number))


def sheet(ticket: Ticket) -> Sheet:
    """Return a request with its log, its account and the family's other requests."""
    account = None if ticket.account_id is None else db.session.get(Account, ticket.account_id)
    return Sheet(ticket, account, _entries(ticket.id), _earlier(ticket), _mailed(ticket.email))


def of_account(account_id: uuid.UUID) -> list[Ticket]:
    """Return an account's latest requests, the newest first."""
    chosen = select(Ticket).where(Ticket.account_id == account_id).order_by(Ticket.id.desc()).limit(_MOST_EARLIER)
    return list(db.session.scalars(chosen))


def _count(state: str) -> int:
    few = select(Ticket.state).where(Ticket.state == state).limit(MOST_COUNTED + 1)
    return len(db.session.scalars(few).all())


def _cursor(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _entries(ticket_id: uuid.UUID) -> list[Entry]:
    chosen = select(LogEntry).where(LogEntry.ticket_id == ticket_id).order_by(LogEntry.id.desc()).limit(_MOST_ENTRIES)
    rows = sorted(db.session.scalars(chosen), key=lambda row: (row.at, row.kind == STATE, row.id))
    names = _names(row.actor_id for row in rows)
    messages = _messages(row.message_id for row in rows)
    return [
        Entry(
            row.kind,
            row.state,
            row.text,
            row.at,
            names.get(row.actor_id, ""),
            row.message_id is not None,
            messages.get(row.message_id),
        )
        for row in rows
    ]


def _names(account_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    wanted = set(account_ids) - {None}
    if not wanted:
        return {}
    rows = db.session.execute(select(Account.id, Account.name, Account.username).where(Account.id.in_(wanted)))
    return {account_id: name or username for account_id, name, username in rows}


def _messages(message_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID | None, OutboxMessage]:
    wanted = set(message_ids) - {None}
    if not wanted:
        return {}
    return {row.id: row for row in db.session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(wanted)))}


def _mailed(address: str) -> list[OutboxMessage]:
    if not address:
        return []
    chosen = select(OutboxMessage).where(OutboxMessage.recipient == address).order_by(OutboxMessage.id.desc())
    return list(db.session.scalars(chosen.limit(_MOST_MESSAGES)))


def _earlier(ticket: Ticket) -> list[Ticket]:
    """Return the family's other requests; two statements, since each of them has its index."""
    found = [] if ticket.account_id is None else of_account(ticket.account_id)
    if ticket.email:
        same = select(Ticket).where(Ticket.email == ticket.email).order_by(Ticket.id.desc()).limit(_MOST_EARLIER + 1)
        found += db.session.scalars(same)
    others = {row.id: row for row in found if row.id != ticket.id}
    return sorted(others.values(), key=lambda row: row.created_at, reverse=True)[:_MOST_EARLIER]
