"""What is wrong with a form is said above it, beside the field, and in the title; a screen reader hears it all."""

import pytest

from tests.elements import Element
from tests.pages import Browser, Page


@pytest.fixture
def refused(browser: Browser) -> Page:
    """The log-in page, sent without a word."""
    browser.open("/login")
    return browser.press("Log In")


def test_the_title_says_that_something_is_wrong(refused: Page) -> None:
    assert refused.title.startswith("Error: Log In")


def test_the_summary_is_announced_and_leads_to_each_field(refused: Page) -> None:
    summary = _element(refused, "error-summary")

    assert summary.get("role") == "alert"
    for link in summary.all("a"):
        assert _element(refused, (link.get("href") or "").removeprefix("#")).tag == "input"


def test_the_field_is_marked_and_described_by_its_error(refused: Page) -> None:
    field = refused.field("Username")

    assert field.get("aria-invalid") == "true"
    assert refused.error("Username").startswith("Error: ")


def test_a_field_without_an_error_is_not_marked(browser: Browser) -> None:
    field = browser.open("/login").field("Username")

    assert field.get("aria-invalid") is None
    assert field.get("aria-describedby") is None
    assert not browser.page.title.startswith("Error:")


def test_a_password_never_comes_back_with_the_page(browser: Browser) -> None:
    browser.open("/login")

    page = browser.log_in("nobody", "plum harbour violin sketch")

    assert "plum harbour violin sketch" not in page.text


def _element(page: Page, element_id: str) -> Element:
    return next(item for item in page.root.all() if item.get("id") == element_id)
