"""Tries counted in Redis: decided as in the database, exact however many come at once, and never without any limit."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import func, select

from idp import clock
from idp.database import db
from idp.operations import doctor
from idp.settings import Settings
from idp.throttle import counting, tries
from idp.throttle.ladder import Challenge, Level, Stopped
from idp.throttle.models import Counter
from idp.throttle.rules import LOG_IN, Wait
from idp.throttle.tries import Tried
from tests.benchmarks import memory_ledger
from tests.redis_servers import RedisServer, redis_server

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
HALF_A_MINUTE = timedelta(seconds=30)
Outcome = Tried | Challenge | Wait | Stopped

pytestmark = [pytest.mark.one_database, pytest.mark.usefixtures("app")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for all of these tests, each with a username of its own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def settings(settings: Settings, server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Let tries be counted there; what a process remembers of an outage is forgotten between tests."""
    monkeypatch.setattr(counting, "_paused_until", 0.0)
    with Redis.from_url(server.url) as client:
        client.flushall()
    return replace(settings, throttle=replace(settings.throttle, redis=server.url))


@pytest.fixture
def ewa() -> str:
    return f"ewa.{uuid.uuid4().hex}"


def reserve(subject: str, now: datetime = NOW, device: str | None = None, answered: Level = Level.PICTURES) -> Outcome:
    outcome = tries.reserve(LOG_IN, subject, now, device=device, network="192.0.2.7", answered=answered)
    if isinstance(outcome, Tried):
        db.session.commit()
    else:
        db.session.rollback()
    return outcome


def fail(subject: str, times: int, now: datetime = NOW, device: str | None = None) -> Tried:
    done = [reserve(subject, now, device) for _ in range(times)]
    tried = [one for one in done if isinstance(one, Tried)]
    assert len(tried) == times, done
    return tried[-1]


def rows() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Counter)) or 0


@pytest.mark.parametrize("seed", range(3))
def test_it_decides_as_the_ledger_in_memory(seed: int) -> None:
    memory_ledger.compare(seed)


def test_the_database_counts_nothing_but_known_browsers(ewa: str) -> None:
    fail(ewa, 3)
    assert rows() == 0

    tries.remember_browser("home", ewa, NOW)
    fail(ewa, 1, device="home")
    assert rows() == 1


def test_a_success_and_a_try_that_was_not_judged_are_taken_back(ewa: str) -> None:
    tries.settle(fail(ewa, 5), succeeded=True, now=NOW)
    assert isinstance(reserve(ewa, answered=Level.NONE), Tried)

    tries.release(fail(ewa, 4), NOW)
    assert fail(ewa, 1).level == Level.PICTURES
    assert reserve(ewa) == Wait(NOW + HALF_A_MINUTE)


def test_a_stop_stays_until_it_is_lifted(ewa: str) -> None:
    for number in range(100):
        fail(ewa, 1, NOW + number * timedelta(minutes=15))
    then = NOW + timedelta(days=2)
    tries.remember_browser("home", ewa, then)
    db.session.commit()

    assert reserve(ewa, then) == Stopped()
    assert tries.is_stopped(ewa, then)
    tries.settle(fail(ewa, 1, then, "home"), succeeded=True, now=then)
    db.session.commit()
    assert reserve(ewa, then) == Stopped()
    tries.begin_anew(ewa)
    assert isinstance(reserve(ewa, then, answered=Level.NONE), Tried)


@pytest.mark.parametrize(("answered", "allowed"), [(Level.NONE, 3), (Level.PICTURES, 5)])
def test_parallel_tries_share_one_budget(app: Flask, ewa: str, answered: Level, allowed: int) -> None:
    together = Barrier(8)

    def try_often(_number: int) -> int:
        with app.app_context():
            together.wait()
            return sum(isinstance(reserve(ewa, answered=answered), Tried) for _ in range(25))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_often, range(8))) == allowed


def test_it_knows_no_name_and_forgets_by_itself(ewa: str, server: RedisServer) -> None:
    fail(ewa, 1)
    with Redis.from_url(server.url) as client:
        keys = client.keys()

        assert len(keys) == 4
        assert not any(ewa.encode() in key or b"192.0.2" in key for key in keys)
        assert all(0 < client.ttl(key) <= 12 * 3600 for key in keys)


def test_a_restart_forgets_nothing(ewa: str, server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(ewa, 5)
    server.stop()
    server.start()
    monkeypatch.setattr(counting, "_paused_until", 0.0)

    assert reserve(ewa) == Wait(NOW + HALF_A_MINUTE)


def test_while_it_is_away_the_database_counts(ewa: str, server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = fail(ewa, 1)
    server.stop()
    try:
        tries.settle(under_way, succeeded=True, now=NOW)
        assert reserve(ewa, answered=Level.NONE) != Challenge(Level.BOX)
        fail(ewa, 4)
        assert reserve(ewa) == Wait(NOW + HALF_A_MINUTE)
        assert rows() == 4
        assert tries.waits_until(ewa, NOW) == NOW + HALF_A_MINUTE
    finally:
        server.start()
    monkeypatch.setattr(counting, "_paused_until", 0.0)
    assert isinstance(reserve(ewa), Tried), "it counts on from what it held"


def _doctor() -> list[tuple[str, str]]:
    return [(found.level, found.text) for found in doctor.examine(clock.now()) if found.subject == "throttle"]


def test_the_doctor_says_whether_it_counts(server: RedisServer) -> None:
    before = _doctor()
    server.stop()
    try:
        away = _doctor()
    finally:
        server.start()

    assert before == [("ok", "Redis counts wrong passwords")]
    assert [level for level, _text in away] == ["problem"]
    assert "Redis does not answer us (ConnectionError)" in away[0][1]


def test_the_doctor_warns_of_a_redis_that_throws_counts_away(server: RedisServer) -> None:
    with Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        thrown_away = _doctor()
        client.config_set("maxmemory-policy", "noeviction")
        kept = _doctor()
        client.config_set("maxmemory", "0")

    assert thrown_away == [
        (
            "problem",
            "Redis throws counts away when its memory is full (allkeys-lru); set its maxmemory-policy to noeviction",
        )
    ]
    assert kept == [("ok", "Redis counts wrong passwords")]
