"""R22: whose username somebody tries to log in with sees it in Settings, and hears of it by one mail a day at most."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from idp import clock, worker
from idp.accounts import security_emails
from idp.admin import people
from idp.captcha import models as captcha
from idp.captcha import vouching
from idp.database import db
from idp.login import notices
from idp.login.notices import LogIn
from idp.settings import Settings
from tests.factories import Person
from tests.login.conftest import events
from tests.pages import Browser, Page
from tests.recovery.letters import Letter, letters

Travel = Callable[[timedelta], AbstractContextManager[None]]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WRONG = "a password that is wrong"
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
SUBJECT = "Somebody tried to log in with your username"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Passwords may be wrong often, and the district speaks two languages."""
    throttle = replace(settings.throttle, account_failures=100)
    return replace(settings, throttle=throttle, district=replace(settings.district, languages=("en", "es")))


@pytest.fixture
def reached(app: Flask) -> list[int]:
    """How far the worker has read; it begins with what comes from now on."""
    return [notices.tell_due(None, clock.now())]


def log_in(browser: Browser, username: str, password: str) -> Page:
    """Log in with the box checked, whether or not it is asked for."""
    page = browser.open("/login")
    token = next(item.get("value") for item in page.root.all("input") if item.get("name") == "csrf_token")
    vouched = vouching.vouch(captcha.LOG_IN, browser=browser.cookies["idp_browser"], now=clock.now())
    db.session.commit()
    typed = {"username": username, "password": password, "robot": "yes", "robot_answer": vouched.answer}
    return browser.send("POST", "/login", data=typed | {"csrf_token": token})


def fail(browser: Browser, username: str, times: int = 3) -> None:
    for _ in range(times):
        assert log_in(browser, username, WRONG).status == 422


def work(reached: list[int]) -> list[Letter]:
    """Let the worker do what is due, and return the mails of this kind that there are."""
    worker.seal_all()
    reached.append(notices.tell_due(reached[-1], clock.now()))
    return [letter for letter in letters() if letter.kind == "login/tries"]


def at(minute: float, address: str = "192.0.2.1", *, is_right: bool = False) -> LogIn:
    return LogIn(NOON + minute * MINUTE, address, is_right)


@pytest.mark.parametrize(
    ("log_ins", "minutes"),
    [
        ([], []),
        ([at(1), at(2), at(3)], [1, 2, 3]),
        ([at(3), at(1), at(2)], [1, 2, 3]),
        ([at(1), at(2), at(3), at(4, is_right=True)], []),
        ([at(1), at(2, is_right=True), at(3)], [3]),
        ([at(1), at(12, is_right=True)], [1]),
        ([at(1), at(11, is_right=True)], []),
        ([at(1), at(2, "192.0.2.9", is_right=True)], [1]),
        ([at(1), at(2, "192.0.2.9"), at(3, is_right=True)], [2]),
        ([at(1, is_right=True), at(1)], []),
    ],
)
def test_whoever_gets_in_soon_after_has_mistyped(log_ins: Sequence[LogIn], minutes: list[float]) -> None:
    assert notices.unexplained(log_ins) == [NOON + minute * MINUTE for minute in minutes]


def test_r22_the_guardian_hears_that_somebody_tried(
    new_browser: Callable[[], Browser], parent: Person, reached: list[int], travel: Travel
) -> None:
    fail(new_browser(), parent.username)
    assert work(reached) == [], "whoever mistypes gets time to get in"

    with travel(11 * MINUTE):
        (letter,) = work(reached)

        assert (letter.to, letter.subject) == (parent.email, SUBJECT)
        assert f"as {parent.username}" in letter.text
        assert "Wrong passwords in the last day: 3" in letter.text
        assert "I'm not a robot" in letter.text
        assert "http://localhost:5000/forgot-password" in letter.text
        assert "http://localhost:5000/account/history" in letter.html
        assert WRONG not in letter.text + letter.html

        browser = new_browser()
        log_in(browser, parent.username, parent.password)
        page = browser.open("/account/history")
        assert page.words.count("A try to log in") == 3
        assert "We mailed you about log-ins that failed" in page.words


