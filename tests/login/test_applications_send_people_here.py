"""An application sends somebody to log in: the page names it, and afterwards the person is back at it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from idp import clock
from idp.clients import service as clients
from idp.database import db
from tests.factories import Person, Registered
from tests.login.conftest import events, request_of
from tests.pages import Browser

WRONG = "a password that is wrong"
Travel = Callable[[timedelta], AbstractContextManager[None]]


def test_the_page_names_the_application_with_logo_privacy_and_terms(browser: Browser, gradebook: Registered) -> None:
    page = browser.open(request_of(gradebook), follow=True)

    assert "Log in to go on to Gradebook" in page.words
    assert page.links["Privacy policy"] == "https://gradebook.example/privacy"
    assert page.links["Terms of use"] == "https://gradebook.example/terms"
    assert 'src="https://gradebook.example/logo.png"' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "img-src 'self' data: https://gradebook.example;" in policy
    assert "form-action 'self' https://gradebook.example;" in policy


def test_in3_the_applications_name_is_shown_as_text(browser: Browser, client: Callable[..., Registered]) -> None:
    page = browser.open(request_of(client("<b>Lunch</b> & more")), follow=True)

    assert "Log in to go on to <b>Lunch</b> & more" in page.words


def test_after_wrong_and_right_the_person_is_back_at_the_application(
    browser: Browser, parent: Person, gradebook: Registered
) -> None:
    browser.open(request_of(gradebook), follow=True)
    wrong = browser.log_in(parent.username, WRONG)
    browser.log_in(parent.username, parent.password)
    answer = browser.follow_all()

    assert "Log in to go on to Gradebook" in wrong.words
    assert answer.location is not None
    assert answer.location.startswith("https://gradebook.example/callback?")
    assert answer.query["state"] == "state of Gradebook"
    assert "code" in answer.query
    assert [event.client_id for event in events("log_in")] == [gradebook.client_id] * 2


def test_two_tabs_end_each_at_its_own_application(
    browser: Browser, parent: Person, gradebook: Registered, client: Callable[..., Registered]
) -> None:
    lunch = client("Lunch", redirect_uri="https://lunch.example/callback", first_party=True)
    browser.open(request_of(gradebook))
    first_tab = browser.location or ""
    browser.open(request_of(lunch), follow=True)
    browser.log_in(parent.username, parent.password)
    second = browser.follow_all().location or ""

    first = browser.open(first_tab, follow=True).location or ""
    assert second.startswith("https://lunch.example/callback?code=")
    assert first.startswith("https://gradebook.example/callback?code=")


def test_a_page_that_lay_open_for_three_hours_still_works(
    browser: Browser, parent: Person, gradebook: Registered, travel: Travel
) -> None:
    browser.open(request_of(gradebook), follow=True)
    with travel(timedelta(hours=3)):
        browser.log_in(parent.username, parent.password)
        answer = browser.follow_all()

    assert (answer.location or "").startswith("https://gradebook.example/callback?code=")


def test_a_page_of_the_day_before_asks_to_start_again(
    browser: Browser, parent: Person, gradebook: Registered, travel: Travel
) -> None:
    browser.open(request_of(gradebook), follow=True)
    with travel(timedelta(hours=25)):
        answer = browser.log_in(parent.username, parent.password)

    assert answer.status == 400
    assert "Please start again" in answer.words
    assert events("log_in") == []


def test_the_address_of_the_page_is_worthless_in_another_browser(
    browser: Browser, new_browser: Callable[[], Browser], gradebook: Registered
) -> None:
    browser.open(request_of(gradebook))
    stolen = browser.location or ""
    other = new_browser()
    other.open("/login")

    assert other.open(stolen).status == 400
    assert "Please start again" in other.words


def test_a_browser_that_refuses_cookies_is_told_so_and_not_sent_in_circles(
    new_browser: Callable[[], Browser], gradebook: Registered
) -> None:
    sent = new_browser().open(request_of(gradebook)).location or ""
    arrived = new_browser().open(sent)

    assert arrived.status == 400
    assert arrived.location is None
    assert "Your browser refuses cookies" in arrived.words


def test_garbage_in_place_of_the_request_asks_to_start_again(browser: Browser) -> None:
    browser.open("/login")

    for garbage in ("", "x", "k1.", "k1.AAAA", "p.x", "p." + "A" * 43, "\0", "é", "A" * 5000):
        page = browser.send("GET", "/login", query_string={"continue": garbage})
        assert page.status == 400, garbage
        assert "Please start again" in page.words


def test_a_log_in_that_is_asked_for_anew_is_asked_for_although_there_is_a_session(
    browser: Browser, parent: Person, gradebook: Registered, travel: Travel
) -> None:
    browser.log_in(parent.username, parent.password)
    with travel(timedelta(minutes=5)):
        page = browser.open(request_of(gradebook, prompt="login"), follow=True)
        assert page.fields == ["Username", "Password", "This is a shared computer"]
        assert page.value("Username") == parent.username
        browser.log_in(parent.username, parent.password)
        assert (browser.follow_all().location or "").startswith("https://gradebook.example/callback?code=")


def test_the_username_that_the_application_expects_stands_there(browser: Browser, gradebook: Registered) -> None:
    page = browser.open(request_of(gradebook, login_hint="ewa.kowalska"), follow=True)

    assert page.value("Username") == "ewa.kowalska"


def test_an_application_that_was_disabled_meanwhile_is_not_named(browser: Browser, gradebook: Registered) -> None:
    browser.open(request_of(gradebook))
    address = browser.location or ""
    made = clients.get(gradebook.client_id)
    assert made is not None
    clients.disable(made, clock.now())
    db.session.commit()

    assert "Gradebook" not in browser.open(address).words
