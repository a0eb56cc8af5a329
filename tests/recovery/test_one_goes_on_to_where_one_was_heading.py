"""After a reset one goes on: into the request one came with, or to that application's start page, or to the portal."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from idp.database import db
from idp.recovery.models import EmailToken
from tests.factories import Person
from tests.oidc.conftest import Application, new_application
from tests.pages import Browser, Page
from tests.recovery.forgetting import NEW, choose, family, work
from tests.recovery.letters import Letter, letters

__all__ = ["family", "new_application"]

Travel = Callable[[timedelta], AbstractContextManager[None]]

START = "https://lunch.example/start?from=portal"


@pytest.fixture
def gradebook(new_application: Callable[..., Application]) -> Application:
    """An application that has a start page."""
    return new_application(initiate_login_uri=START, client_uri="https://lunch.example/")


def forget(browser: Browser, application: Application, person: Person) -> Letter:
    """Come from an application, and forget the password."""
    browser.open("/oauth/authorize", follow=True, **application.parameters())
    browser.click("Forgot Password?")
    browser.fill("Username or security email", person.username).press("Send Email")
    work()
    return letters()[-1]


def test_in_the_same_browser_the_request_is_answered(browser: Browser, gradebook: Application, family: Person) -> None:
    page = choose(browser, forget(browser, gradebook, family))
    allowed = page.headers

    assert (page.location or "").startswith("/oauth/authorize/continue?continue=")
    assert "code" in browser.follow_all().query
    assert browser.page.query["state"] == gradebook.state
    assert gradebook.redeem(browser.page.query["code"]).status_code == 200
    assert allowed["Referrer-Policy"] == "no-referrer"


def test_in_another_browser_the_application_begins_anew(
    browser: Browser, new_browser: Callable[[], Browser], gradebook: Application, family: Person
) -> None:
    other, letter = new_browser(), forget(browser, gradebook, family)
    page = other.open(letter.path, follow=True)
    location = choose(other, letter).location

    assert "form-action 'self' https://lunch.example;" in page.headers["Content-Security-Policy"]
    assert location == f"{START}&iss=http%3A%2F%2Flocalhost%3A5000"
    assert other.open("/").status == 200, "logged in by then"


@pytest.mark.parametrize(
    ("metadata", "leads_to"),
    [({"client_uri": "https://lunch.example/home"}, "https://lunch.example/home"), ({}, "/")],
)
def test_without_a_start_page_it_is_the_home_page_or_the_portal(
    browser: Browser,
    new_browser: Callable[[], Browser],
    new_application: Callable[..., Application],
    family: Person,
    metadata: dict[str, str],
    leads_to: str,
) -> None:
    letter = forget(browser, new_application(**metadata), family)

    assert choose(new_browser(), letter).location == leads_to


def test_a_request_that_asks_for_a_fresh_log_in_is_answered_too(
    browser: Browser, gradebook: Application, family: Person
) -> None:
    browser.log_in(family.username, family.password)
    browser.open("/oauth/authorize", follow=True, **gradebook.parameters(prompt="login"))
    browser.click("Forgot Password?")
    browser.fill("Username or security email", family.username).press("Send Email")
    work()
    choose(browser, letters()[-1])

    assert "code" in browser.follow_all().query


def test_the_code_carries_it_too(browser: Browser, gradebook: Application, family: Person) -> None:
    letter = forget(browser, gradebook, family)
    browser.fill("Code", letter.code).press("Go On", follow=True)
    browser.fill("New Password", NEW).press("Save")

    assert "code" in browser.follow_all().query


def test_a_page_of_ours_is_gone_on_to_in_any_browser(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    browser.open("/login?next=/account/history")
    browser.click("Forgot Password?")
    browser.fill("Username or security email", family.username).press("Send Email")
    work()

    assert choose(new_browser(), letters()[-1]).location == "/account/history"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "x", '{"path": "//evil.example"}', '{"path": "https://evil.example"}']
)
def test_ru1_nothing_in_the_database_leads_elsewhere(browser: Browser, family: Person, text: str) -> None:
    page = _letter_with(browser, family, text)

    assert page.location == "/"


def _letter_with(browser: Browser, family: Person, way_on: str) -> Page:
    browser.open("/forgot-password")
    browser.fill("Username or security email", family.username).press("Send Email")
    work()
    db.session.query(EmailToken).update({"continuation": way_on})
    db.session.commit()
    return choose(browser, letters()[-1])


def test_a_stale_request_is_no_reason_to_help_nobody(
    browser: Browser, new_browser: Callable[[], Browser], gradebook: Application, family: Person
) -> None:
    browser.open("/oauth/authorize", follow=True, **gradebook.parameters())
    address = browser.page.links["Forgot Password?"]
    other = new_browser()
    other.open("/login")

    assert other.open(address).status == 200
    other.fill("Username or security email", family.username).press("Send Email")
    work()
    assert choose(other, letters()[-1]).location == "/"
