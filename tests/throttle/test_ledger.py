"""The ledger of tries: reserved before they are judged, exact however many come at once, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.database import db
from idp.throttle import service
from idp.throttle.models import Counter
from idp.throttle.rules import FORGOTTEN_CODE, FORGOTTEN_NETWORK, WRONG_LINKS, Wait
from idp.throttle.service import Reserved

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


def reserve(kind: str = FORGOTTEN_CODE, subject: str = "ewa.kowalska", now: datetime = NOW) -> Reserved | Wait:
    reserved = service.reserve(kind, subject, now)
    db.session.commit()
    return reserved


def spend(tries: int, kind: str = FORGOTTEN_CODE, subject: str = "ewa.kowalska", now: datetime = NOW) -> Reserved:
    """Fail so often; return the last try."""
    reserved = [one for one in (reserve(kind, subject, now) for _ in range(tries)) if isinstance(one, Reserved)]
    assert len(reserved) == tries
    return reserved[-1]


@pytest.mark.usefixtures("app")
def test_when_the_budget_is_spent_the_next_try_waits_for_the_windows_end() -> None:
    spend(5)

    assert reserve() == Wait(NOW + timedelta(minutes=10))
    assert isinstance(reserve(subject="other.parent"), Reserved)
    assert isinstance(reserve(now=NOW + timedelta(minutes=10)), Reserved)


@pytest.mark.usefixtures("app")
def test_each_kind_of_try_has_a_budget_of_its_own() -> None:
    spend(5)

    assert isinstance(reserve(FORGOTTEN_NETWORK), Reserved)
    assert isinstance(reserve(WRONG_LINKS), Reserved)


def test_parallel_tries_share_one_budget(app: Flask) -> None:
    together = Barrier(8)

    def try_often(_number: int) -> int:
        with app.app_context():
            together.wait()
            return sum(isinstance(reserve(), Reserved) for _ in range(25))

    with ThreadPoolExecutor(8) as pool:
        passed = sum(pool.map(try_often, range(8)))

    assert passed == 5
    assert db.session.scalar(select(Counter.failures)) == 5


@pytest.mark.usefixtures("app")
def test_the_ledger_holds_no_name() -> None:
    spend(1)

    row = db.session.execute(select(Counter.__table__)).one()
    assert not any(b"ewa" in str(value).encode() for value in row)


@pytest.mark.usefixtures("app")
def test_counters_past_their_time_are_deleted_in_batches() -> None:
    for number in range(5):
        spend(1, subject=f"parent{number}")
    spend(1, subject="still.counts", now=NOW + timedelta(minutes=6))
    db.session.commit()
    later = NOW + timedelta(minutes=13)

    deleted = [next(service.delete_expired(later, limit=3), 0) for _ in range(3)]
    db.session.commit()

    assert deleted == [3, 2, 0]
    assert db.session.scalar(select(func.count()).select_from(Counter)) == 1


def counted() -> int | None:
    db.session.rollback()
    return db.session.scalar(select(Counter.failures))


@pytest.mark.usefixtures("app")
def test_a_first_try_that_was_not_judged_leaves_nothing() -> None:
    service.release(spend(1))
    db.session.commit()

    assert counted() is None


@pytest.mark.usefixtures("app")
def test_the_fifth_try_that_was_not_judged_leaves_four_and_no_wait() -> None:
    service.release(spend(5))
    db.session.commit()

    assert counted() == 4
    assert isinstance(reserve(), Reserved)
    assert isinstance(reserve(), Wait)


@pytest.mark.usefixtures("app")
def test_a_try_that_was_not_judged_takes_back_itself_and_not_what_failed_after_it() -> None:
    spend(3)
    first, _fifth = spend(1), spend(1)
    service.release(first)
    db.session.commit()

    assert counted() == 4


@pytest.mark.usefixtures("app")
def test_a_try_that_was_not_judged_takes_nothing_from_a_count_that_began_anew() -> None:
    reserved = spend(1)
    spend(1, now=NOW + timedelta(minutes=10))
    service.release(reserved)
    db.session.commit()

    assert counted() == 1


def test_parallel_tries_that_were_not_judged_leave_nothing(app: Flask) -> None:
    together = Barrier(4)

    def try_and_take_back(_number: int) -> None:
        with app.app_context():
            together.wait()
            for _ in range(10):
                reserved = reserve()
                assert isinstance(reserved, Reserved), "four at once never fill a budget of five"
                service.release(reserved)
                db.session.commit()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(try_and_take_back, range(4)))

    assert counted() is None


@pytest.mark.usefixtures("app")
def test_pruning_waits_for_nobody_who_counts_just_now() -> None:
    """A try takes several rows in one order; pruning takes them in another, and waits for none of them."""
    for number in range(3):
        spend(1, subject=f"parent{number}")
    later, is_postgresql = NOW + timedelta(minutes=13), db.engine.dialect.name == "postgresql"
    with db.engine.connect() as somebody:
        if is_postgresql:  # on SQLite nobody else writes meanwhile
            somebody.execute(select(Counter.digest).limit(1).with_for_update())
        deleted = next(service.delete_expired(later, limit=10), 0)
        db.session.commit()

    assert deleted == (2 if is_postgresql else 3)
