"""What the team does about a request: notes, calls, replies by mail, whose turn it is, whose account it is about.

Of two people who answer at once, or of one who presses twice, the second is told (`turns`), and what they typed is
still there.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from idp import settings
from idp.accounts.models import Account
from idp.audit import service as audit
from idp.database import db
from idp.mail import service as mail
from idp.support import queue, turns
from idp.support.models import CLOSED, MAIL, NOTE, PHONE, STATE, STATES, LogEntry, Ticket
from idp.support.turns import Overtaken, Unfit


@dataclass(frozen=True, slots=True)
class Seen:
    """Which request a form is about, what it had seen of it, and who has sent the form."""

    number: str
    version: str
    actor_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Done:
    """The request after what was done."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such request, or no longer."""


Outcome = Done | Unknown | Overtaken | Unfit


def version(ticket: Ticket) -> str:
    """Return what a form carries to say which state of a request it was filled in for."""
    return turns.version(ticket.changed_at)


def note(seen: Seen, text: str, now: datetime) -> Outcome:
    """Keep something for the team alone."""
    return _add(seen, NOTE, text, None, now)


def call(seen: Seen, text: str, state: str, now: datetime) -> Outcome:
    """Keep what became of a phone call (R55), and whose turn it is now."""
    return _add(seen, PHONE, text, state, now)


def move(seen: Seen, state: str, now: datetime) -> Outcome:
    """Say whose turn it is."""
    return _add(seen, STATE, "", state, now)


def reply(seen: Seen, text: str, state: str, now: datetime) -> Outcome:
    """Mail the family (R59): the letter is in its language, and what was typed stands in it as it is."""
    ticket = _take(seen, now)
    if not isinstance(ticket, Ticket):
        return ticket
    try:
        message = mail.send(
            "support/reply",
            ticket.email,
            now=now,
            language=ticket.language,
            account_id=ticket.account_id,
            number=ticket.number,
            name=ticket.name,
            typed=text,
            where=f"{settings.current().server.issuer}/support/ticket",
        )
    except ValueError:
        db.session.rollback()
        return Unfit(_("This request has no address that mail can be sent to. Call the family."))
    _log(seen, ticket, MAIL, now, text=text, message_id=message.id)
    return _finish(seen, ticket, state, now)


def match(seen: Seen, account_id: uuid.UUID | None, now: datetime) -> Outcome:
    """Say whose account a request is about, or take that back. It gives nobody anything: only acts on a person do."""
    ticket = _take(seen, now)
    if not isinstance(ticket, Ticket):
        return ticket
    if account_id is not None and db.session.get(Account, account_id) is None:
        db.session.rollback()
        return Unfit(_("This account is no longer there."))
    audit.record(
        "support_match" if account_id else "support_match_undo",
        actor_id=seen.actor_id,
        account_id=account_id or ticket.account_id,
        request=ticket.number,
    )
    ticket.account_id = account_id
    return _finish(seen, ticket, None, now)


def _add(seen: Seen, kind: str, text: str, state: str | None, now: datetime) -> Outcome:
    ticket = _take(seen, now)
    if not isinstance(ticket, Ticket):
        return ticket
    if kind != STATE:
        _log(seen, ticket, kind, now, text=text)
    return _finish(seen, ticket, state, now)


def _take(seen: Seen, now: datetime) -> Ticket | Unknown | Overtaken:
    ticket = queue.find_by_number(seen.number)
    return Unknown() if ticket is None else turns.take(ticket, Ticket.changed_at, seen.version, now)


def _finish(seen: Seen, ticket: Ticket, state: str | None, now: datetime) -> Done:
    """Move the request to its new state, if it gets one, and commit."""
    if state in STATES and state != ticket.state:
        ticket.state = state
        ticket.closed_at = now if state == CLOSED else None
        _log(seen, ticket, STATE, now, state=state)
    db.session.commit()
    return Done(ticket)


def _log(
    seen: Seen,
    ticket: Ticket,
    kind: str,
    now: datetime,
    *,
    text: str = "",
    state: str = "",
    message_id: uuid.UUID | None = None,
) -> None:
    db.session.add(
        LogEntry(
            ticket_id=ticket.id,
            actor_id=seen.actor_id,
            kind=kind,
            text=text,
            state=state,
            message_id=message_id,
            at=now,
        )
    )
