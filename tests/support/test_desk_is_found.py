"""Who is shown the way to the desk, and who is let in."""

from collections.abc import Callable

import pytest

from idp.accounts.models import ADMIN, GUARDIAN, SUPPORT
from tests.factories import Person
from tests.pages import Browser

Make = Callable[..., Person]
PAGES = ["/desk", "/desk/people", "/desk/requests/00000000", "/desk/nowhere"]


@pytest.mark.parametrize(("role", "is_shown"), [(GUARDIAN, False), (SUPPORT, True), (ADMIN, True)])
def test_the_menu_and_the_home_page_lead_the_team_there_and_nobody_else(
    browser: Browser, account: Make, role: str, *, is_shown: bool
) -> None:
    person = account(role=role)
    browser.log_in(person.username, person.password)
    links = browser.open("/").links

    assert ("Support desk" in links) == is_shown
    if is_shown:
        assert browser.click("Support desk").status == 200


def test_the_console_leads_an_admin_there_and_back(browser: Browser, admin: Person) -> None:
    browser.log_in(admin.username, admin.password)
    browser.open("/admin")

    assert browser.click("Support desk").status == 200
    assert browser.click("Console").status == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_visitor_is_led_through_the_log_in(browser: Browser, account: Make, path: str) -> None:
    secretary = account(role=SUPPORT)
    page = browser.open(path)

    assert (page.status, page.location) == (303, f"/login?next={path}")
    browser.follow()
    assert browser.log_in(secretary.username, secretary.password).location == path


@pytest.mark.parametrize("path", PAGES)
def test_a_guardian_is_refused_whether_there_is_a_page_or_not(browser: Browser, parent: Person, path: str) -> None:
    browser.log_in(parent.username, parent.password)

    assert browser.open(path).status == 403
    assert browser.send("POST", path).status == 403


@pytest.mark.parametrize("path", PAGES)
def test_outside_of_the_districts_networks_there_is_no_desk(desk: Browser, path: str) -> None:
    desk.address = "203.0.113.9"

    assert desk.open(path).status == 404
