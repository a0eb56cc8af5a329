"""A family's request for support: taken, confirmed by mail, and shown to whoever knows its number and its contact."""

import hmac
import secrets
import unicodedata
import uuid
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select

from idp import sealing, settings
from idp.accounts.models import Account
from idp.database import db, upsert
from idp.ids import new_id
from idp.mail import service as mail
from idp.search import name_key
from idp.support import words
from idp.support.models import CLOSED, MAIL, OPEN, PHONE, STATE, LogEntry, Ticket
from idp.throttle import service as throttle
from idp.throttle.rules import LOOKUP_NETWORK, LOOKUP_TICKET, SUPPORT_IN_ALL, SUPPORT_MAILS, SUPPORT_NETWORK, Wait
from idp.throttle.service import Reserved
from idp.web import context

_DIGITS = 8
_MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Request:
    """What a family asks, as the form has checked it."""

    topic: str
    name: str
    relationship: str
    student_name: str
    school: str
    phone: str
    email: str
    language: str
    best_time: str
    summary: str


@dataclass(frozen=True, slots=True)
class Received:
    """The request is kept under this number."""

    number: str


@dataclass(frozen=True, slots=True)
class SentBefore:
    """The same page was sent before, and said something else."""

    number: str


@dataclass(frozen=True, slots=True)
class Found:
    """There is such a request, and it is theirs."""

    number: str


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no request with this number and this contact."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something of the log that is the family's to know: one of `phone`, `mail`, `closed` and `open`."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a request stands, for the family."""

    number: str
    topic: str
    state: str
    created_at: datetime
    happenings: tuple[Happening, ...]
    """The oldest first."""


def prefilled_email(account_id: uuid.UUID) -> str:
    """Return the address at which somebody who is logged in is written to; empty when none is on file."""
    return db.session.scalar(select(Account.email).where(Account.id == account_id)) or ""


def receive(
    request: Request, page_id: str, account_id: uuid.UUID | None, now: datetime
) -> Received | SentBefore | Wait:
    """Keep a request and confirm it by mail. One page makes one request, however often and at once it is sent."""
    digest = sealing.digest(page_id)
    if (before := _find_sent(digest, request)) is not None:
        return before
    # It is written before it is counted: of two that send one page at once, the other waits here, and counts nothing.
    while (number := _insert(request, digest, account_id, now)) is None:
        if (before := _find_sent(digest, request)) is not None:
            return before
        # Else the number is another request's: the next one is not.
    for kind, subject in ((SUPPORT_NETWORK, context.network()), (SUPPORT_IN_ALL, "")):
        reserved = throttle.reserve(kind, subject, now)
        if isinstance(reserved, Wait):
            db.session.rollback()
            return reserved
    _confirm(request, number, now)
    db.session.commit()
    return Received(number)


def look_up(typed_number: str, typed_contact: str, now: datetime) -> Found | Missing | Wait:
    """Find a request by its number and the phone number or address in it. Only wrong tries count."""
    number = digits(typed_number)
    taken = _reserve_look_up(number, now)
    if isinstance(taken, Wait):
        return taken
    row = db.session.execute(select(Ticket.phone, Ticket.email).where(Ticket.number == number)).first()
    phone, email = (row.phone, row.email) if row else ("", "")
    is_theirs = [_is_same(_phone(phone), _phone(typed_contact)), _is_same(_address(email), _address(typed_contact))]
    if not any(is_theirs):
        db.session.rollback()
        return Missing()
    for one in taken:
        throttle.release(one)
    db.session.commit()
    return Found(number)


def show(number: str) -> Shown | None:
    """Return where a request stands; None when it is no longer kept. Who asks has shown that it is theirs."""
    ticket = db.session.scalar(select(Ticket).where(Ticket.number == number))
    if ticket is None:
        return None
    entries = db.session.execute(
        select(LogEntry.kind, LogEntry.state, LogEntry.at)
        .where(LogEntry.ticket_id == ticket.id, LogEntry.kind.in_((PHONE, MAIL, STATE)))
        .order_by(LogEntry.id.desc())
        .limit(_MOST_SHOWN)
    ).all()
    told = [Happening(entry.state if entry.kind == STATE else entry.kind, entry.at) for entry in reversed(entries)]
    happenings = tuple(one for one in told if one.kind in {PHONE, MAIL, OPEN, CLOSED})
    return Shown(ticket.number, ticket.topic, ticket.state, ticket.created_at, happenings)


def digits(text: str) -> str:
    """Return the digits in a text, in whatever script they are written."""
    return "".join(str(unicodedata.decimal(one)) for one in text if one.isdecimal())


def _reserve_look_up(number: str, now: datetime) -> list[Reserved] | Wait:
    """Take a try from each budget and commit, so that parallel guesses share them; or take none, and say how long."""
    taken: list[Reserved] = []
    for kind, subject in ((LOOKUP_NETWORK, context.network()), (LOOKUP_TICKET, number)):
        reserved = throttle.reserve(kind, subject, now)
        if isinstance(reserved, Wait):
            db.session.rollback()
            return reserved
        taken.append(reserved)
    db.session.commit()
    return taken


def _find_sent(digest: bytes, request: Request) -> Received | SentBefore | None:
    ticket = db.session.scalar(select(Ticket).where(Ticket.form_digest == digest))
    if ticket is None:
        return None
    is_same = all(getattr(ticket, name) == value for name, value in asdict(request).items())
    return Received(ticket.number) if is_same else SentBefore(ticket.number)


def _insert(request: Request, digest: bytes, account_id: uuid.UUID | None, now: datetime) -> str | None:
    """Write the request under a random number, and return that; None when the page or the number has been used."""
    values = {
        "id": new_id(),
        "number": f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}",
        "form_digest": digest,
        "state": OPEN,
        "account_id": account_id,
        "name_key": name_key(request.name),
        "created_at": now,
        "changed_at": now,
    }
    row = upsert(Ticket).values(values | asdict(request)).on_conflict_do_nothing().returning(Ticket.number)
    number: str | None = db.session.execute(row).scalar()
    return number


def _confirm(request: Request, number: str, now: datetime) -> None:
    """Write to the address that was given, which may be a stranger's: nothing in it is what somebody typed."""
    if not request.email or isinstance(throttle.reserve(SUPPORT_MAILS, _address(request.email), now), Wait):
        return
    mail.send(
        "support/received",
        request.email,
        now=now,
        language=request.language,
        number=number,
        topic=request.topic,
        words=words,
        address=f"{settings.current().server.issuer}/support/ticket",
    )


def _is_same(kept: str, typed: str) -> bool:
    return hmac.compare_digest(kept.encode("utf-8", "replace"), typed.encode("utf-8", "replace")) and bool(kept)


def _address(text: str) -> str:
    return text.strip().casefold()


def _phone(text: str) -> str:
    """Return the number that is called, without an extension and without the country's own code."""
    beginning = next((place for place, one in enumerate(text) if one.isalpha()), len(text))
    number = digits(text[:beginning]) or digits(text)
    return number[1:] if len(number) == 11 and number[0] == "1" else number
