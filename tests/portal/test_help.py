"""Help and support are open to everybody, and say whom to ask."""

from dataclasses import replace

import pytest

from idp.settings import Settings
from tests.databases import AppBuilder
from tests.factories import Person
from tests.pages import Browser

_PAGES = ["/help", "/support"]


@pytest.mark.parametrize("path", _PAGES)
def test_r1_it_is_open_to_everybody_and_says_how_to_reach_support(browser: Browser, path: str) -> None:
    page = browser.open(path)

    assert page.status == 200
    assert "District 207 Portal Support Team" in page.words
    assert page.links["847-555-0142"] == "tel:847-555-0142"
    assert page.links["portal-support@district207.example"] == "mailto:portal-support@district207.example"
    assert "Monday to Friday, 7:30 am to 4 pm" in page.words


@pytest.mark.parametrize(
    ("link", "heading"),
    [("Forgot Password?", "Forgot Password?"), ("Forgot Username?", "Forgot Username?"), ("Help", "Help")],
)
def test_the_log_in_page_leads_there(browser: Browser, link: str, heading: str) -> None:
    browser.open("/login")

    page = browser.click(link)

    assert [item.words for item in page.root.all("h1")] == [heading]


def test_it_leads_back_to_the_log_in_page(browser: Browser) -> None:
    browser.open("/forgot-password")

    assert browser.click("Go to Log In").path == "/login"


def test_it_leads_to_the_districts_general_questions(browser: Browser) -> None:
    assert "https://district207.example/parent-portal-faq" in browser.open("/help").links.values()


def test_somebody_who_is_logged_in_is_not_sent_to_log_in(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, parent.password)

    assert "Go to Log In" not in browser.open("/help").links


def test_a_district_without_a_number_names_the_schools_office(build_app: AppBuilder, settings: Settings) -> None:
    district = replace(settings.district, support_email="", support_phone="", support_hours="", general_faq="")
    browser = Browser(build_app(replace(settings, district=district)).test_client(), settings.server.issuer)

    page = browser.open("/help")

    assert "Ask at the office of your child\u2019s school." in page.words
    assert not [link for link in page.links.values() if link.startswith(("tel:", "mailto:"))]
