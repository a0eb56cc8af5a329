"""Delivering what is in the outbox: any number of workers, each message leased by one of them at a time.

A message is accepted once for all but one case: a worker that is killed between the server's answer and its own commit
leaves a message that is sent a second time when the lease runs out, under the same Message-ID.
"""

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import structlog
from flask import Flask
from sqlalchemy import ColumnElement, Table, and_, or_, select, update

from idp import clock, sealing, settings
from idp.database import RELAXED, db
from idp.mail import service
from idp.mail.models import ACCEPTED, GIVEN_UP, REFUSED, TOO_LATE, OutboxMessage
from idp.mail.smtp import Accepted, Connection, Refused, Unreachable
from idp.web import metrics
from idp.web.context import Origin, set_origin

log = structlog.get_logger(__name__)

RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180))
"""How long after each "not now" (RFC 5321 section 4.5.4.1) a message is tried again; the last one repeats."""

_LEASE = timedelta(minutes=10)  # longer than a message can take, each answer being waited for by the setting
_SHORTEST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
"""Seconds in which a server that is away is left alone, doubled each time."""
_AT_ONCE = 100
"""Messages that one connection carries before it is closed, and others have their turn."""

_OUTBOX = cast("Table", OutboxMessage.__table__)


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(_OUTBOX.c.due_at <= now, or_(_OUTBOX.c.lease_until.is_(None), _OUTBOX.c.lease_until <= now))


@dataclass(slots=True)
class _Pause:
    """How long this process leaves the server alone; in memory, since the next process may well reach it."""

    seconds: float = 0.0
    until: float = 0.0

    def begin(self) -> float:
        self.seconds = min(max(self.seconds * 2, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        self.until = time.monotonic() + self.seconds
        return self.seconds

    def end(self) -> None:
        self.seconds = self.until = 0.0


class Delivery:
    """One worker process's way to the mail server, on a thread of its own: a slow server holds up nothing else."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="mail")
        self._pause = _Pause()
        self._stopping = threading.Event()
        self._running: Future[None] | None = None

    def start_due(self) -> bool:
        """Start to deliver when something is due and nothing runs; tell whether it was started."""
        if (self._running and not self._running.done()) or time.monotonic() < self._pause.until:
            return False
        due = db.session.scalar(select(_OUTBOX.c.id).where(_is_due(clock.now())).limit(1))
        db.session.rollback()
        if due is None:
            return False
        self._running = self._pool.submit(self._run)
        return True

    def wait(self) -> None:
        """Wait until what runs has come to its end."""
        if self._running:
            self._running.result()

    def stop(self) -> None:
        """Let the message under way be handed over, and begin no other."""
        self._stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        set_origin(Origin("worker"))
        with self._app.app_context():
            try:
                while deliver_due(stopping=self._stopping) == _AT_ONCE:
                    pass
                self._pause.end()
            except Unreachable as error:
                log.warning("mail_server_unreachable", said=str(error), again_in_seconds=self._pause.begin())
            except Exception:  # whatever it is, the lease runs out and the message is due again
                log.exception("mail_error", again_in_seconds=self._pause.begin())


def deliver_due(most: int = _AT_ONCE, stopping: threading.Event | None = None) -> int:
    """Deliver what is due over one connection, until stopping is set; return how many messages were tried. Commits.

    Raises Unreachable when the server takes nothing: nothing is lost or counted then, and all stays due.
    """
    wanted = settings.current().mail
    if wanted.is_mailbox:
        return _one_by_one(_keep, most, stopping)
    if not wanted.is_server:
        return 0
    with Connection() as connection:
        return _one_by_one(partial(_deliver, connection), most, stopping)


@dataclass(frozen=True, slots=True)
class _Leased:
    message_id: uuid.UUID
    lease: uuid.UUID


def _one_by_one(hand_over: Callable[[_Leased], None], most: int, stopping: threading.Event | None) -> int:
    for tried in range(most):
        leased = None if stopping and stopping.is_set() else _lease(clock.now())
        if leased is None:
            return tried
        hand_over(leased)
    return most


def _keep(leased: _Leased) -> None:
    """Deliver into the development's mailbox, which shows what is in the outbox."""
    _settle(leased, state=ACCEPTED, reply="kept in the mailbox", due_at=None)


def _lease(now: datetime) -> _Leased | None:
    """Take the message that is due longest for this worker alone, and count the try. Commits."""
    oldest = (
        select(_OUTBOX.c.id)
        .where(_is_due(now))
        .order_by(_OUTBOX.c.due_at, _OUTBOX.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    lease = uuid.uuid4()
    taken = (
        update(_OUTBOX)
        .where(_OUTBOX.c.id == oldest, _is_due(now))
        .values(lease_until=now + _LEASE, lease=lease, attempts=_OUTBOX.c.attempts + 1)
        .returning(_OUTBOX.c.id)
        .execution_options(**RELAXED)
    )
    found: uuid.UUID | None = db.session.scalar(taken)
    db.session.commit()
    return None if found is None else _Leased(found, lease)


def _deliver(connection: Connection, leased: _Leased) -> None:
    """Hand one message over; no transaction is open while the server is talked to."""
    message = db.session.get_one(OutboxMessage, leased.message_id)
    try:
        content = service.opened(message)
    except sealing.CannotOpen:
        content = None
    db.session.expunge(message)
    db.session.rollback()
    if content is None:
        _settle(leased, state=GIVEN_UP, reply="its content can't be read: the wrapping key is gone", due_at=None)
        return
    if message.useful_until is not None and message.useful_until <= clock.now():
        _settle(leased, state=GIVEN_UP, reply=TOO_LATE, due_at=None, sealed_content=None)
        return
    try:
        outcome = connection.deliver(message, content)
    except Unreachable:
        _settle(leased, lease_until=None, attempts=OutboxMessage.attempts - 1)
        raise
    now = clock.now()
    match outcome:
        case Accepted(reply):
            _settle(leased, state=ACCEPTED, reply=reply, due_at=None, sealed_content=None)
        case Refused(reply, for_good=True):
            _settle(leased, state=REFUSED, reply=reply, due_at=None)
        case Refused(reply) if now >= message.created_at + timedelta(hours=settings.current().mail.give_up_hours):
            _settle(leased, state=GIVEN_UP, reply=reply, due_at=None)
        case Refused(reply):
            _settle(leased, reply=reply, due_at=now + RETRIES[min(message.attempts, len(RETRIES)) - 1])


def _settle(leased: _Leased, **values: object) -> None:
    """Note what became of a message, unless another worker has taken it over meanwhile. Commits."""
    if "state" in values:
        values["settled_at"] = clock.now()
    done = update(_OUTBOX).where(_OUTBOX.c.id == leased.message_id, _OUTBOX.c.lease == leased.lease)
    changed = db.session.execute(done.values(lease=None, **{"lease_until": None} | values).returning(_OUTBOX.c.kind))
    kind = changed.scalar()
    db.session.commit()
    if kind is not None:
        state = str(values.get("state", "put_off"))
        metrics.count_mail(state)
        log.info("mail", message=str(leased.message_id), kind=kind, outcome=state, reply=values.get("reply", ""))
