"""The two buttons of every portal page as the server draws them: they work without JavaScript."""

import pytest

from tests.elements import Element
from tests.factories import Person, Registered
from tests.pages import Browser, Page

_PAGES = ["/", "/account", "/help", "/support"]


@pytest.mark.parametrize("path", _PAGES)
def test_r9_the_menus_button_comes_first_on_every_portal_page(logged_in: Browser, path: str) -> None:
    assert logged_in.open(path).buttons[0] == "Menu"


def test_r9_the_menu_lists_tools_settings_and_help(logged_in: Browser, tools: list[Registered]) -> None:
    menu = _element(logged_in.open("/"), "menu")

    assert [link.words for link in menu.all("a")] == [
        "Home",
        "Gradebook",
        "Maine East Parent Dashboard",
        "Maine West Parent Dashboard",
        "Account Settings",
        "Help",
    ]


def test_r10_the_same_button_shows_and_hides_the_menu(logged_in: Browser) -> None:
    logged_in.open("/account")

    assert _states(logged_in.page) == ("hidden", "false")
    logged_in.press("Menu")
    assert _states(logged_in.page) == ("shown", "true")
    logged_in.press("Menu")
    assert _states(logged_in.page) == ("hidden", "false")


def test_opening_the_menu_keeps_the_page_and_its_query(logged_in: Browser) -> None:
    logged_in.open("/account?sort=name")

    logged_in.press("Menu")

    assert logged_in.page.title.startswith("Settings")
    assert [item.get("value") for item in logged_in.page.root.all("input") if item.get("name") == "sort"] == ["name"]


def test_the_menu_marks_the_page_that_is_open(logged_in: Browser) -> None:
    menu = _element(logged_in.open("/help"), "menu")

    assert [link.words for link in menu.all("a") if link.get("aria-current") == "page"] == ["Help"]


def test_r33_the_profile_has_settings_and_log_out(logged_in: Browser, parent: Person) -> None:
    logged_in.open("/")
    assert parent.username not in logged_in.words

    logged_in.press("Profile")

    profile = _element(logged_in.page, "profile")
    assert profile.words.startswith(f"Logged in as {parent.name}")
    assert parent.username in profile.words
    assert [link.words for link in profile.all("a")] == ["Settings"]
    assert [button.words for button in profile.all("button")] == ["Log Out"]


def test_r34_settings_lists_account_settings(logged_in: Browser, parent: Person) -> None:
    logged_in.open("/")
    logged_in.press("Profile")

    page = logged_in.click("Settings")

    assert page.path == "/account"
    assert page.links["Account Settings"] == "/account/settings"
    assert f"Username | {parent.username}" in logged_in.open("/account/settings").words


def test_log_out_in_the_profile_ends_at_the_log_in_page_of_a_stranger(logged_in: Browser) -> None:
    logged_in.open("/?show=profile")

    logged_in.press("Log Out", follow=True)

    logged_in.open("/")
    assert (logged_in.status, (logged_in.location or "").partition("?")[0]) == (303, "/login")


@pytest.mark.parametrize("path", ["/help", "/login", "/nowhere"])
def test_a_visitor_has_neither_button(browser: Browser, path: str) -> None:
    page = browser.open(path)

    assert "Menu" not in page.buttons
    assert "Profile" not in page.buttons


def _states(page: Page) -> tuple[str | None, str | None]:
    """Whether the page shows its menu, and what its button tells of that."""
    return next(page.root.all("html")).get("data-menu"), _element(page, "menu-button").get("aria-expanded")


def _element(page: Page, element_id: str) -> Element:
    return next(item for item in page.root.all() if item.get("id") == element_id)
