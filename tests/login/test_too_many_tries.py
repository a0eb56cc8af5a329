"""Too many wrong passwords make the next try wait: counted before the hash, for known and unknown usernames alike."""

import dataclasses
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import clock
from idp.database import db
from idp.login import service
from idp.login.password_check import Busy, Refused
from idp.login.service import Attempt
from idp.settings import Settings
from idp.throttle.models import Counter
from idp.throttle.rules import Wait
from idp.throttle.store import ACCOUNT
from tests.factories import Person
from tests.ladders import without_robot_checks
from tests.login.conftest import events
from tests.pages import Browser, Page

WRONG = "a password that is wrong"
Travel = Callable[[timedelta], AbstractContextManager[None]]
SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wrong passwords bring waits here; the robot checks before them are tested elsewhere."""
    return without_robot_checks(settings)


def fail(browser: Browser, username: str, times: int = 5) -> Page:
    for _ in range(times):
        answer = browser.log_in(username, WRONG, path="/login")
    return answer


def test_the_try_after_the_fifth_failure_waits_and_says_how_long(browser: Browser, parent: Person) -> None:
    fifth = fail(browser, parent.username)
    sixth = browser.log_in(parent.username, parent.password)

    assert (fifth.status, sixth.status) == (422, 429)
    assert "Please wait 30 seconds, then try again." in sixth.words
    assert 28 <= int(sixth.headers["Retry-After"]) <= 30
    assert sixth.value("Username") == parent.username
    assert sixth.headers["Cache-Control"] == "no-store"


def test_th14_a_username_that_nobody_has_waits_alike(browser: Browser, parent: Person) -> None:
    fail(browser, parent.username)
    fail(browser, "nobody")
    known = browser.log_in(parent.username, WRONG)
    unknown = browser.log_in("nobody", WRONG)

    assert known.status == unknown.status == 429
    assert unsteady(known.words) == unsteady(unknown.words)
    assert set(known.headers.keys()) == set(unknown.headers.keys())


def failures() -> int:
    counted = select(func.sum(Counter.failures)).where(Counter.kind == ACCOUNT, Counter.expires_at > clock.now())
    return db.session.scalar(counted) or 0


def unsteady(words: str) -> str:
    """Leave the seconds out: they run."""
    return re.sub(r"\d+ seconds", "… seconds", words)


def test_th5_every_spelling_of_a_username_shares_one_counter(browser: Browser, account: Callable[..., Person]) -> None:
    account("zoë.müller")
    for spelling in ("zoë.müller", "ZOË.MÜLLER", " zoe\u0308.mu\u0308ller ", "\uff5aoë.müller", "zoë.mül\u200bler"):
        browser.log_in(spelling, WRONG)

    assert browser.log_in("zoë.müller", WRONG).status == 429


def test_th3_a_forged_address_changes_nothing(browser: Browser, parent: Person) -> None:
    for number in range(5):
        browser.headers = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": "a", "Forwarded": "for=b"}
        browser.log_in(parent.username, WRONG)

    assert browser.log_in(parent.username, WRONG).status == 429
    assert {event.address for event in events("log_in")} == {"127.0.0.1"}


def test_after_the_wait_the_right_password_works_and_forgets_the_failures(
    browser: Browser, parent: Person, travel: Travel
) -> None:
    fail(browser, parent.username)
    with travel(timedelta(seconds=31)):
        assert browser.log_in(parent.username, parent.password).status == 303
        assert failures() == 0


def test_the_wait_doubles_up_to_fifteen_minutes(browser: Browser, parent: Person, travel: Travel) -> None:
    fail(browser, parent.username)
    after, waits = timedelta(0), []
    for _ in range(7):
        with travel(after):
            waits.append(int(browser.log_in(parent.username, WRONG).headers["Retry-After"]))
        after += timedelta(seconds=waits[-1] + 1)
        with travel(after):
            assert browser.log_in(parent.username, WRONG).status == 422

    for waited, wanted in zip(waits, [30, 60, 120, 240, 480, 900, 900], strict=True):
        assert wanted - 2 <= waited <= wanted


def test_the_wait_is_told_in_minutes_when_it_is_long(browser: Browser, parent: Person, travel: Travel) -> None:
    fail(browser, parent.username)
    with travel(timedelta(seconds=31)):
        fail(browser, parent.username, 1)
        assert "Please wait 1 minute, then try again." in browser.log_in(parent.username, WRONG).words
    with travel(timedelta(seconds=93)):
        fail(browser, parent.username, 1)
        assert "Please wait 2 minutes, then try again." in browser.log_in(parent.username, WRONG).words


def test_another_persons_tries_are_not_counted(browser: Browser, parent: Person, admin: Person) -> None:
    fail(browser, parent.username)

    assert browser.log_in(admin.username, admin.password, path="/login").status == 303


def test_failures_are_on_record_and_tries_that_wait_fill_none(browser: Browser, parent: Person) -> None:
    fail(browser, parent.username, 9)

    recorded = [(event.outcome, event.account_id, event.details) for event in events("log_in")]
    assert recorded == [("failure", parent.id, {"reason": "wrong_password"})] * 5


def test_200_parallel_guesses_share_one_budget(app: Flask, parent: Person) -> None:
    """The right password is among them: it opens nothing once the budget is spent."""
    together = Barrier(8)
    browser = service.Browser(None, "", "")

    def guess(number: int) -> list[type]:
        outcomes = []
        with app.app_context():
            together.wait()
            for _ in range(25):
                attempt = Attempt(
                    parent.username, f"guess {number}", shared_computer=False, client_id=None, browser=browser
                )
                outcomes.append(type(service.log_in(attempt, clock.now())))
        return outcomes

    with ThreadPoolExecutor(8) as pool:
        outcomes = [outcome for some in pool.map(guess, range(8)) for outcome in some]

    assert outcomes.count(Refused) == 5
    assert outcomes.count(Wait) + outcomes.count(Busy) == 195


@pytest.fixture
def unreachable(settings: Settings, build_app: Callable[[Settings], Flask]) -> Browser:
    """A provider whose database can't be reached."""
    nowhere = dataclasses.replace(settings.database, url="postgresql://nobody@127.0.0.1:1/none")
    app = build_app(dataclasses.replace(settings, database=nowhere))
    return Browser(app.test_client(), settings.server.issuer)


def test_without_its_ledger_nobody_gets_in(unreachable: Browser) -> None:
    unreachable.open("/login")
    answer = unreachable.log_in("ewa.kowalska", WRONG)

    assert answer.status == 503
    assert "Retry-After" in answer.headers
