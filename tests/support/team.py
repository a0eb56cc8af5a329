"""What the tests of the support desk share: requests that were sent, and members of the team at work."""

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from idp import clock, search
from idp.accounts.models import Account
from idp.audit.models import AuditEvent
from idp.database import db
from idp.mail.models import OutboxMessage
from idp.support import acts, handling
from idp.support.models import STATE, LogEntry, Ticket
from tests.factories import Person
from tests.pages import Browser


def ticket(name: str = "Ewa Kowalska", *, minutes_ago: int = 5, **columns: Any) -> str:
    """Keep a request as the form would, and return its number; columns overrules what its row holds."""
    when = clock.now() - timedelta(minutes=minutes_ago)
    digits = f"{uuid.uuid4().int % 10**8:08d}"
    values: dict[str, Any] = {
        "number": digits,
        "form_digest": uuid.uuid4().bytes * 2,
        "topic": "verification-email",
        "name": name,
        "name_key": search.name_key(name),
        "relationship": "parent",
        "student_name": "Jan Kowalski",
        "school": "maine-east",
        "phone": "(847) 555-0199",
        "email": "ewa@example.org",
        "language": "en",
        "best_time": "morning",
        "summary": "",
        "created_at": when,
        "changed_at": when,
    }
    db.session.add(Ticket(**values | columns))
    db.session.commit()
    return str(columns.get("number", digits))


def at_desk(browser: Browser, person: Person, path: str = "/desk") -> Browser:
    """Log a member of the team in, and open one of the desk's pages."""
    browser.log_in(person.username, person.password)
    browser.open(path)
    return browser


def entries(number: str) -> list[LogEntry]:
    """Return what is noted on a request, in the order of its notes."""
    db.session.rollback()
    chosen = select(LogEntry).join(Ticket, Ticket.id == LogEntry.ticket_id).where(Ticket.number == number)
    return list(db.session.scalars(chosen.order_by(LogEntry.at, LogEntry.kind == STATE, LogEntry.id)))


def row(number: str) -> Ticket:
    """Return a request as the database has it now."""
    db.session.rollback()
    return db.session.scalars(select(Ticket).where(Ticket.number == number)).one()


def version(whose: Person | str) -> str:
    """Return what a form carries to say which state of a person, or of a request by its number, it was opened on."""
    if isinstance(whose, str):
        return handling.version(row(whose))
    db.session.rollback()
    return acts.version(db.session.get_one(Account, whose.id))


def messages() -> list[OutboxMessage]:
    """Return what is in the outbox, the oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at, OutboxMessage.id)))


def events(name: str) -> list[AuditEvent]:
    """Return what is on record of one kind."""
    db.session.rollback()
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.event == name).order_by(AuditEvent.id)))
