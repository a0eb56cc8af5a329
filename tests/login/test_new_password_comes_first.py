"""After a temporary password nothing opens before a new one is stored (TP1), which spends it (TP3)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from idp import clock
from idp.admin import people
from idp.admin.people import WithTemporaryPassword
from idp.database import db
from idp.sessions.models import BrowserSession
from tests.factories import Person, Registered
from tests.login.conftest import events, request_of
from tests.pages import Browser, Page

NEW = "a lantern over the pond"
SETUP = "/setup/password"
Travel = Callable[[timedelta], AbstractContextManager[None]]


@dataclass
class Newcomer:
    """Somebody with a temporary password."""

    username: str
    temporary: str


def issue(username: str) -> str:
    """Give an account a temporary password, as an admin does."""
    issued = people.issue_temporary_password(username, actor_id=None, now=clock.now())
    assert isinstance(issued, WithTemporaryPassword)
    return issued.temporary_password


@pytest.fixture
def newcomer(account: Callable[..., Person]) -> Newcomer:
    person = account(password=None)
    return Newcomer(person.username, issue(person.username))


def sessions() -> int:
    return db.session.scalar(select(func.count()).select_from(BrowserSession)) or 0


def choose(browser: Browser, password: str) -> Page:
    return browser.fill("New Password", password).press("Save")


def test_tp1_an_applications_request_gets_no_code_before_the_new_password(
    browser: Browser, newcomer: Newcomer, gradebook: Registered
) -> None:
    browser.open(request_of(gradebook), follow=True)
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()
    asked_again = Browser(browser.client, browser.origin).open(request_of(gradebook))
    without_session = sessions()
    choose(browser, NEW)
    answer = browser.follow_all()

    assert without_session == 0
    assert (asked_again.location or "").startswith("/login?continue=")
    assert (answer.location or "").startswith("https://gradebook.example/callback?code=")


def test_tp1_no_page_opens_before_the_new_password(browser: Browser, newcomer: Newcomer) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)

    assert (browser.status, browser.location) == (303, SETUP)
    for path in ("/", "/account", "/reauthenticate?next=/account", "/admin/clients"):
        assert (browser.open(path).location or "").startswith("/login"), path


def test_the_rules_stand_above_the_field(browser: Browser, newcomer: Newcomer) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)
    page = browser.follow()

    assert "At least 15 characters" in page.words
    assert page.field("New Password").get("autocomplete") == "new-password"
    assert page.field("New Password").get("maxlength") is None
    assert page.value("Username") == newcomer.username
    assert page.buttons == ["Save"]


def test_the_new_password_opens_what_the_person_was_heading_to(browser: Browser, newcomer: Newcomer) -> None:
    browser.open("/account", follow=True)
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()
    saved = choose(browser, NEW)

    assert (saved.status, saved.location) == (303, "/account")
    assert browser.follow().status == 200
    assert "idp_steps" not in browser.cookies


def test_tp3_the_temporary_password_is_spent_and_the_new_one_works(
    browser: Browser, new_browser: Callable[[], Browser], newcomer: Newcomer
) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()
    choose(browser, NEW)

    assert new_browser().log_in(newcomer.username, newcomer.temporary).status == 422
    assert new_browser().log_in(newcomer.username, NEW).location == "/"


def test_tp3_an_expired_temporary_password_is_refused(browser: Browser, newcomer: Newcomer, travel: Travel) -> None:
    with travel(timedelta(days=14, seconds=1)):
        assert browser.log_in(newcomer.username, newcomer.temporary).status == 422


def test_tp3_a_temporary_password_that_was_issued_again_is_refused(browser: Browser, newcomer: Newcomer) -> None:
    second = issue(newcomer.username)

    assert browser.log_in(newcomer.username, newcomer.temporary).status == 422
    assert browser.log_in(newcomer.username, second).location == SETUP


def test_tp3_issuing_it_again_closes_the_page_that_is_open(browser: Browser, newcomer: Newcomer) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()
    issue(newcomer.username)

    assert choose(browser, NEW).location == "/login"
    assert sessions() == 0


def test_closing_the_tab_spends_nothing(newcomer: Newcomer, new_browser: Callable[[], Browser]) -> None:
    new_browser().log_in(newcomer.username, newcomer.temporary)

    assert new_browser().log_in(newcomer.username, newcomer.temporary).location == SETUP


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too short"),
        ("short", "too short"),
        ("x" * 129, "too long"),
        ("aaaaaaaaaaaaaaa", "repeats the same few characters"),
        ("password1234567", "common words"),
        ("District 207 forever", "name of the district"),
    ],
)
def test_pw7_a_password_that_wont_do_is_refused_at_its_field_and_nothing_is_stored(
    browser: Browser, newcomer: Newcomer, password: str, reason: str
) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()
    refused = choose(browser, password)

    assert refused.status == 422
    assert reason in refused.error("New Password")
    assert sessions() == 0
    assert choose(browser, NEW).status == 303


def test_the_temporary_password_cant_be_kept(browser: Browser, newcomer: Newcomer) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()

    assert "temporary password" in choose(browser, newcomer.temporary).error("New Password")


def test_a_password_can_be_set_once_per_log_in(browser: Browser, newcomer: Newcomer) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()
    second_tab = Browser(browser.client, browser.origin)
    second_tab.open(SETUP)
    steps = browser.cookies["idp_steps"]
    choose(browser, NEW)
    browser.client.set_cookie("idp_steps", steps)

    assert choose(second_tab, "another lantern, another pond").location == "/login"
    assert len(events("password_change")) == 1


def test_the_step_is_open_for_half_an_hour(browser: Browser, newcomer: Newcomer, travel: Travel) -> None:
    browser.log_in(newcomer.username, newcomer.temporary)
    browser.follow()
    with travel(timedelta(minutes=31)):
        assert choose(browser, NEW).location == "/login"
        assert browser.open(SETUP).location == "/login"


def test_without_a_right_password_there_is_no_such_page(browser: Browser, parent: Person) -> None:
    assert browser.open(SETUP).location == "/login"
    browser.log_in(parent.username, parent.password, path="/login")
    browser.client.set_cookie("idp_steps", "A" * 43)
    assert browser.open(SETUP + "?next=/account").location == "/login?next=/account"


def test_a_shared_computer_stays_one(browser: Browser, newcomer: Newcomer, travel: Travel) -> None:
    browser.log_in(newcomer.username, newcomer.temporary, shared_computer=True)
    browser.follow()
    choose(browser, NEW)
    token = browser.cookies["idp_session"]

    with travel(timedelta(minutes=11)):
        browser.client.set_cookie("idp_session", token)
        assert browser.open("/account").status == 303


def test_se1_a_session_that_the_same_person_has_elsewhere_ends(
    browser: Browser, new_browser: Callable[[], Browser], newcomer: Newcomer
) -> None:
    """Two browsers have passed the log-in page: the first to store a password shuts the other out."""
    other = new_browser()
    for each in (browser, other):
        each.log_in(newcomer.username, newcomer.temporary)
        each.follow()
    choose(browser, NEW)

    assert choose(other, "another lantern, another pond").location == "/login"
    assert [event.details for event in events("password_change")] == [{"reason": "temporary_password"}]
