"""When too many passwords wait, a person is asked to try again: nothing is lost but the password, nothing counts."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.pool import QueuePool

from idp import clock
from idp.accounts import hashing
from idp.accounts import service as accounts
from idp.admin import people
from idp.database import db, release
from idp.login import service
from idp.login.password_check import Busy
from idp.login.service import Attempt
from idp.settings import Settings
from idp.throttle.models import Counter
from idp.throttle.store import ACCOUNT
from tests.factories import Person, Registered
from tests.ladders import without_robot_checks
from tests.login.conftest import events, request_of
from tests.pages import Browser, Page

HERE = "127.0.0.1"
NEW = "violin sketch harbour plum"
NOBODY = service.Browser(None, "", "")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A log-in waits for two seconds at most, so that a test need not wait longer; no robot check comes before it."""
    return replace(without_robot_checks(settings), passwords=replace(settings.passwords, longest_wait_seconds=2))


@contextmanager
def hashing_held(*, full: bool, line: str = HERE) -> Iterator[None]:
    """Keep every hash under way from ending; when it is full, as many of one network wait behind them as may."""
    go_on, begun, queue = threading.Event(), threading.Semaphore(0), hashing.queue()

    def held() -> bytes:
        begun.release()
        go_on.wait()
        return b""

    running = hashing.slots(Settings())
    with ThreadPoolExecutor(64) as held_up:
        for _ in range(running):
            held_up.submit(queue.run, line, held, 60.0)
            begun.acquire()
        while full and queue.expected_wait(line) < math.inf:
            held_up.submit(queue.run, line, held, 60.0)
            time.sleep(0.001)
        try:
            yield
        finally:
            go_on.set()


@contextmanager
def waiting(act: Callable[[], object]) -> Iterator[None]:
    """Run the block while somebody who does this stands in the queue; every hash under way is held."""
    with ThreadPoolExecutor(1) as others, hashing_held(full=False):
        expected = hashing.queue().expected_wait("elsewhere")
        done = others.submit(act)
        while hashing.queue().expected_wait("elsewhere") == expected:
            assert not done.done()
            time.sleep(0.001)
        yield


def busy(log_in: Callable[[], Page]) -> Page:
    """Try to log in while there is no room."""
    with hashing_held(full=True):
        page = log_in()
    assert (page.status, page.headers["Retry-After"]) == (503, "2")
    assert "Many people are logging in just now" in page.words
    assert page.title.startswith("Please try again – ")
    assert page.headers["Cache-Control"] == "no-store"
    return page


def counters() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Counter)) or 0


