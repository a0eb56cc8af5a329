"""Each page says what language it is in, and which way it runs."""

from dataclasses import replace

import pytest

from idp.settings import Settings
from tests.databases import AppBuilder
from tests.elements import Element
from tests.pages import Browser


@pytest.fixture
def international(build_app: AppBuilder, settings: Settings) -> Browser:
    """A browser at a district that offers three languages."""
    district = replace(settings.district, languages=("en", "pl", "ar"))
    return Browser(build_app(replace(settings, district=district)).test_client(), settings.server.issuer)


@pytest.mark.parametrize(
    ("wanted", "language", "direction"),
    [
        ("pl", "pl", "ltr"),
        ("pl-PL,pl;q=0.9,en;q=0.8", "pl", "ltr"),
        ("ar", "ar", "rtl"),
        ("de,fr;q=0.8", "en", "ltr"),
        ("", "en", "ltr"),
        ("x" * 5000, "en", "ltr"),
        ("pl;q=abc,*;q=-1,\u00e9", "en", "ltr"),
    ],
)
def test_the_page_is_marked_with_the_best_language_on_offer(
    international: Browser, wanted: str, language: str, direction: str
) -> None:
    document = _document(international, wanted)

    assert (document.get("lang"), document.get("dir")) == (language, direction)


def test_a_district_of_one_language_does_not_follow_the_browser(browser: Browser) -> None:
    assert _document(browser, "pl").get("lang") == "en"


def _document(browser: Browser, wanted: str) -> Element:
    page = browser.send("GET", "/help", headers={"Accept-Language": wanted})
    assert page.status == 200
    return next(page.root.all("html"))
