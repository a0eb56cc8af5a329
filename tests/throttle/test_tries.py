"""Tries of a password: counted for a username, a network and everybody at once, exact however many come at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.database import db
from idp.throttle import tries
from idp.throttle.ladder import Challenge, Level, Stopped
from idp.throttle.models import Counter
from idp.throttle.rules import LOG_IN, Wait
from idp.throttle.store import ACCOUNT, DEVICE, NETWORK, NETWORK_HOUR, OVERALL
from idp.throttle.tries import Tried
from tests.counted import counted

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EWA, HERE = "ewa.kowalska", "192.0.2.7"
Outcome = Tried | Challenge | Wait | Stopped


def reserve(
    subject: str = EWA,
    now: datetime = NOW,
    *,
    device: str | None = None,
    network: str = HERE,
    answered: Level = Level.PICTURES,
) -> Outcome:
    outcome = tries.reserve(LOG_IN, subject, now, device=device, network=network, answered=answered)
    if isinstance(outcome, Tried):
        db.session.commit()
    else:
        db.session.rollback()
    return outcome


def fail(
    times: int,
    subject: str = EWA,
    *,
    every: timedelta = timedelta(0),
    now: datetime = NOW,
    device: str | None = None,
    network: str = HERE,
) -> Tried:
    """Fail so often, as far apart; return the last try."""
    tried: list[Tried] = []
    for number in range(times):
        outcome = reserve(subject, now + number * every, device=device, network=network)
        assert isinstance(outcome, Tried), (number, outcome)
        tried.append(outcome)
    return tried[-1]


def succeed(outcome: Outcome, now: datetime = NOW) -> None:
    assert isinstance(outcome, Tried)
    tries.settle(outcome, succeeded=True, now=now)
    db.session.commit()


def know(device: str, now: datetime = NOW, subject: str = EWA) -> None:
    tries.remember_browser(device, subject, now)
    db.session.commit()


def failures(kind: str) -> int:
    """Return what is counted of a kind, whatever its subject."""
    db.session.rollback()
    return db.session.scalar(select(func.sum(Counter.failures)).where(Counter.kind == kind)) or 0


def everywhere() -> tuple[int, ...]:
    return tuple(failures(kind) for kind in (ACCOUNT, NETWORK, NETWORK_HOUR, OVERALL))


@pytest.mark.usefixtures("app")
def test_three_failures_bring_the_box_five_the_pictures_and_a_wait() -> None:
    levels = [fail(1).level for _ in range(2)] + [fail(1).level]

    assert levels == [Level.NONE, Level.NONE, Level.BOX]
    assert reserve(answered=Level.NONE) == Challenge(Level.BOX)
    assert fail(2).level == Level.PICTURES
    assert reserve() == Wait(NOW + 30 * SECOND)
    assert reserve(now=NOW + 30 * SECOND, answered=Level.BOX) == Challenge(Level.PICTURES)
    assert isinstance(reserve(now=NOW + 30 * SECOND), Tried)
    assert reserve(now=NOW + 30 * SECOND) == Wait(NOW + 90 * SECOND)
    assert everywhere() == (6, 6, 6, 6)


@pytest.mark.usefixtures("app")
def test_the_waits_double_up_to_fifteen_minutes() -> None:
    now, waits = NOW, []
    fail(4)
    for _ in range(7):
        fail(1, now=now)
        until = tries.waits_until(EWA, now)
        assert until is not None
        waits.append((until - now).total_seconds())
        now = until

    assert waits == [30, 60, 120, 240, 480, 900, 900]


@pytest.mark.usefixtures("app")
def test_a_success_clears_the_account_and_takes_itself_back_from_the_network() -> None:
    fail(3, subject="somebody.else")
    succeed(fail(4))

    assert everywhere() == (3, 6, 6, 6)
    fail(5)
    assert isinstance(reserve(), Wait)


@pytest.mark.usefixtures("app")
def test_the_fifth_try_that_succeeds_leaves_no_wait() -> None:
    succeed(fail(5))

    assert isinstance(reserve(answered=Level.NONE), Tried)


@pytest.mark.usefixtures("app")
def test_one_subjects_success_changes_nothing_for_another() -> None:
    fail(5)
    succeed(fail(1, subject="somebody.else"))

    assert isinstance(reserve(), Wait)


@pytest.mark.usefixtures("app")
def test_failures_are_forgotten_twelve_hours_after_the_last_one() -> None:
    fail(4)
    fail(1, now=NOW + 11 * HOUR)

    assert isinstance(reserve(now=NOW + 11 * HOUR + 29 * SECOND), Wait)
    assert fail(2, now=NOW + 23 * HOUR).level == Level.NONE


@pytest.mark.usefixtures("app")
def test_twenty_failures_of_a_network_in_five_minutes_bring_the_box_for_it_alone() -> None:
    for number in range(20):
        fail(1, subject=f"parent{number}", now=NOW + number * SECOND)

    later = NOW + 5 * MINUTE - SECOND
    assert reserve("anybody", later, answered=Level.NONE) == Challenge(Level.BOX)
    assert isinstance(reserve("anybody", later, network="192.0.2.8", answered=Level.NONE), Tried)
    assert isinstance(reserve("anybody", NOW + 5 * MINUTE, answered=Level.NONE), Tried)


@pytest.mark.usefixtures("app")
def test_a_hundred_in_an_hour_bring_the_pictures_and_a_thousand_a_wait() -> None:
    fail(1, subject="parent")
    hour = db.session.scalars(select(Counter).where(Counter.kind == NETWORK_HOUR)).one()
    hour.failures = 99
    db.session.commit()

    assert isinstance(reserve("a", answered=Level.NONE), Tried)
    assert reserve("b", answered=Level.BOX) == Challenge(Level.PICTURES)
    hour = db.session.scalars(select(Counter).where(Counter.kind == NETWORK_HOUR)).one()
    hour.failures = 999
    db.session.commit()
    fail(1, subject="c")
    assert reserve("d") == Wait(NOW + 15 * MINUTE)
    fail(1, subject="d", now=NOW + 15 * MINUTE)
    assert reserve("e", NOW + 15 * MINUTE) == Wait(NOW + 30 * MINUTE)
    fail(2, subject="f", now=NOW + HOUR)


@pytest.mark.usefixtures("app")
def test_a_thousand_everywhere_bring_the_box_for_everybody() -> None:
    fail(1)
    overall = db.session.scalars(select(Counter).where(Counter.kind == OVERALL)).one()
    overall.failures = 1000
    db.session.commit()

    assert reserve("anybody", network="192.0.2.8", answered=Level.NONE) == Challenge(Level.BOX)
    assert tries.level(None, NOW, device=None, network="192.0.2.9") == Level.BOX
    assert tries.level(None, NOW + 5 * MINUTE, device=None, network="192.0.2.9") == Level.NONE


@pytest.mark.usefixtures("app")
def test_a_known_browser_has_a_budget_of_its_own_that_no_stranger_spends() -> None:
    know("home")
    fail(5, network="203.0.113.1")

    assert isinstance(reserve(), Wait)
    assert fail(5, device="home").level == Level.PICTURES
    assert reserve(device="home") == Wait(NOW + 15 * MINUTE)
    assert everywhere() == (5, 5, 5, 5), "a known browser counts nowhere else"
    fail(5, device="home", now=NOW + 15 * MINUTE)
    assert reserve(device="home", now=NOW + 15 * MINUTE) == Wait(NOW + 30 * MINUTE)


@pytest.mark.usefixtures("app")
def test_a_known_browser_sees_the_box_after_failures_from_anywhere() -> None:
    know("home")
    fail(3)

    assert reserve(device="home", answered=Level.NONE) == Challenge(Level.BOX)
    succeed(reserve(device="home", answered=Level.BOX))
    assert everywhere() == (0, 3, 3, 3)
    assert isinstance(reserve(device="home", answered=Level.NONE), Tried)


@pytest.mark.usefixtures("app")
def test_a_browser_is_known_at_the_username_that_it_logged_in_to_and_nowhere_else() -> None:
    know("mine", subject="an.attacker")
    fail(3, device="mine")

    assert everywhere() == (3, 3, 3, 3)
    assert reserve(device="mine", answered=Level.NONE) == Challenge(Level.BOX)
    assert failures(DEVICE) == 0


@pytest.mark.usefixtures("app")
def test_ten_browsers_of_an_account_are_known_at_most_and_the_one_used_longest_ago_makes_room() -> None:
    for number in range(10):
        know(f"browser {number}", NOW + number * SECOND)
    succeed(reserve(device="browser 0", now=NOW + MINUTE), NOW + MINUTE)
    know("browser 10", NOW + 2 * MINUTE)

    known = [number for number in range(11) if is_known(f"browser {number}", NOW + 3 * MINUTE)]
    assert known == [0, *range(2, 11)]


def is_known(device: str, now: datetime) -> bool:
    outcome = reserve(device=device, now=now)
    assert isinstance(outcome, Tried)
    succeed(outcome, now)
    return outcome.is_known


@pytest.mark.usefixtures("app")
def test_a_browser_is_forgotten_with_a_new_password_and_half_a_year_after_its_last_log_in() -> None:
    know("home")
    know("work")
    know("home", subject="a.neighbour")
    succeed(reserve(device="home", now=NOW + 100 * DAY), NOW + 100 * DAY)

    assert is_known("home", NOW + 279 * DAY)
    assert not is_known("work", NOW + 180 * DAY)
    tries.begin_anew(EWA)
    db.session.commit()
    assert not is_known("home", NOW + 279 * DAY)


@pytest.mark.usefixtures("app")
def test_a_browser_that_is_forgotten_while_its_password_is_looked_at_stays_forgotten() -> None:
    know("home")
    outcome = reserve(device="home")
    tries.begin_anew(EWA)
    db.session.commit()
    succeed(outcome)

    assert not is_known("home", NOW)


def fail_until_stopped(device: str | None = None) -> Tried:
    return fail(100, every=15 * MINUTE, device=device)


STOPPED_AT = NOW + 100 * 15 * MINUTE


@pytest.mark.usefixtures("app")
def test_after_a_hundred_in_a_row_known_browsers_alone_get_an_answer() -> None:
    know("home")
    last = fail_until_stopped()

    assert last.stops
    assert reserve(now=STOPPED_AT) == Stopped()
    assert reserve(now=STOPPED_AT + 300 * DAY) == Stopped()
    succeed(reserve(device="home", now=STOPPED_AT, answered=Level.NONE), STOPPED_AT)
    assert reserve(now=STOPPED_AT) == Stopped(), "who guesses elsewhere does not begin anew when the owner logs in"
    assert tries.is_stopped(EWA, STOPPED_AT)
    tries.clear(EWA)
    db.session.commit()
    assert isinstance(reserve(now=STOPPED_AT, answered=Level.NONE), Tried)
    assert not tries.is_stopped(EWA, STOPPED_AT)


@pytest.mark.usefixtures("app")
def test_the_hundredth_that_is_right_stops_nothing() -> None:
    succeed(fail_until_stopped(), STOPPED_AT)

    assert isinstance(reserve(now=STOPPED_AT, answered=Level.NONE), Tried)


@pytest.mark.usefixtures("app")
def test_a_known_browser_that_fails_a_hundred_times_in_a_row_is_a_strangers_again() -> None:
    know("home")
    fail_until_stopped(device="home")

    assert failures(ACCOUNT) == 0
    fail(1, device="home", now=STOPPED_AT)
    assert failures(ACCOUNT) == 1


@pytest.mark.usefixtures("app")
def test_a_try_that_was_not_judged_leaves_nothing() -> None:
    take_back(fail(1))

    assert everywhere() == (0, 0, 0, 0)


def take_back(tried: Tried) -> None:
    tries.release(tried, NOW)
    db.session.commit()


@pytest.mark.usefixtures("app")
def test_the_fifth_try_that_was_not_judged_leaves_four_and_no_wait() -> None:
    take_back(fail(5))

    assert everywhere() == (4, 4, 4, 4)
    fail(1)
    assert isinstance(reserve(), Wait)


@pytest.mark.usefixtures("app")
def test_a_try_that_was_not_judged_takes_back_itself_and_not_what_failed_after_it() -> None:
    fail(3)
    first, _fifth = fail(1), fail(1)
    take_back(first)

    assert everywhere() == (4, 4, 4, 4)


@pytest.mark.usefixtures("app")
def test_a_try_that_was_not_judged_takes_nothing_from_a_count_that_began_anew() -> None:
    tried = fail(1)
    succeed(fail(1))
    fail(1, now=NOW + SECOND)
    take_back(tried)

    assert everywhere() == (1, 1, 1, 1)


@pytest.mark.usefixtures("app")
def test_a_known_browsers_try_is_taken_back_with_its_wait() -> None:
    know("home")
    take_back(fail(5, device="home"))

    fail(1, device="home")
    assert failures(DEVICE) == 5
    assert isinstance(reserve(device="home"), Wait)


@pytest.mark.parametrize(
    ("answered", "device", "allowed"),
    [
        (Level.NONE, None, 3),
        (Level.PICTURES, None, 5),
        (Level.NONE, "home", 3),
        (Level.PICTURES, "home", 5),
    ],
)
def test_parallel_tries_share_one_budget(app: Flask, answered: Level, device: str | None, allowed: int) -> None:
    know("home")
    together = Barrier(8)

    def try_often(_number: int) -> int:
        with app.app_context():
            together.wait()
            return sum(isinstance(reserve(answered=answered, device=device), Tried) for _ in range(25))

    with ThreadPoolExecutor(8) as pool:
        passed = sum(pool.map(try_often, range(8)))

    assert passed == allowed
    assert failures(DEVICE if device else ACCOUNT) == allowed


def test_parallel_tries_at_many_accounts_from_one_network_neither_lock_nor_lose_a_count(app: Flask) -> None:
    """Each fails, or succeeds, or is taken back, in an order of its own."""
    together = Barrier(4)

    def live(number: int) -> None:
        with app.app_context():
            together.wait()
            for turn in range(18):
                tried = reserve(f"parent{(number * 7 + turn) % 9}-{number}")
                assert isinstance(tried, Tried)
                if turn % 3 == 0:
                    succeed(tried)
                elif turn % 3 == 1:
                    take_back(tried)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(live, range(4)))

    assert everywhere()[1:] == (24, 24, 24)


@pytest.mark.usefixtures("app")
def test_the_ledger_holds_no_name() -> None:
    know("home")
    fail(1)
    fail(1, device="home")

    for row in db.session.execute(select(Counter.__table__)):
        assert not any(word in str(value).encode() for value in row for word in (b"ewa", b"192.0.2", b"home"))


@pytest.mark.usefixtures("app")
def test_a_try_costs_two_statements_and_a_success_one_more() -> None:
    know("home")
    for device in (None, "home"):
        with counted() as spent:
            tried = tries.reserve(LOG_IN, EWA, NOW, device=device, network=HERE)
        assert [text.split()[0] for text in spent.statements] == ["SELECT", "UPDATE" if device else "INSERT"]
        assert isinstance(tried, Tried)
        with counted() as spent:
            tries.settle(tried, succeeded=False, now=NOW)
        assert spent.statements == []
        with counted() as spent:
            tries.settle(tried, succeeded=True, now=NOW)
        assert len(spent.statements) == 1
        db.session.commit()


@pytest.mark.usefixtures("app")
def test_a_try_that_has_to_wait_or_to_show_more_writes_nothing() -> None:
    fail(3)
    with counted() as spent:
        assert isinstance(tries.reserve(LOG_IN, EWA, NOW, device=None, network=HERE), Challenge)
    fail(2)
    with counted() as waiting:
        assert isinstance(tries.reserve(LOG_IN, EWA, NOW, device=None, network=HERE), Wait)

    assert [text.split()[0] for text in spent.statements + waiting.statements] == ["SELECT", "SELECT"]


@pytest.mark.usefixtures("app")
def test_what_a_page_shows_before_anything_is_typed() -> None:
    fail(3)
    know("home")

    assert tries.level(None, NOW, device=None, network=HERE) == Level.NONE
    assert tries.level(EWA, NOW, device=None, network="192.0.2.99") == Level.BOX
    assert tries.level(EWA, NOW, device="home", network="192.0.2.99") == Level.BOX
    assert tries.level("nobody", NOW, device="home", network=HERE) == Level.NONE