def test_the_page_keeps_the_username_and_asks_for_the_password_again(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    page = busy(lambda: browser.log_in(parent.username, parent.password, shared_computer=True))

    assert page.value("Username") == parent.username
    assert page.field("This is a shared computer").get("checked") is not None
    assert page.value("Password") == ""
    assert page.field("Password").get("autofocus") is not None
    assert "Type it again: it was not kept." in page.error("Password")
    assert parent.password not in page.text
    assert "Error:" not in page.words


def test_the_next_try_ends_where_the_person_was_heading(
    browser: Browser, parent: Person, gradebook: Registered
) -> None:
    browser.open(request_of(gradebook), follow=True)
    busy(lambda: browser.log_in(parent.username, parent.password))

    browser.fill("Password", parent.password).press("Log In")
    browser.follow()
    assert (browser.location or "").startswith(gradebook.redirect_uri + "?code=")


def test_nothing_is_counted_or_recorded(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    for _ in range(8):
        busy(lambda: browser.log_in(parent.username, "a password that is wrong"))

    assert counters() == 0
    assert events("log_in") == []
    assert browser.log_in(parent.username, parent.password).status == 303


def test_a_username_that_nobody_has_is_told_the_same(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    known = busy(lambda: browser.log_in(parent.username, "a password that is wrong"))
    unknown = busy(lambda: browser.log_in("nobody", "a password that is wrong"))

    assert known.words == unknown.words
    assert set(known.headers.keys()) == set(unknown.headers.keys())


def test_a_try_whose_turn_does_not_come_is_taken_back(app: Flask, browser: Browser, parent: Person) -> None:
    """It is reserved before it waits; had it counted, the fifth would make the next one wait half a minute."""
    for _ in range(4):
        browser.log_in(parent.username, "a password that is wrong", path="/login")
    with hashing_held(full=False):
        outcome = log_in(app, parent)

    assert isinstance(outcome, Busy)
    assert db.session.scalar(select(Counter.failures).where(Counter.kind == ACCOUNT)) == 4
    assert browser.log_in(parent.username, "a password that is wrong").status == 422
    assert browser.log_in(parent.username, "a password that is wrong").status == 429


def test_the_password_asked_again_is_told_alike(
    browser: Browser, parent: Person, travel: Callable[[timedelta], AbstractContextManager[None]]
) -> None:
    browser.log_in(parent.username, parent.password, path="/login")
    browser.open("/reauthenticate?next=/account")
    page = busy(lambda: browser.fill("Password", parent.password).press("Log In"))

    assert page.value("Password") == ""
    assert page.field("Password").get("autofocus") is not None
    assert browser.fill("Password", parent.password).press("Log In").location == "/account"


def test_a_new_password_is_told_alike_and_the_temporary_one_still_works(browser: Browser, parent: Person) -> None:
    issued = people.issue_temporary_password(parent.username, actor_id=None, now=clock.now())
    assert isinstance(issued, people.WithTemporaryPassword)
    browser.log_in(parent.username, issued.temporary_password, path="/login?next=/account")
    browser.follow()
    page = busy(lambda: browser.fill("New Password", NEW).press("Save"))

    assert page.value("New Password") == ""
    assert "has not been saved yet" in page.words
    assert accounts.get_known(parent.id).credentials.temporary_digest is not None
    assert browser.fill("New Password", NEW).press("Save").location == "/account"


def test_a_parent_at_home_gets_in_while_another_network_fills_the_queue(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    browser.address = "192.0.2.7"
    answers: list[int] = []
    with hashing_held(full=True, line="203.0.113.9"):
        trying = threading.Thread(
            target=lambda: answers.append(browser.log_in(parent.username, parent.password).status)
        )
        trying.start()
        while hashing.queue().expected_wait("192.0.2.7") == hashing.queue().expected_wait("198.51.100.1"):
            time.sleep(0.001)  # until it stands in the queue
    trying.join()

    assert answers == [303]


@pytest.mark.parametrize("door", ["log in", "password again", "new password"])
def test_whoever_waits_holds_no_connection(door: str, browser: Browser, parent: Person) -> None:
    """A pool has eight of them, and tokens need one."""
    if door == "log in":
        browser.open("/login")
        browser.fill("Username", parent.username).fill("Password", parent.password)
        button = "Log In"
    elif door == "password again":
        browser.log_in(parent.username, parent.password, path="/login")
        browser.open("/reauthenticate?next=/account")
        browser.fill("Password", parent.password)
        button = "Log In"
    else:
        issued = people.issue_temporary_password(parent.username, actor_id=None, now=clock.now())
        assert isinstance(issued, people.WithTemporaryPassword)
        browser.log_in(parent.username, issued.temporary_password, path="/login")
        browser.follow()
        browser.fill("New Password", NEW)
        button = "Save"
    release()
    pool, answers = db.engine.pool, list[int]()
    assert isinstance(pool, QueuePool)
    with waiting(lambda: answers.append(browser.press(button).status)):
        held = pool.checkedout()

    assert held == 0
    assert answers == [303]


def log_in(app: Flask, person: Person) -> object:
    with app.app_context():
        attempt = Attempt(person.username, person.password, shared_computer=False, client_id=None, browser=NOBODY)
        return service.log_in(attempt, clock.now())
