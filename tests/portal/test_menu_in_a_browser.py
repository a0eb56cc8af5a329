"""The two menus in a real browser: by mouse, by keyboard, on a phone, and without JavaScript."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from idp.settings import Settings
from tests import factories
from tests.databases import Databases
from tests.factories import Person
from tests.servers import prepared_provider
from tests.windows import DESK, PHONE, Chromium

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Portal:
    """A provider with tools, and a guardian who may use them."""

    origin: str
    guardian: Person


@pytest.fixture(scope="module")
def portal(
    all_databases: Databases, session_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """One provider for all that is looked at here."""
    folder = tmp_path_factory.mktemp("portal")
    with prepared_provider(all_databases, session_settings, folder, _prepare) as (origin, guardian):
        yield Portal(origin, guardian)


def _prepare() -> Person:
    for name, origin in (("Gradebook", "gradebook"), ("Maine East Parent Dashboard", "east")):
        factories.client(name, first_party=True, initiate_login_uri=f"https://{origin}.example/login")
    return factories.account()


@pytest.fixture(params=[PHONE, DESK])
def window(request: pytest.FixtureRequest, chromium: Chromium, portal: Portal) -> Iterator[Page]:
    """A window in which a guardian is logged in and sees the first page, on a phone and at a desk."""
    with chromium.window(request.param) as page:
        _log_in(page, portal)
        yield page


def test_r10_the_button_shows_and_hides_the_menu(window: Page) -> None:
    expect(_menu(window)).to_be_hidden()
    expect(_button(window, "Menu")).to_have_attribute("aria-expanded", "false")

    _button(window, "Menu").click()
    expect(_menu(window)).to_be_visible()
    expect(_button(window, "Menu")).to_have_attribute("aria-expanded", "true")

    _button(window, "Menu").click()
    expect(_menu(window)).to_be_hidden()
    expect(_button(window, "Menu")).to_have_attribute("aria-expanded", "false")


def test_r10_the_keyboard_opens_it_and_escape_closes_it(window: Page) -> None:
    window.keyboard.press("Tab")
    expect(window.get_by_role("link", name="Skip to the content")).to_be_focused()
    window.keyboard.press("Tab")
    expect(_button(window, "Menu")).to_be_focused()

    window.keyboard.press("Enter")
    _menu(window).get_by_role("link", name="Gradebook").focus()
    window.keyboard.press("Escape")

    expect(_menu(window)).to_be_hidden()
    expect(_button(window, "Menu")).to_be_focused()
    expect(_button(window, "Menu")).to_have_attribute("aria-expanded", "false")


def test_r10_the_menu_stays_open_or_closed_from_page_to_page(window: Page) -> None:
    _button(window, "Menu").click()
    _menu(window).get_by_role("link", name="Help").click()

    expect(window).to_have_title("Help \u2013 District 207 Parent Portal")
    expect(_menu(window)).to_be_visible()
    expect(_button(window, "Menu")).to_have_attribute("aria-expanded", "true")

    _button(window, "Menu").click()
    window.reload()
    expect(_menu(window)).to_be_hidden()


def test_r9_the_menu_is_top_left_and_the_profile_top_right(window: Page) -> None:
    width = window.viewport_size["width"] if window.viewport_size else 0
    menu, profile = _box(_button(window, "Menu")), _box(_button(window, "Profile"))

    assert menu["x"] < 30
    assert menu["y"] < 30
    assert profile["x"] + profile["width"] > width - 30
    assert profile["y"] < 30


def test_the_profile_opens_and_closes_by_button_escape_and_a_click_beside_it(window: Page) -> None:
    profile = window.locator("#profile")
    expect(profile).to_be_hidden()

    _button(window, "Profile").click()
    expect(profile).to_be_visible()
    window.keyboard.press("Escape")
    expect(profile).to_be_hidden()
    expect(_button(window, "Profile")).to_be_focused()

    _button(window, "Profile").click()
    window.get_by_role("contentinfo").click()
    expect(profile).to_be_hidden()
    expect(_button(window, "Profile")).to_have_attribute("aria-expanded", "false")


def test_one_escape_closes_one_menu(window: Page) -> None:
    _button(window, "Menu").click()
    _button(window, "Profile").click()

    window.keyboard.press("Escape")

    expect(window.locator("#profile")).to_be_hidden()
    expect(_menu(window)).to_be_visible()


def test_log_out_in_the_profile_logs_out(window: Page, portal: Portal) -> None:
    _button(window, "Profile").click()
    window.get_by_role("button", name="Log Out").click()
    window.goto(f"{portal.origin}/")

    expect(_button(window, "Log In")).to_be_visible()


def test_targets_are_large_enough_for_a_thumb_and_nothing_sticks_out(window: Page) -> None:
    _button(window, "Menu").click()
    _button(window, "Profile").click()

    for target in window.locator("header button, #menu a, #profile a").all():
        assert _box(target)["height"] >= 44, target.inner_text()
    assert window.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_without_javascript_both_menus_work(chromium: Chromium, portal: Portal, width: int) -> None:
    with chromium.window(width, javascript=False) as window:
        _log_in(window, portal)
        expect(_menu(window)).to_be_hidden()

        _button(window, "Menu").click()
        expect(_menu(window)).to_be_visible()
        expect(_button(window, "Menu")).to_have_attribute("aria-expanded", "true")

        _button(window, "Menu").click()
        expect(_menu(window)).to_be_hidden()

        _button(window, "Profile").click()
        window.locator("#profile").get_by_role("link", name="Settings").click()
        window.get_by_role("main").get_by_role("link", name="Account Settings").click()
        expect(window.get_by_role("heading", name="Account Settings")).to_be_visible()


def _log_in(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.origin}/login")
    page.get_by_label("Username").fill(portal.guardian.username)
    page.get_by_label("Password").fill(portal.guardian.password)
    _button(page, "Log In").click()
    expect(page).to_have_url(f"{portal.origin}/")
    # The address changes before the page has come, and a key pressed before that is lost.
    page.wait_for_load_state()


def _button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def _menu(page: Page) -> Locator:
    return page.locator("#menu")


def _box(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box is not None
    return box
