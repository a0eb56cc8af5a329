"""Delivering log-out notices: one queue and one breaker for each application, so that a dead one delays nobody.

A notice is delivered at least once (OpenID Connect Back-Channel Logout 1.0 section 2.5); an application tells a second
delivery by the session that is gone. Any number of workers may deliver: each notice is leased in one statement.
"""

import uuid
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import cast

import structlog
from flask import Flask
from sqlalchemy import ColumnElement, Table, and_, or_, select, update

from idp import clock, faults
from idp.audit import service as audit
from idp.clients import registry
from idp.clients.models import Client
from idp.clients.registry import RegisteredClient
from idp.database import RELAXED, db, upsert
from idp.oidc.backchannel import logout_token
from idp.sessions.models import LogoutNotice, NoticeBreaker
from idp.web import metrics, outbound
from idp.web.context import Origin, set_origin
from idp.web.outbound import CallFailed

log = structlog.get_logger(__name__)

DELIVERED, FAILED, GIVEN_UP, NO_ADDRESS = "delivered", "failed", "given_up", "no_address"

RETRIES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 7200))
"""How long after each failure a notice is tried again; the last one repeats."""
GIVE_UP_AFTER = timedelta(hours=24)
FAILURES_TO_OPEN = 3
SHORTEST_OPEN, LONGEST_OPEN = timedelta(seconds=30), timedelta(minutes=15)

_LEASE = timedelta(seconds=60)  # six times what a call may last, so that nobody takes over one that is under way
_QUEUES_AT_ONCE = 8
_TURN = 50
"""How many notices a queue delivers before others have their turn."""
_OLD_AT_ONCE, _OLD_BATCHES = 500, 20
"""How many notices are given up in one transaction, and in how many before others have their turn."""

_NOTICES = cast("Table", LogoutNotice.__table__)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(_NOTICES.c.lease_until.is_(None), _NOTICES.c.lease_until <= now)


def _is_due(now: datetime) -> ColumnElement[bool]:
    return and_(_NOTICES.c.delivered_at.is_(None), _NOTICES.c.due_at <= now, _is_free(now))


class Delivery:
    """The queues of one worker process."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(_QUEUES_AT_ONCE, thread_name_prefix="notices")
        self._running: dict[uuid.UUID, Future[None]] = {}

    def start_due(self) -> int:
        """Start the queue of every application that is owed something now; return how many were started."""
        due = set(db.session.scalars(select(_NOTICES.c.client_pk).where(_is_due(clock.now())).distinct()))
        db.session.rollback()
        self._running = {pk: job for pk, job in self._running.items() if not job.done()}
        started = due - self._running.keys()
        for client_pk in started:
            self._running[client_pk] = self._pool.submit(self._run_queue, client_pk)
        return len(started)

    def wait(self) -> None:
        """Wait until the queues that run have come to their end."""
        wait(self._running.values())

    def stop(self) -> None:
        """Let the deliveries under way finish, and start no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run_queue(self, client_pk: uuid.UUID) -> None:
        set_origin(Origin("worker"))
        with self._app.app_context():
            try:
                for _ in range(_TURN):
                    if deliver_next(client_pk) in {None, FAILED}:
                        return
            except Exception as error:  # whatever it is, the lease runs out and the notice is due again
                if fault := faults.find(error):
                    log.warning("unavailable", **faults.told(fault, error), client_pk=str(client_pk))
                    return
                log.exception("logout_notice_error", client_pk=str(client_pk))


def deliver_next(client_pk: uuid.UUID) -> str | None:
    """Deliver the oldest notice that is due to an application; return the result, or None when there is none. Commits.

    No transaction is open while the application is called.
    """
    now = clock.now()
    if _is_open(client_pk, now):
        return None
    notice_id = _lease(client_pk, now)
    if notice_id is None:
        return None
    notice = db.session.get_one(LogoutNotice, notice_id)
    client = _client(client_pk)
    if client is None or client.backchannel_logout_uri is None:
        return _finish(notice, client, NO_ADDRESS, "the application has no log-out address", now)
    token = logout_token(notice, client, now)
    db.session.commit()
    try:
        answer = outbound.post_form(client.backchannel_logout_uri, {"logout_token": token})
    except CallFailed as error:
        return _fail(notice_id, client, str(error))
    if 200 <= answer.status < 300:
        return _succeed(notice_id, client, f"answered {answer.status}")
    redirected = ", and redirects are not followed" if 300 <= answer.status < 400 else ""
    return _fail(notice_id, client, f"answered {answer.status}{redirected}")


def give_up_old(now: datetime) -> int:
    """Give up what has been tried, or kept waiting by an open breaker, for a day; return how many. Commits.

    It reads every notice that waits, so it is asked once a minute and not at every look for what is due.
    """
    count = 0
    for _ in range(_OLD_BATCHES):
        given_up = _give_up_next(now)
        count += given_up
        if given_up < _OLD_AT_ONCE:
            break
    return count


