"""What the console shows of applications, beside what is in their own rows. Reads only."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from idp.clients import service as clients
from idp.clients.models import Client
from idp.database import db
from idp.sessions.models import LogoutNotice, NoticeBreaker

PAGE_SIZE = 50
_LONGEST_SEARCH = 100
_NOTICES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list of applications."""

    clients: list[Client]
    failing: frozenset[uuid.UUID]
    """Those among them whose log-out messages do not arrive."""
    search: str
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class LogoutState:
    """How an application's log-out messages fare."""

    breaker: NoticeBreaker | None
    notices: list[LogoutNotice]
    """The latest ones, newest first."""
    waiting: int

    def is_paused(self, now: datetime) -> bool:
        """Whether the application is left alone for a while, since it did not answer."""
        return self.breaker is not None and self.breaker.open_until is not None and self.breaker.open_until > now


@dataclass(frozen=True, slots=True)
class Counts:
    """How many applications there are."""

    active: int
    disabled: int
    failing: int


def listing(search: str, page: str) -> Listing:
    """Return a page of the list; whatever stands in the address, it is a page that there is."""
    text = "".join(character for character in search if character.isprintable())[:_LONGEST_SEARCH].strip()
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 7 else 1
    total = clients.count(text)
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(number, 1), pages)
    found = clients.search(text, offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE)
    return Listing(found, _failing(client.id for client in found), text, number, pages, total)


def logout_state(client: Client) -> LogoutState:
    """Return how the application's log-out messages fare."""
    of_client = LogoutNotice.client_pk == client.id
    latest = select(LogoutNotice).where(of_client).order_by(LogoutNotice.created_at.desc()).limit(_NOTICES_SHOWN)
    waiting = select(func.count()).where(of_client, LogoutNotice.due_at.is_not(None))
    return LogoutState(
        breaker=db.session.get(NoticeBreaker, client.id),
        notices=list(db.session.scalars(latest)),
        waiting=db.session.scalar(waiting) or 0,
    )


def counts() -> Counts:
    """Return how many applications are active, disabled, and not reached by log-out messages."""
    total, disabled = db.session.execute(
        select(func.count(Client.id), func.count(Client.disabled_at)).where(Client.removed_at.is_(None))
    ).one()
    known = select(NoticeBreaker.client_pk).join(Client, Client.id == NoticeBreaker.client_pk)
    failing = known.where(NoticeBreaker.failures > 0, Client.removed_at.is_(None))
    return Counts(total - disabled, disabled, len(db.session.scalars(failing).all()))


def _failing(client_pks: Iterable[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Return those whose latest log-out message failed."""
    failing = select(NoticeBreaker.client_pk).where(NoticeBreaker.failures > 0)
    return frozenset(db.session.scalars(failing)) & frozenset(client_pks)
