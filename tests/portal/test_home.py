"""The first page: what a guardian can go to."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from idp import clock
from idp.clients import service as clients
from idp.database import db
from tests.elements import Element
from tests.factories import Person, Registered
from tests.pages import Browser, Page

Travel = Callable[[timedelta], AbstractContextManager[None]]


@pytest.mark.parametrize("path", ["/", "/account"])
def test_a_visitor_is_led_to_the_log_in_page_and_back(browser: Browser, parent: Person, path: str) -> None:
    answer = browser.open(path)

    assert (answer.status, urlsplit(answer.location or "").path) == (303, "/login")
    browser.follow()
    assert browser.log_in(parent.username, parent.password).location == path


def test_it_greets_the_guardian_by_name(logged_in: Browser, parent: Person) -> None:
    page = logged_in.open("/")

    assert [heading.words for heading in page.root.all("h1")] == [f"Hello, {parent.name}"]
    assert page.title == "Home \u2013 District 207 Parent Portal"


def test_it_lists_the_districts_own_applications_in_one_order(logged_in: Browser, tools: list[Registered]) -> None:
    page = logged_in.open("/")

    assert _cards(page) == ["Gradebook", "Maine East Parent Dashboard", "Maine West Parent Dashboard"]


def test_a_tool_starts_its_own_log_in_here(logged_in: Browser, tools: list[Registered]) -> None:
    address = urlsplit(logged_in.open("/").links["Gradebook"])

    assert address.hostname == "gradebook.example"
    assert parse_qs(address.query) == {"iss": ["http://localhost:5000"]}


def test_an_address_with_a_query_keeps_it(logged_in: Browser, client: Callable[..., Registered]) -> None:
    client("Library", first_party=True, initiate_login_uri="https://library.example/login?branch=2")

    address = urlsplit(logged_in.open("/").links["Library"])

    assert parse_qs(address.query) == {"branch": ["2"], "iss": ["http://localhost:5000"]}


def test_each_school_has_its_colour_by_name(logged_in: Browser, tools: list[Registered]) -> None:
    cards = {card.words.split(" |")[0]: card.get("class") or "" for card in _card_elements(logged_in.open("/"))}

    assert "school-1" in cards["Maine East Parent Dashboard"]
    assert "school-3" in cards["Maine West Parent Dashboard"]
    assert "school-" not in cards["Gradebook"]


def test_other_peoples_applications_are_no_tools(logged_in: Browser, client: Callable[..., Registered]) -> None:
    client("Lunch Orders", initiate_login_uri="https://lunch.example/login")
    client("Nightly Export", first_party=True)

    page = logged_in.open("/")

    assert "Lunch Orders" not in page.words
    assert "Nightly Export" not in page.words


def test_a_disabled_application_is_gone_from_the_next_page(logged_in: Browser, tools: list[Registered]) -> None:
    assert "Gradebook" in logged_in.open("/").links

    _disable("Gradebook", tools)

    assert "Gradebook" not in logged_in.open("/").links


def test_without_tools_it_says_so(logged_in: Browser) -> None:
    page = logged_in.open("/")

    assert "There are no tools here yet." in page.words


def test_a_name_with_markup_is_shown_as_words(
    browser: Browser, account: Callable[..., Person], client: Callable[..., Registered]
) -> None:
    person = account(given_name="<b>Eve</b>", family_name='"><img src=x>')
    client("<i>Tool</i>", first_party=True, initiate_login_uri="https://tool.example/login", description="</li><h1>")

    browser.log_in(person.username, person.password)
    page = browser.open("/")

    assert "<b>Eve</b>" in page.words
    assert "<i>Tool</i>" in page.links
    assert not list(page.root.all("img", "b", "i"))


def test_each_page_is_a_sign_of_life(logged_in: Browser, travel: Travel) -> None:
    with travel(timedelta(minutes=20)):
        assert logged_in.open("/").status == 200
    with travel(timedelta(minutes=40)):
        assert logged_in.open("/account").status == 200


def test_half_an_hour_without_a_page_ends_the_log_in(logged_in: Browser, travel: Travel) -> None:
    with travel(timedelta(minutes=31)):
        assert logged_in.open("/").status == 303


def _cards(page: Page) -> list[str]:
    return [heading.words for card in _card_elements(page) for heading in card.all("h2")]


def _card_elements(page: Page) -> list[Element]:
    return [item for item in page.root.all("li") if "tool" in (item.get("class") or "").split()]


def _disable(name: str, tools: list[Registered]) -> None:
    client_id = next(tool.client_id for tool in tools if tool.name == name)
    found = clients.get(client_id)
    assert found is not None
    clients.disable(found, clock.now())
    db.session.commit()