def _give_up_next(now: datetime) -> int:
    old = db.session.scalars(
        select(LogoutNotice)
        .where(LogoutNotice.delivered_at.is_(None), LogoutNotice.due_at.is_not(None))
        .where(LogoutNotice.created_at <= now - GIVE_UP_AFTER, _is_free(now))
        .limit(_OLD_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for notice in old:
        _finish(notice, _client(notice.client_pk), GIVEN_UP, notice.last_result or "never answered", now, commit=False)
    if old:
        db.session.commit()
    return len(old)


def _lease(client_pk: uuid.UUID, now: datetime) -> uuid.UUID | None:
    """Take one notice for this worker alone, and count the try, so that one which kills workers is not free."""
    oldest = (
        select(_NOTICES.c.id)
        .where(_NOTICES.c.client_pk == client_pk, _is_due(now))
        .order_by(_NOTICES.c.due_at, _NOTICES.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = (
        update(_NOTICES)
        .where(_NOTICES.c.id == oldest, _is_due(now))
        .values(lease_until=now + _LEASE, attempts=_NOTICES.c.attempts + 1)
        .returning(_NOTICES.c.id)
        .execution_options(**RELAXED)
    )
    notice_id: uuid.UUID | None = db.session.scalar(taken)
    db.session.commit()
    return notice_id


def _client(client_pk: uuid.UUID) -> RegisteredClient | None:
    """Return the application; one that is disabled still hears that somebody has logged out."""
    client_id = db.session.scalar(select(Client.client_id).where(Client.id == client_pk))
    return None if client_id is None else registry.find_even_disabled(client_id)


def _is_open(client_pk: uuid.UUID, now: datetime) -> bool:
    """Tell whether the application is left alone for now; if so, what is due to it waits until then."""
    until = db.session.scalar(select(NoticeBreaker.open_until).where(NoticeBreaker.client_pk == client_pk))
    if until is None or until <= now:
        return False
    _put_off(client_pk, until)
    db.session.commit()
    return True


def _put_off(client_pk: uuid.UUID, until: datetime) -> None:
    """Keep what is owed to an application out of the way of others, who look for what is due."""
    waiting = and_(_NOTICES.c.client_pk == client_pk, _NOTICES.c.delivered_at.is_(None), _NOTICES.c.due_at < until)
    db.session.execute(update(_NOTICES).where(waiting).values(due_at=until).execution_options(**RELAXED))


def _succeed(notice_id: uuid.UUID, client: RegisteredClient, result: str) -> str:
    now = clock.now()
    notice = db.session.get_one(LogoutNotice, notice_id)
    values = {"failures": 0, "open_until": None, "last_success_at": now, "last_result": result}
    row = upsert(NoticeBreaker).values(client_pk=client.pk, **values)
    db.session.execute(
        row.on_conflict_do_update(index_elements=["client_pk"], set_=values).execution_options(**RELAXED)
    )
    return _finish(notice, client, DELIVERED, result, now)


def _fail(notice_id: uuid.UUID, client: RegisteredClient, result: str) -> str:
    now = clock.now()
    notice = db.session.get_one(LogoutNotice, notice_id)
    values = {"failures": 1, "last_failure_at": now, "last_result": result[:200]}
    row = upsert(NoticeBreaker).values(client_pk=client.pk, **values)
    counted = row.on_conflict_do_update(
        index_elements=["client_pk"], set_={**values, "failures": NoticeBreaker.failures + 1}
    ).returning(NoticeBreaker.failures)
    failures = db.session.execute(counted).scalar_one()
    if now >= notice.created_at + GIVE_UP_AFTER:
        return _finish(notice, client, GIVEN_UP, result, now)
    notice.due_at = now + RETRIES[min(notice.attempts, len(RETRIES)) - 1]
    notice.lease_until, notice.last_result = None, result[:200]
    db.session.flush()
    if failures >= FAILURES_TO_OPEN:
        until = now + min(SHORTEST_OPEN * 2 ** min(failures - FAILURES_TO_OPEN, 10), LONGEST_OPEN)
        db.session.execute(update(NoticeBreaker).where(NoticeBreaker.client_pk == client.pk).values(open_until=until))
        _put_off(client.pk, until)
    _tell(notice, client, FAILED, result)
    db.session.commit()
    return FAILED


def _finish(
    notice: LogoutNotice, client: RegisteredClient | None, how: str, result: str, now: datetime, *, commit: bool = True
) -> str:
    """Note that a notice is done with, delivered or not."""
    notice.due_at = notice.lease_until = None
    notice.last_result = result[:200]
    if how == DELIVERED:
        notice.delivered_at = now
    else:
        notice.given_up_at = now
    if how == GIVEN_UP:
        audit.record(
            "logout_notice_given_up",
            audit.FAILURE,
            account_id=notice.account_id,
            client_id=client.client_id if client else None,
            attempts=notice.attempts,
            result=result,
        )
    _tell(notice, client, how, result)
    if commit:
        db.session.commit()
    return how


def _tell(notice: LogoutNotice, client: RegisteredClient | None, how: str, result: str) -> None:
    metrics.count_notice(how)
    log.info(
        "logout_notice",
        notice=str(notice.id),
        client_id=client.client_id if client else None,
        outcome=how,
        attempt=notice.attempts,
        result=result,
    )
