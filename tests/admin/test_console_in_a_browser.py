"""The console in a real browser: a button copies, a double click registers once, and scripts may be off."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from idp.accounts.models import ADMIN
from idp.settings import Settings
from tests import factories
from tests.databases import Databases
from tests.factories import Person
from tests.servers import prepared_provider
from tests.windows import PHONE, Chromium

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Office:
    """A provider, and an admin who looks after its applications."""

    origin: str
    admin: Person


@pytest.fixture(scope="module")
def office(
    all_databases: Databases, session_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """One provider for all that is tried here."""
    folder = tmp_path_factory.mktemp("office")
    prepare = partial(factories.account, role=ADMIN)
    with prepared_provider(all_databases, session_settings, folder, prepare) as (origin, admin):
        yield Office(origin, admin)


def opened(page: Page, office: Office, path: str) -> Page:
    page.goto(f"{office.origin}/login?next={path}")
    page.get_by_label("Username").fill(office.admin.username)
    page.get_by_label("Password").fill(office.admin.password)
    page.get_by_role("button", name="Log In").click()
    return page


def filled(page: Page, office: Office, name: str) -> Page:
    opened(page, office, "/admin/clients/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Redirect addresses").fill("https://lunch.example/callback")
    return page


def test_a_value_is_copied_by_its_button(office: Office, chromium: Chromium) -> None:
    with chromium.window() as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        filled(page, office, "Lunch").get_by_role("button", name="Register").click()
        page.get_by_role("button", name="Copy Client secret").click()

        expect(page.get_by_role("button", name="Copied Client secret")).to_be_visible()
        secret = page.locator("#client-secret").inner_text()
        assert len(secret) == 43
        assert page.evaluate("navigator.clipboard.readText()") == secret


def test_a_double_click_registers_once_and_shows_the_secret(office: Office, chromium: Chromium) -> None:
    with chromium.window() as page:
        filled(page, office, "Double").get_by_role("button", name="Register").dblclick()

        expect(page.locator("#client-secret")).to_be_visible()
        page.goto(f"{office.origin}/admin/clients?q=Double")
        expect(page.get_by_role("main").get_by_role("heading", level=2)).to_have_text(["Double"])


def test_a_form_that_comes_back_by_the_back_button_can_be_sent(office: Office, chromium: Chromium) -> None:
    with chromium.window() as page:
        filled(page, office, "").get_by_role("button", name="Register").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.go_back()
        page.get_by_label("Name", exact=True).fill("Back")
        page.get_by_label("Redirect addresses").fill("https://back.example/callback")
        page.get_by_role("button", name="Register").click()

        expect(page.locator("#client-secret")).to_be_visible()


def test_a_reload_of_the_page_with_the_secret_shows_no_secret(office: Office, chromium: Chromium) -> None:
    with chromium.window() as page:
        filled(page, office, "Reloaded").get_by_role("button", name="Register").click()
        secret = page.locator("#client-secret").inner_text()
        page.reload()

        expect(page.get_by_role("heading", level=1)).to_have_text("Reloaded is registered already")
        assert secret not in page.content()


def test_all_of_it_works_on_a_phone_without_scripts(office: Office, chromium: Chromium) -> None:
    with chromium.window(PHONE, javascript=False) as page:
        filled(page, office, "No Script").get_by_role("button", name="Register").click()
        expect(page.locator("#client-secret")).to_be_visible()
        page.get_by_role("link", name="Go to No Script").click()
        page.get_by_role("link", name="Disable", exact=True).click()
        page.get_by_role("button", name="Disable", exact=True).click()

        expect(page.get_by_text("The application is disabled.")).to_be_visible()
