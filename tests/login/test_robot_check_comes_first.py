"""After some wrong passwords "I'm not a robot" has to come before the next one, whosever the username is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.database import db
from idp.throttle.models import Counter
from idp.throttle.store import ACCOUNT
from tests.factories import Person
from tests.ladders import fail
from tests.login.conftest import events
from tests.pages import Browser, Page

WRONG = "a password that is wrong"
ASKED = "Check the box “I'm not a robot” first."
BOX = "I'm not a robot"
EXPLAINED = "Somebody may have tried to log in with your username."


def fail_here(browser: Browser, username: str, times: int = 3) -> Page:
    for _ in range(times):
        answer = browser.log_in(username, WRONG, path="/login")
    return answer


def test_r21_the_third_wrong_password_brings_it(browser: Browser, parent: Person) -> None:
    second, third = fail_here(browser, parent.username, 2), fail_here(browser, parent.username, 1)

    assert (second.status, third.status) == (422, 422)
    assert EXPLAINED not in second.words
    assert EXPLAINED in third.words


def test_r21_the_next_page_has_it_before_anything_is_typed_where_the_username_or_the_network_tells(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    browser.log_in(parent.username, parent.password)
    browser.open("/logout")
    browser.press("Log Out")
    elsewhere = new_browser()
    before = elsewhere.open("/login").words
    for number in range(20):
        fail(f"nobody{number}", 1, network="127.0.0.1")

    assert BOX not in before
    assert BOX in elsewhere.open("/login").words
    assert BOX not in browser.open("/login").words, "a browser that is known somewhere is not its network's stranger"


def test_r22_it_is_explained_in_plain_words(browser: Browser, parent: Person) -> None:
    fail(parent.username, 3)
    page = browser.log_in(parent.username, parent.password, path="/login")

    assert page.status == 422
    assert ASKED in page.words
    assert EXPLAINED in page.words


def test_r23_username_and_password_are_typed_again_on_that_page(browser: Browser, parent: Person) -> None:
    fail(parent.username, 3)
    page = browser.log_in(parent.username, parent.password, path="/login")

    assert (page.value("Username"), page.value("Password")) == ("", "")


def test_r24_without_it_the_password_is_not_looked_at_and_the_username_stays(browser: Browser, parent: Person) -> None:
    fail(parent.username, 3)
    browser.log_in(parent.username, parent.password, path="/login")
    page = browser.fill("Username", parent.username).fill("Password", parent.password).press("Log In")

    assert page.status == 422
    assert page.value("Username") == parent.username
    assert page.value("Password") == ""
    assert events("log_in") == []


@pytest.mark.parametrize("answer", ["", "garbage", "1", "A" * 43, "\x00", "x" * 5000])
def test_th1_the_right_password_opens_nothing_without_it_and_says_nothing(
    browser: Browser, parent: Person, answer: str
) -> None:
    fail(parent.username, 3)
    form = {"csrf_token": token_of(browser.open("/login")), "username": parent.username, "robot_answer": answer}
    right = browser.send("POST", "/login", data=form | {"password": parent.password})
    wrong = browser.send("POST", "/login", data=form | {"password": WRONG})

    assert right.status == wrong.status == 422
    assert right.words == wrong.words
    assert "Set-Cookie" not in right.headers
    assert events("log_in") == []


def token_of(page: Page) -> str:
    return next(item.get("value") or "" for item in page.root.all("input") if item.get("name") == "csrf_token")


def test_th14_a_username_that_nobody_has_is_told_alike(browser: Browser, parent: Person) -> None:
    known, unknown = fail_here(browser, parent.username), fail_here(browser, "nobody")
    asked = [browser.log_in(name, WRONG, path="/login") for name in (parent.username, "nobody")]

    assert known.words == unknown.words
    assert asked[0].words == asked[1].words
    assert asked[0].status == asked[1].status == 422
    assert set(asked[0].headers.keys()) == set(asked[1].headers.keys())


_DOORS = {
    "/reauthenticate": {"password": WRONG},
    "/account/password": {"current_password": WRONG, "new_password": "quarry lemon tugboat anvil"},
    "/account/security-email": {"current_password": WRONG, "email": "ewa@example.net"},
    "/admin/clients/new": {"current_password": WRONG, "client_name": "Lunch"},
}


@pytest.mark.parametrize("door", _DOORS)
def test_th9_every_door_that_takes_a_password_asks_for_it(
    browser: Browser, admin: Person, travel: Callable[[timedelta], AbstractContextManager[None]], door: str
) -> None:
    browser.log_in(admin.username, admin.password, path="/login")
    fail(admin.username, 2)
    with travel(timedelta(minutes=11)):
        form = _DOORS[door] | {"csrf_token": token_of(browser.open("/reauthenticate"))}
        first, second = (browser.send("POST", door, data=form) for _ in range(2))

    assert first.status == second.status == 422
    assert ASKED not in first.words
    assert EXPLAINED in first.words
    assert ASKED in second.words
    assert EXPLAINED in second.words


def log_in_and_out(browser: Browser, person: Person, *, shared_computer: bool = False) -> None:
    browser.log_in(person.username, person.password, shared_computer=shared_computer, path="/login")
    browser.open("/logout")
    browser.press("Log Out")


def test_a_known_browser_gets_in_while_strangers_wait(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    log_in_and_out(browser, parent)
    fail(parent.username, 2)
    fail_here(new_browser(), "somebody.else", 2)

    assert browser.log_in(parent.username, parent.password, path="/login").status == 303


def test_th11_after_a_hundred_wrong_passwords_of_strangers_the_owner_gets_in(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    log_in_and_out(browser, parent)
    stopped(parent.username)
    stranger = new_browser().log_in(parent.username, parent.password, path="/login")

    assert stranger.status == 403
    assert "it no longer works in this browser" in stranger.words
    assert browser.log_in(parent.username, parent.password, path="/login").status == 303


def stopped(username: str) -> None:
    fail(username, 1)
    db.session.execute(update(Counter).where(Counter.kind == ACCOUNT).values(failures=100))
    db.session.commit()


def test_th14_a_stopped_username_that_nobody_has_is_told_alike(browser: Browser, parent: Person) -> None:
    pages = []
    for name in (parent.username, "nobody"):
        stopped(name)
        pages.append(browser.log_in(name, WRONG, path="/login"))

    assert pages[0].words == pages[1].words
    assert pages[0].status == pages[1].status == 403


def test_a_shared_computer_is_never_known(browser: Browser, parent: Person) -> None:
    log_in_and_out(browser, parent, shared_computer=True)

    assert not any("device" in name for name in browser.cookies)
    log_in_and_out(browser, parent)
    assert any("device" in name for name in browser.cookies)
