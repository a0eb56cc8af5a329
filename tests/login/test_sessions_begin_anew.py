"""A log-in gives the browser a cookie that nobody has seen before (SE1), whatever it had until then (SE5)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from idp.database import db
from idp.sessions.models import BrowserSession
from tests.factories import Person
from tests.login.conftest import events
from tests.pages import Browser

Travel = Callable[[timedelta], AbstractContextManager[None]]
SESSION = "idp_session"


def is_logged_in(browser: Browser, token: str | None = None) -> bool:
    """Tell whether a session's cookie, this browser's or another, opens the account page."""
    if token is not None:
        browser.client.set_cookie(SESSION, token)
    return browser.open("/account").status == 200


def test_se1_the_session_changes_with_each_log_in_and_the_old_cookie_is_dead(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    browser.open("/login")
    before = browser.cookies
    browser.log_in(parent.username, parent.password)
    first = browser.cookies[SESSION]
    browser.open("/reauthenticate?next=/account")
    browser.fill("Password", parent.password).press("Log In")
    second = browser.cookies[SESSION]

    assert SESSION not in before
    assert first != second
    assert not is_logged_in(new_browser(), first)
    assert is_logged_in(new_browser(), second)


def test_se1_a_cookie_that_somebody_else_chose_is_never_taken_over(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    planted = "A" * 43
    browser.open("/login")
    browser.client.set_cookie(SESSION, planted)
    browser.log_in(parent.username, parent.password)

    assert browser.cookies[SESSION] != planted
    assert not is_logged_in(new_browser(), planted)


def test_the_same_person_keeps_the_session_and_its_applications(browser: Browser, parent: Person) -> None:
    second_tab = tab_of(browser)
    browser.log_in(parent.username, parent.password)
    second_tab.log_in(parent.username, parent.password)

    assert is_logged_in(browser)
    assert db.session.scalar(select(func.count()).select_from(BrowserSession)) == 1


def test_another_person_ends_the_session_of_the_one_before(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person, admin: Person
) -> None:
    second_tab = tab_of(browser)
    browser.log_in(parent.username, parent.password)
    before = browser.cookies[SESSION]
    second_tab.log_in(admin.username, admin.password)

    assert not is_logged_in(new_browser(), before)
    assert admin.username in browser.open("/account/settings").words
    (ended,) = db.session.scalars(select(BrowserSession).where(BrowserSession.ended_at.is_not(None)))
    assert (ended.account_id, ended.ended_by) == (parent.id, "switched_account")
    assert [(event.account_id, event.details["reason"]) for event in events("log_out")] == [
        (parent.id, "switched_account")
    ]


def tab_of(browser: Browser) -> Browser:
    """Open the log-in page in a second tab of the same browser."""
    tab = Browser(browser.client, browser.origin)
    tab.open("/login")
    return tab


@pytest.mark.parametrize(
    ("shared", "idle", "absolute"),
    [(False, timedelta(minutes=30), timedelta(hours=12)), (True, timedelta(minutes=10), timedelta(hours=1))],
)
def test_se5_a_session_ends_when_it_is_idle_and_at_its_end_whatever_the_cookie_says(
    browser: Browser, parent: Person, travel: Travel, *, shared: bool, idle: timedelta, absolute: timedelta
) -> None:
    browser.log_in(parent.username, parent.password, shared_computer=shared)
    token = browser.cookies[SESSION]
    step = idle - timedelta(minutes=1)
    after = timedelta(0)
    while after + step < absolute:
        after += step
        with travel(after):
            assert is_logged_in(browser, token), after

    with travel(absolute + timedelta(seconds=1)):
        assert not is_logged_in(browser, token)


@pytest.mark.parametrize(("shared", "idle"), [(False, timedelta(minutes=31)), (True, timedelta(minutes=11))])
def test_se5_an_idle_session_is_over(
    browser: Browser, parent: Person, travel: Travel, *, shared: bool, idle: timedelta
) -> None:
    browser.log_in(parent.username, parent.password, shared_computer=shared)
    token = browser.cookies[SESSION]

    with travel(idle):
        assert not is_logged_in(browser, token)


def test_on_a_shared_computer_the_cookie_goes_with_the_browser(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    shared = browser.log_in(parent.username, parent.password, shared_computer=True)
    own = new_browser().log_in(parent.username, parent.password)

    assert "Max-Age" not in cookie(shared.headers.getlist("Set-Cookie"))
    assert "Max-Age=43200" in cookie(own.headers.getlist("Set-Cookie"))


def cookie(sent: list[str]) -> str:
    return next(line for line in sent if line.startswith(f"{SESSION}="))


def test_saying_that_the_computer_is_shared_later_counts_too(browser: Browser, parent: Person, travel: Travel) -> None:
    other_tab = tab_of(browser)
    browser.log_in(parent.username, parent.password)
    other_tab.log_in(parent.username, parent.password, shared_computer=True)
    token = browser.cookies[SESSION]

    with travel(timedelta(minutes=11)):
        assert not is_logged_in(browser, token)
