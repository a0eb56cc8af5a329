"""Whoever took part in a session hears of its end: at least once, one queue for each application."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import func, select

from idp import clock
from idp.audit.models import AuditEvent
from idp.clients.models import Client
from idp.database import db
from idp.oidc import delivery, keys
from idp.oidc.delivery import DELIVERED, FAILED, GIVEN_UP, NO_ADDRESS, Delivery
from idp.sessions.models import LogoutNotice, NoticeBreaker
from idp.settings import Settings
from tests.databases import AppBuilder, with_database
from tests.factories import Registered
from tests.operations.conftest import LogoutAddress

Owe = Callable[..., list[uuid.UUID]]
NewClient = Callable[..., Registered]
NewAddress = Callable[[], LogoutAddress]


@pytest.fixture
def address(new_address: NewAddress) -> LogoutAddress:
    """Where the application listens."""
    return new_address()


@pytest.fixture
def lunch(client: NewClient, address: LogoutAddress) -> Registered:
    """An application that wants to hear of log-outs."""
    return client("Lunch Orders", backchannel_logout_uri=address.url)


def test_the_application_gets_a_signed_token_that_names_the_session(
    app: Flask, owe: Owe, lunch: Registered, address: LogoutAddress
) -> None:
    (notice_id,) = owe(lunch)
    notice = db.session.get_one(LogoutNotice, notice_id)
    sid = notice.sid

    assert delivery.deliver_next(lunch.id) == DELIVERED
    published = KeySet.import_key_set(json.loads(app.test_client().get("/oauth/jwks").data))
    claims = jwt.decode(address.tokens[0], published, algorithms=keys.ALGORITHMS).claims

    assert (claims["aud"], claims["sid"]) == (lunch.client_id, sid)
    assert (notice.due_at, notice.attempts, notice.last_result) == (None, 1, "answered 200")
    assert notice.delivered_at is not None
    assert delivery.deliver_next(lunch.id) is None, "it is delivered once when all goes well"


def test_a_failure_is_tried_again_later_and_later(owe: Owe, lunch: Registered, address: LogoutAddress) -> None:
    (notice_id,) = owe(lunch)
    notice = db.session.get_one(LogoutNotice, notice_id)
    address.status = 503
    waits = []
    shift = timedelta(0)
    for _ in range(8):
        with clock.shifted(shift):
            began = clock.now()
            assert delivery.deliver_next(lunch.id) == FAILED
            assert notice.due_at is not None
            waits.append((notice.due_at - began).total_seconds())
            assert delivery.deliver_next(lunch.id) is None, "not before it is due"
        shift += notice.due_at - began + timedelta(seconds=1)
    address.status = 204
    with clock.shifted(shift):
        assert delivery.deliver_next(lunch.id) == DELIVERED

    expected = [5, 30, 120, 600, 3600, 7200, 7200, 7200]
    assert all(0 <= wait - wanted < 5 for wait, wanted in zip(waits, expected, strict=True)), waits
    assert notice.last_result == "answered 204"


def test_what_went_wrong_is_kept_in_plain_words(owe: Owe, lunch: Registered, address: LogoutAddress) -> None:
    (notice_id,) = owe(lunch)
    address.status = 302

    assert delivery.deliver_next(lunch.id) == FAILED
    notice, breaker = db.session.get_one(LogoutNotice, notice_id), db.session.get_one(NoticeBreaker, lunch.id)

    assert notice.last_result == breaker.last_result == "answered 302, and redirects are not followed"
    assert breaker.failures == 1


def test_an_address_inside_is_never_called(
    app: Flask, settings: Settings, owe: Owe, lunch: Registered, address: LogoutAddress, build_app: AppBuilder
) -> None:
    (notice_id,) = owe(lunch)
    strict = build_app(replace(app.config["IDP"], server=replace(settings.server, outbound_allowed=())))
    with strict.app_context():
        assert delivery.deliver_next(lunch.id) == FAILED

        assert address.tokens == []
        assert db.session.get_one(LogoutNotice, notice_id).last_result == "the address does not start with https://"


def test_a_day_without_an_answer_ends_in_giving_up_which_is_on_record(
    owe: Owe, lunch: Registered, address: LogoutAddress
) -> None:
    (notice_id,) = owe(lunch)
    address.status = 500
    with clock.shifted(timedelta(hours=25)):
        assert delivery.deliver_next(lunch.id) == GIVEN_UP
    notice = db.session.get_one(LogoutNotice, notice_id)

    assert (notice.delivered_at, notice.due_at) == (None, None)
    assert notice.given_up_at is not None
    assert db.session.scalars(select(AuditEvent.event)).all().count("logout_notice_given_up") == 1


def test_what_an_open_breaker_held_back_for_a_day_is_given_up(
    owe: Owe, lunch: Registered, address: LogoutAddress
) -> None:
    owe(lunch, times=4)
    address.status = 500
    while delivery.deliver_next(lunch.id) == FAILED:
        pass

    with clock.shifted(timedelta(hours=25)):
        assert delivery.give_up_old(clock.now()) == 4
        assert delivery.give_up_old(clock.now()) == 0


def test_three_failures_in_a_row_leave_the_application_alone_for_a_while(
    owe: Owe, lunch: Registered, address: LogoutAddress
) -> None:
    owe(lunch, times=5)
    address.status = 500
    results = [delivery.deliver_next(lunch.id) for _ in range(5)]

    assert results == [FAILED, FAILED, FAILED, None, None]
    assert len(address.tokens) == 3
    with clock.shifted(timedelta(seconds=31)):
        assert delivery.deliver_next(lunch.id) == FAILED, "one try shows whether it is back"
        assert delivery.deliver_next(lunch.id) is None
    address.status = 200
    with clock.shifted(timedelta(minutes=5)):
        assert [delivery.deliver_next(lunch.id) for _ in range(5)] == [DELIVERED] * 5
    assert db.session.get_one(NoticeBreaker, lunch.id).failures == 0


def test_an_application_that_took_its_address_away_is_owed_nothing(owe: Owe, lunch: Registered) -> None:
    (notice_id,) = owe(lunch)
    db.session.get_one(Client, lunch.id).backchannel_logout_uri = None
    db.session.commit()

    assert delivery.deliver_next(lunch.id) == NO_ADDRESS
    assert db.session.get_one(LogoutNotice, notice_id).due_at is None


def test_a_disabled_application_still_hears_that_somebody_has_logged_out(
    owe: Owe, lunch: Registered, address: LogoutAddress
) -> None:
    owe(lunch)
    db.session.get_one(Client, lunch.id).disabled_at = clock.now()
    db.session.commit()

    assert delivery.deliver_next(lunch.id) == DELIVERED


def test_a_dead_application_delays_nobody(
    app: Flask, owe: Owe, client: NewClient, lunch: Registered, address: LogoutAddress, new_address: NewAddress
) -> None:
    slow = new_address()
    slow.go_on.clear()
    dead = client("Dead", redirect_uri="https://dead.example/in", backchannel_logout_uri=slow.url)
    owe(dead, lunch, times=3)
    queues = Delivery(app)

    assert queues.start_due() == 2
    _wait_until(lambda: len(address.tokens) == 3 and len(slow.tokens) > 0)
    assert len(slow.tokens) == 1, "the dead one has not answered the first of its notices yet"
    slow.go_on.set()
    queues.stop()


def test_two_workers_never_deliver_the_same_notice(
    app: Flask,
    settings: Settings,
    build_app: AppBuilder,
    database_url: str,
    owe: Owe,
    lunch: Registered,
    address: LogoutAddress,
) -> None:
    owe(lunch, times=30)
    address.delay = 0.01
    nodes = [build_app(with_database(settings, database_url)) for _ in range(3)]
    errors: list[BaseException] = []

    def work(node: Flask) -> None:
        with node.app_context():
            try:
                while _left():
                    delivery.deliver_next(lunch.id)
            except BaseException as error:
                errors.append(error)
                raise

    threads = [threading.Thread(target=work, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    assert len(address.tokens) == len(set(address.tokens)) == 30


def test_a_notice_whose_worker_died_is_delivered_by_another(owe: Owe, lunch: Registered) -> None:
    (notice_id,) = owe(lunch)
    db.session.get_one(LogoutNotice, notice_id).lease_until = clock.now() + timedelta(seconds=60)
    db.session.commit()

    assert delivery.deliver_next(lunch.id) is None, "it is still leased"
    with clock.shifted(timedelta(seconds=61)):
        assert delivery.deliver_next(lunch.id) == DELIVERED


def _left() -> int:
    count = db.session.scalar(select(func.count()).where(LogoutNotice.due_at.is_not(None)))
    db.session.rollback()
    return count or 0


def _wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)