def test_two_wrong_passwords_are_nobody_s_business(
    browser: Browser, parent: Person, reached: list[int], travel: Travel
) -> None:
    fail(browser, parent.username, times=2)

    with travel(11 * MINUTE):
        assert work(reached) == []


def test_a_parent_who_mistypes_and_gets_in_is_not_written_to(
    browser: Browser, parent: Person, reached: list[int], travel: Travel
) -> None:
    fail(browser, parent.username, times=4)
    assert log_in(browser, parent.username, parent.password).status == 303

    with travel(11 * MINUTE):
        assert work(reached) == []


def test_one_mail_a_day_however_often_somebody_tries(
    new_browser: Callable[[], Browser], parent: Person, reached: list[int], travel: Travel
) -> None:
    for hour in range(0, 23, 4):
        with travel(hour * HOUR):
            fail(new_browser(), parent.username)
        with travel(hour * HOUR + 11 * MINUTE):
            assert len(work(reached)) == 1

    with travel(26 * HOUR):
        fail(new_browser(), parent.username)
    with travel(26 * HOUR + 11 * MINUTE):
        assert len(work(reached)) == 2


def test_what_is_read_twice_is_mailed_once(
    browser: Browser, parent: Person, reached: list[int], travel: Travel
) -> None:
    """As when a worker dies before it has noted how far it came."""
    fail(browser, parent.username)

    with travel(11 * MINUTE):
        assert len(work(reached)) == 1
        assert len(work([reached[0]])) == 1


def test_only_a_verified_address_is_written_to(
    browser: Browser, account: Callable[..., Person], reached: list[int], travel: Travel
) -> None:
    """The address on file may be anybody's by now, and an address that was only entered, too."""
    without, pending = account(security_email=None), account(security_email=None)
    security_emails.set_pending(pending.id, "only.entered@example.org", clock.now())
    db.session.commit()
    for person in (without, pending):
        fail(browser, person.username)

    with travel(11 * MINUTE):
        assert work(reached) == []


def test_a_closed_account_and_a_username_that_nobody_has_get_nothing(
    browser: Browser, account: Callable[..., Person], reached: list[int], travel: Travel
) -> None:
    closed = account()
    people.disable(closed.username, actor_id=None, now=clock.now())
    fail(browser, closed.username)
    fail(browser, "nobody.has.this")

    with travel(11 * MINUTE):
        assert work(reached) == []


def test_it_is_written_in_the_guardian_s_language(
    browser: Browser, account: Callable[..., Person], reached: list[int], travel: Travel
) -> None:
    person = account(locale="es")
    fail(browser, person.username)

    with travel(11 * MINUTE):
        (letter,) = work(reached)
    assert letter.language == "es"
    assert letter.subject == "Alguien intentó iniciar sesión con su nombre de usuario"


def test_a_list_of_usernames_floods_no_mail_server(
    app: Flask, browser: Browser, account: Callable[..., Person], reached: list[int], travel: Travel
) -> None:
    configured = app.config["IDP"]
    app.config["IDP"] = replace(configured, throttle=replace(configured.throttle, notices_in_all_per_hour=2))
    for person in [account() for _ in range(4)]:
        fail(browser, person.username)

    with travel(11 * MINUTE):
        assert len(work(reached)) == 2


def test_th14_the_log_in_page_writes_the_same_for_everybody(browser: Browser, parent: Person) -> None:
    """Nothing of the mail happens where a stranger could measure it."""
    fail(browser, parent.username, times=5)
    fail(browser, "nobody.has.this", times=5)

    assert letters() == []
    assert len(events("log_in")) == 10


def test_a_worker_tells_by_itself(browser: Browser, parent: Person, travel: Travel) -> None:
    """From the moment that it first runs: what was before, nobody needs to hear of now."""
    fail(browser, parent.username)
    worker.seal_all()
    worker.tell_of_tries()
    fail(browser, parent.username, times=1)

    with travel(11 * MINUTE):
        worker.seal_all()
        worker.tell_of_tries()
        db.session.rollback()
        (letter,) = letters()

    assert letter.subject == SUBJECT
    assert "Wrong passwords in the last day: 4" in letter.text
