"""Before something that can do harm the password is asked for again, when the log-in is older than ten minutes."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask

from idp.accounts.models import ADMIN, SUPPORT
from idp.login import guard
from idp.settings import Settings
from idp.web import csrf
from tests.databases import AppBuilder, with_database
from tests.factories import Person
from tests.ladders import fail, without_robot_checks
from tests.login.conftest import events
from tests.pages import Browser

WRONG = "a password that is wrong"
Travel = Callable[[timedelta], AbstractContextManager[None]]
AFTER = timedelta(minutes=10, seconds=1)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wrong passwords bring waits here; the robot checks before them are tested elsewhere."""
    return without_robot_checks(settings)


@pytest.fixture
def app(settings: Settings, database_url: str, build_app: AppBuilder) -> Iterator[Flask]:
    """The application with two guarded pages."""
    app = build_app(with_database(settings, database_url))

    @app.route("/tests/danger", methods=["GET", "POST"])
    @guard.require_recent_log_in
    def danger() -> str:
        return f'<form method="post">{csrf.field()}<button>Do it</button></form>done by {guard.get_session().username}'

    @app.get("/tests/staff")
    @guard.require_role(ADMIN, SUPPORT)
    def staff() -> str:
        return "staff only"

    with app.app_context():
        yield app


def test_a_visitor_logs_in_first_and_comes_back(browser: Browser, parent: Person) -> None:
    assert browser.open("/tests/danger?of=it").location == "/login?next=/tests/danger?of%3Dit"
    browser.follow()
    browser.log_in(parent.username, parent.password)

    assert "done by" in browser.follow_all().words


def test_a_log_in_of_just_now_is_enough(browser: Browser, parent: Person, travel: Travel) -> None:
    browser.log_in(parent.username, parent.password)
    with travel(timedelta(minutes=9, seconds=50)):
        assert browser.open("/tests/danger").status == 200


def test_after_ten_minutes_the_password_is_asked_for_and_the_person_comes_back(
    browser: Browser, parent: Person, travel: Travel
) -> None:
    browser.log_in(parent.username, parent.password)
    with travel(AFTER):
        page = browser.open("/tests/danger", follow=True)
        assert page.value("Username") == parent.username
        assert "The password is not right" in browser.fill("Password", WRONG).press("Log In").words
        assert "Enter your password." in browser.press("Log In").error("Password")
        answer = browser.fill("Password", parent.password).press("Log In")
        assert answer.location == "/tests/danger"
        assert browser.follow().status == 200


def test_a_form_that_lay_open_is_not_acted_on_and_leads_back_to_its_page(
    browser: Browser, parent: Person, travel: Travel
) -> None:
    browser.log_in(parent.username, parent.password)
    browser.open("/tests/danger")
    browser.headers = {"Referer": "http://localhost:5000/tests/danger"}
    with travel(AFTER):
        assert browser.press("Do it").location == "/reauthenticate?next=/tests/danger"


@pytest.mark.parametrize("referrer", ["https://evil.example/tests", "http://localhost:5000.evil.example/", ""])
def test_a_page_elsewhere_is_not_come_back_to(browser: Browser, parent: Person, travel: Travel, referrer: str) -> None:
    browser.log_in(parent.username, parent.password)
    browser.open("/tests/danger")
    browser.headers = {"Referer": referrer}
    with travel(AFTER):
        assert browser.press("Do it").location == "/reauthenticate"


def test_another_persons_password_does_not_count(
    browser: Browser, parent: Person, account: Callable[..., Person]
) -> None:
    other = account(password="quarry lemon tugboat anvil")
    browser.log_in(parent.username, parent.password)
    browser.open("/reauthenticate")

    assert browser.fill("Username", other.username).fill("Password", other.password).press("Log In").status == 422


def test_five_wrong_passwords_make_a_known_browser_wait_and_no_other(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    browser.log_in(parent.username, parent.password)
    browser.open("/reauthenticate?next=/account")
    for _ in range(5):
        assert browser.fill("Password", WRONG).press("Log In").status == 422
    waits = browser.fill("Password", parent.password).press("Log In")

    assert waits.status == 429
    assert "Please wait 15 minutes" in waits.words
    assert new_browser().log_in(parent.username, parent.password).status == 303
    recorded = [(event.outcome, event.details.get("reason")) for event in events("reauthentication")]
    assert recorded == [("failure", "wrong_password")] * 5


def test_th9_on_a_shared_computer_the_budget_is_that_of_the_log_in_page(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    browser.open("/login")
    browser.fill("Username", parent.username).fill("Password", parent.password)
    browser.tick("This is a shared computer").press("Log In")
    fail(parent.username, 3)
    browser.open("/reauthenticate?next=/account")
    for _ in range(2):
        assert browser.fill("Password", WRONG).press("Log In").status == 422
    waits = browser.fill("Password", parent.password).press("Log In")

    assert waits.status == 429
    assert re.search(r"Please wait (2\d|30) seconds", waits.words)
    assert new_browser().log_in(parent.username, parent.password).status == 429


def test_a_visitor_has_nothing_to_show_again(browser: Browser) -> None:
    assert browser.open("/reauthenticate?next=/account").location == "/login?next=/account"


@pytest.mark.parametrize(("role", "status"), [(ADMIN, 200), (SUPPORT, 200), ("guardian", 403)])
def test_ad1_a_role_opens_its_pages_only(
    browser: Browser, account: Callable[..., Person], role: str, status: int
) -> None:
    person = account(role=role)
    browser.log_in(person.username, person.password)

    assert browser.open("/tests/staff").status == status
    assert ("staff only" in browser.page.text) == (status == 200)


def test_ad1_a_visitor_is_led_to_the_log_in_page(browser: Browser) -> None:
    assert browser.open("/tests/staff").location == "/login?next=/tests/staff"


def test_a_view_without_a_guard_can_not_name_somebody(app: Flask) -> None:
    with app.test_request_context("/"), pytest.raises(LookupError):
        guard.get_session()
