"""What /metrics reads from the database: what is owed and overdue, by index and bounded, and never in the way."""

import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from idp import clock
from idp.audit import service as audit
from idp.database import db
from idp.oidc import keys
from idp.operations import figures, leases
from idp.sessions.models import LogoutNotice, NoticeBreaker
from idp.settings import Settings
from idp.worker import seal_all
from tests.databases import AppBuilder, with_database
from tests.factories import Person, Registered
from tests.figures import value_of

Travel = Callable[[timedelta], AbstractContextManager[None]]
HOUR = 3600


@pytest.fixture
def shown(app: Flask) -> Callable[[str], float]:
    """Read one figure, as it is now."""

    def read(name: str) -> float:
        app.extensions.pop("idp_figures", None)
        return value_of(app.test_client().get("/metrics").text, name)

    return read


def owe(person: Person, client: Registered, **columns: object) -> None:
    now = clock.now()
    notice = {"client_pk": client.id, "account_id": person.id, "sid": uuid.uuid4().hex, "created_at": now}
    db.session.add(LogoutNotice(**notice | {"due_at": now} | columns))
    db.session.commit()


def test_notices_that_are_owed_are_counted_and_the_oldest_is_known(
    shown: Callable[[str], float], parent: Person, client: Callable[..., Registered], travel: Travel
) -> None:
    application, now = client(), clock.now()
    owe(parent, application)
    owe(parent, application, due_at=now + timedelta(hours=2))
    owe(parent, application, due_at=None, delivered_at=now)
    owe(parent, application, due_at=None, given_up_at=now)

    with travel(timedelta(hours=1)):
        assert shown("idp_logout_notices_pending") == 2
        assert shown("idp_logout_notice_oldest_seconds") == pytest.approx(HOUR, abs=60)


def test_an_application_that_is_left_alone_is_counted_until_it_is_tried_again(
    shown: Callable[[str], float], client: Callable[..., Registered], travel: Travel
) -> None:
    db.session.add(NoticeBreaker(client_pk=client().id, failures=3, open_until=clock.now() + timedelta(hours=1)))
    db.session.commit()

    assert shown("idp_logout_breakers_open") == 1
    with travel(timedelta(hours=1, seconds=1)):
        assert shown("idp_logout_breakers_open") == 0


def test_events_without_a_seal_are_counted(shown: Callable[[str], float], app: Flask, travel: Travel) -> None:
    audit.record("log_in")
    audit.record("log_in")
    db.session.commit()

    assert shown("idp_audit_events_unsealed") == 2
    with travel(timedelta(hours=1)):
        assert shown("idp_audit_oldest_unsealed_seconds") == pytest.approx(HOUR, abs=60)
    seal_all()
    assert shown("idp_audit_events_unsealed") == shown("idp_audit_oldest_unsealed_seconds") == 0


def test_a_key_tells_its_age_and_when_the_next_one_takes_over(
    shown: Callable[[str], float], app: Flask, travel: Travel
) -> None:
    keys.rotate_due(clock.now())
    age, due = 'idp_signing_key_age_seconds{algorithm="RS256"}', 'idp_signing_key_rotation_seconds{algorithm="RS256"}'
    with travel(timedelta(days=80)):
        assert shown(age) == pytest.approx(80 * 24 * HOUR, abs=HOUR)
        assert shown(due) == pytest.approx(10 * 24 * HOUR, abs=HOUR)
        keys.rotate_due(clock.now())
    with travel(timedelta(days=95)):
        assert shown(age) == pytest.approx(24 * HOUR, abs=HOUR), "the next one was published for 14 days before"
    with travel(timedelta(days=200)):
        assert shown(due) < 0, "nobody has rotated"


def test_a_worker_s_silence_is_told(shown: Callable[[str], float], app: Flask, travel: Travel) -> None:
    assert "idp_worker_silent_seconds" not in app.test_client().get("/metrics").text
    leases.beat(clock.now())
    with travel(timedelta(hours=1)):
        assert shown("idp_worker_silent_seconds") == pytest.approx(HOUR, abs=60)


def test_a_database_that_hangs_takes_no_counter_away(
    settings: Settings, build_app: AppBuilder, hanging_port: int
) -> None:
    node = build_app(with_database(settings, f"postgresql://nobody@127.0.0.1:{hanging_port}/nothing"))
    node.test_client().get("/healthz")
    began = time.monotonic()
    answers = [node.test_client().get("/metrics").text for _ in range(2)]

    assert time.monotonic() - began < 10
    for answer in answers:
        assert value_of(answer, "idp_database_up") == 0
        assert value_of(answer, 'idp_requests_total{endpoint="operations.healthz",status="200"}') >= 1
        assert "idp_logout_notices_pending" not in answer


def test_the_figures_are_read_once_for_whoever_asks_within_seconds(app: Flask) -> None:
    app.test_client().get("/metrics")
    audit.record("log_in")
    db.session.commit()

    assert value_of(app.test_client().get("/metrics").text, "idp_audit_events_unsealed") == 0


@pytest.mark.one_database
def test_what_is_owed_is_found_by_index(app: Flask) -> None:
    """On SQLite alone: PostgreSQL reads small tables whole, whatever indexes there are."""
    for query in (figures.pending_notices(), figures.unsealed_events()):
        statement = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
        plan = " ".join(str(row) for row in db.session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
        assert "SEARCH" in plan
        assert "SCAN" not in plan
