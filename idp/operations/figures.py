"""What /metrics says of all nodes together: read from the database, by index and bounded, and kept for some seconds."""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from datetime import datetime, timedelta
from typing import cast

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import Connection, Engine, Select, Table, func, select
from sqlalchemy.exc import SQLAlchemyError

from idp import clock
from idp.audit.models import AuditEvent
from idp.oidc.models import SigningKey
from idp.operations.leases import HEARTBEAT
from idp.operations.models import WorkerLease
from idp.sessions.models import LogoutNotice, NoticeBreaker
from idp.throttle import tries
from idp.throttle.models import Counter
from idp.throttle.store import OVERALL

MOST_COUNTED = 10_000
"""Beyond it nobody needs to know how many there are, and counting them would cost more than it tells."""

_SECONDS = 2.0
_KEPT_SECONDS = 5.0

_EVENTS, _NOTICES = cast("Table", AuditEvent.__table__), cast("Table", LogoutNotice.__table__)
_COUNTERS = cast("Table", Counter.__table__)


class Figures:
    """Reads the figures for one process: one reader at a time, and none that a hanging database could multiply."""

    def __init__(self, engine: Engine, key_life: timedelta) -> None:
        self._engine, self._key_life = engine, key_life
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="figures")
        self._lock = threading.Lock()
        self._asked: Future[list[Metric]] | None = None
        self._asked_at = 0.0

    def read(self) -> list[Metric]:
        """Return the figures, some seconds old at most; of a database that does not answer in time, that alone."""
        with self._lock:
            if self._asked is None or (self._asked.done() and time.monotonic() - self._asked_at > _KEPT_SECONDS):
                self._asked, self._asked_at = self._pool.submit(self._ask), time.monotonic()
            asked = self._asked
        try:
            return asked.result(timeout=_SECONDS)
        except (SQLAlchemyError, TookTooLong):
            return [_gauge("idp_database_up", "Whether the database answers.", 0)]

    def _ask(self) -> list[Metric]:
        now = clock.now()
        with self._engine.connect() as connection:
            return [
                *_notices(connection, now),
                *_keys(connection, now, self._key_life),
                *_audit(connection, now),
                *_worker(connection, now),
                *_wrong_passwords(connection, now),
                _gauge("idp_database_up", "Whether the database answers.", 1),
            ]


def pending_notices() -> Select[datetime]:
    """Return the query for notices that are neither delivered nor given up: when each was owed first."""
    owed = (_NOTICES.c.delivered_at.is_(None), _NOTICES.c.due_at.is_not(None))
    return select(_NOTICES.c.created_at.label("since")).where(*owed).limit(MOST_COUNTED)


def unsealed_events() -> Select[datetime]:
    """Return the query for events that have no place in the chain yet: when each happened."""
    return select(_EVENTS.c.at.label("since")).where(_EVENTS.c.position.is_(None)).limit(MOST_COUNTED)


def _notices(connection: Connection, now: datetime) -> Iterable[Metric]:
    count, oldest = _count(connection, pending_notices(), now)
    yield _gauge("idp_logout_notices_pending", "Log-out notices owed to applications, 10000 at most.", count)
    yield _gauge("idp_logout_notice_oldest_seconds", "How long the oldest of them has been owed.", oldest)
    breakers = select(func.count()).select_from(NoticeBreaker).where(NoticeBreaker.open_until > now)
    words = "Applications whose log-out address fails, and is left alone for a while."
    yield _gauge("idp_logout_breakers_open", words, connection.scalar(breakers) or 0)


def _keys(connection: Connection, now: datetime, life: timedelta) -> Iterable[Metric]:
    """Tell of each algorithm the age of the key that signs, and the seconds until the next one takes over."""
    age = GaugeMetricFamily("idp_signing_key_age_seconds", "How long the key has signed.", labels=["algorithm"])
    due = GaugeMetricFamily(
        "idp_signing_key_rotation_seconds",
        "Until the next key takes over; below 0 it should have.",
        labels=["algorithm"],
    )
    starts: dict[str, list[datetime]] = {}
    found = select(SigningKey.algorithm, SigningKey.active_from).order_by(SigningKey.active_from)
    for algorithm, active_from in connection.execute(found):
        starts.setdefault(algorithm, []).append(active_from)
    for algorithm, moments in starts.items():
        begun, coming = [one for one in moments if one <= now], [one for one in moments if one > now]
        if begun:
            age.add_metric([algorithm], (now - begun[-1]).total_seconds())
            due.add_metric([algorithm], ((coming[0] if coming else begun[-1] + life) - now).total_seconds())
    return age, due


def _audit(connection: Connection, now: datetime) -> Iterable[Metric]:
    count, oldest = _count(connection, unsealed_events(), now)
    yield _gauge("idp_audit_events_unsealed", "Security events without a seal, 10000 at most.", count)
    yield _gauge("idp_audit_oldest_unsealed_seconds", "How long the oldest of them has been without one.", oldest)


def _worker(connection: Connection, now: datetime) -> Iterable[Metric]:
    """Tell how long ago a worker was alive; nothing when none has ever run."""
    last = connection.scalar(select(WorkerLease.finished_at).where(WorkerLease.name == HEARTBEAT))
    if last is not None:
        yield _gauge("idp_worker_silent_seconds", "Since a worker was last alive.", (now - last).total_seconds())


def _wrong_passwords(connection: Connection, now: datetime) -> Iterable[Metric]:
    """Tell how many passwords were wrong everywhere: what the ledger asks everybody for a robot check by."""
    counted = select(_COUNTERS.c.failures).where(
        _COUNTERS.c.digest == tries.digest(OVERALL, ""), _COUNTERS.c.expires_at > now
    )
    words = "Wrong passwords everywhere, in the five minutes that are counted now."
    yield _gauge("idp_wrong_passwords_now", words, connection.scalar(counted) or 0)


def _count(connection: Connection, query: Select[datetime], now: datetime) -> tuple[int, float]:
    """Return how many there are, and the age of the oldest one in seconds: 0 when there is none."""
    some = query.subquery()
    number, since = connection.execute(select(func.count(), func.min(some.c.since)).select_from(some)).one()
    return number, max(0.0, (now - since).total_seconds()) if since else 0.0


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
