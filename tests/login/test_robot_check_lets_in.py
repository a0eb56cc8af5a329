"""What passes "I'm not a robot" at the log-in page, and what an answer is good for there."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from idp import clock
from idp.captcha.models import LOG_IN, REAUTHENTICATION
from idp.settings import TURNSTILE, RobotCheck, Settings
from tests.captcha import stand_in
from tests.captcha.conftest import done
from tests.captcha.stand_in import SECRET, SITE_KEY
from tests.factories import Person
from tests.ladders import fail
from tests.login.conftest import events
from tests.pages import Browser, Page

WRONG = "a password that is wrong"
BOX = "I'm not a robot"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with which a browser works little."""
    return replace(settings, robot_check=RobotCheck(work_tries=5))


def send(browser: Browser, person: Person, password: str, **more: str) -> Page:
    """Send the log-in page's form with what its script and boxes have put into it."""
    page = browser.open("/login")
    token = next(item.get("value") or "" for item in page.root.all("input") if item.get("name") == "csrf_token")
    sent = {"csrf_token": token, "username": person.username, "password": password}
    return browser.send("POST", "/login", data=sent | more)


def answer_of(browser: Browser, purpose: str = LOG_IN) -> str:
    """Let a browser have its box checked."""
    browser.open("/login")
    return done(browser.cookies["idp_browser"], purpose, now=clock.now())


def test_r31_with_the_box_checked_the_right_password_lets_in_and_the_failures_are_forgotten(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    fail(parent.username, 3)
    let_in = send(browser, parent, parent.password, robot="yes", robot_answer=answer_of(browser))

    assert let_in.status == 303
    assert new_browser().log_in(parent.username, parent.password, path="/login").status == 303


def test_r24_an_answer_counts_only_with_the_box_checked(browser: Browser, parent: Person) -> None:
    fail(parent.username, 3)
    answer = answer_of(browser)
    unchecked = send(browser, parent, parent.password, robot_answer=answer)

    assert unchecked.status == 422
    assert BOX in unchecked.fields
    assert send(browser, parent, parent.password, robot="yes", robot_answer=answer).status == 303


def test_th7_twenty_log_ins_with_one_answer_are_one_try(browser: Browser, parent: Person) -> None:
    fail(parent.username, 3)
    answer = answer_of(browser)
    answers = [send(browser, parent, WRONG, robot="yes", robot_answer=answer) for _ in range(20)]

    assert {page.status for page in answers} == {422}
    assert len(events("log_in")) == 1
    assert send(browser, parent, parent.password, robot="yes", robot_answer=answer).status == 422


def test_th7_anothers_answer_and_one_for_another_purpose_let_nobody_in(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    fail(parent.username, 3)
    for answer in (answer_of(new_browser()), answer_of(browser, REAUTHENTICATION)):
        assert send(browser, parent, parent.password, robot="yes", robot_answer=answer).status == 422
    assert events("log_in") == []


def test_an_answer_that_was_not_needed_yet_stays_good_while_something_is_missing(
    browser: Browser, parent: Person
) -> None:
    fail(parent.username, 3)
    answer = answer_of(browser)
    missing = send(browser, parent, "", robot="yes", robot_answer=answer)

    assert missing.status == 422
    assert missing.field(BOX).get("checked") is not None
    browser.fill("Username", parent.username).fill("Password", parent.password)
    assert browser.press("Log In").status == 303


def test_th1_the_work_alone_does_not_do_where_pictures_are_wanted(app: Flask, browser: Browser, parent: Person) -> None:
    app.config["IDP"] = replace(
        app.config["IDP"], throttle=replace(app.config["IDP"].throttle, account_pictures_failures=4)
    )
    fail(parent.username, 4)
    answer = answer_of(browser)

    assert send(browser, parent, parent.password, robot="yes", robot_answer=answer).status == 422
    assert events("log_in") == []


@pytest.mark.one_database
def test_a_service_that_a_district_has_chosen_lets_in_once_and_where_it_is_away_the_box_is_ours(
    app: Flask, browser: Browser, parent: Person
) -> None:
    with stand_in.running(TURNSTILE) as service:
        chosen = RobotCheck(provider=TURNSTILE, site_key=SITE_KEY, secret=SECRET, verify_address=service.address)
        app.config["IDP"] = replace(app.config["IDP"], robot_check=chosen)
        fail(parent.username, 3)
        asked = send(browser, parent, parent.password)
        assert "cf-turnstile" in asked.text
        assert "https://challenges.cloudflare.com" in asked.headers["Content-Security-Policy"]
        field, token = "cf-turnstile-response", service.give("a-token-of-the-box")
        assert send(browser, parent, parent.password, **{field: "made-up"}).status == 422
        assert send(browser, parent, WRONG, **{field: token}).status == 422
        assert send(browser, parent, parent.password, **{field: token}).status == 422
        assert send(browser, parent, parent.password, **{field: service.give("another-one")}).status == 303

        service.status, service.body = 500, b"oops"
        browser.open("/logout")
        browser.press("Log Out")
        fail("somebody.else", 3)
        away = send(browser, replace(parent, username="somebody.else"), "x", **{field: "x"})
    assert "cf-turnstile" not in away.text
    assert BOX in away.fields


def test_the_page_with_the_box_lets_its_worker_and_its_sound_load_and_nothing_else(
    browser: Browser, parent: Person
) -> None:
    before = browser.open("/login").headers["Content-Security-Policy"]
    fail(parent.username, 3)
    policy = send(browser, parent, WRONG).headers["Content-Security-Policy"]

    assert "worker-src 'self'" in policy
    assert "media-src data:" in policy
    assert "worker-src" not in before
    assert {part for part in policy.split("; ") if "unsafe" in part} == set()
    assert set(policy.split("; ")) - set(before.split("; ")) == {"worker-src 'self'", "media-src data:"}
