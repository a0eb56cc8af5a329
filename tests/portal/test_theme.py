"""The colours that a district sets can be read on every ground."""

import re
from dataclasses import replace

import pytest

from idp.portal import theme
from idp.settings import District, Settings
from tests.databases import AppBuilder
from tests.pages import Browser
from tests.portal.conftest import SCHOOLS

_COLOURS = [
    "#1d4f91",
    "#000000",
    "#ffffff",
    "#ffd200",
    "#a3192e",
    "#14633c",
    "#808080",
    "#00ffff",
    "#ff00ff",
    "#FAFAD2",
]
_GROUNDS = [("light", theme.LIGHT_PAGE), ("dark", theme.DARK_PAGE)]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_what_wcag_defines(one: str, other: str, ratio: float) -> None:
    assert theme.contrast(theme.parse(one), theme.parse(other)) == pytest.approx(ratio, abs=0.01)
    assert theme.contrast(theme.parse(other), theme.parse(one)) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("colour", _COLOURS)
@pytest.mark.parametrize(("ground", "page"), _GROUNDS)
def test_any_colour_becomes_one_that_can_be_seen_and_read(colour: str, ground: str, page: theme.Colour) -> None:
    uses = _uses(theme.stylesheet(District(colour=colour)), ":root", ground)

    assert theme.contrast(theme.parse(uses["--district-text"]), page) >= 4.5
    assert theme.contrast(theme.parse(uses["--district"]), page) >= 3
    assert theme.contrast(theme.parse(uses["--district-label"]), theme.parse(uses["--district"])) >= 4.5
    assert theme.contrast(theme.parse(uses["--district-label"]), theme.parse(uses["--district-pressed"])) >= 4.5


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    uses = _uses(theme.stylesheet(District(colour="#a3192e")), ":root", "light")

    assert uses["--district"] == uses["--district-text"] == "#a3192e"


def test_each_school_has_a_class_of_its_own() -> None:
    css = theme.stylesheet(District(schools=SCHOOLS))

    assert _uses(css, ".school-2", "light")["--school"] == "#a3192e"
    assert _uses(css, ".school-3", "light")["--school"] == "#14633c"


@pytest.mark.parametrize(
    "written",
    ["", "red", "#12345", "#1234567", "1d4f91", "#1d4f9g", "#fff;} body{display:none", "#1d4f91\n", "#\u0661d4f91"],
)
def test_what_is_no_colour_never_reaches_the_stylesheet(written: str) -> None:
    css = theme.stylesheet(District(colour=written))

    assert css == theme.stylesheet(District(colour="#1d4f91"))


def test_the_page_asks_for_the_stylesheet_by_its_version_and_keeps_it(browser: Browser) -> None:
    links = [link.get("href") or "" for link in browser.open("/help").root.all("link")]
    address = next(link for link in links if link.startswith("/theme/district.css?v="))

    answer = browser.open(address)

    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_another_version_is_kept_for_minutes_only(browser: Browser) -> None:
    for address in ("/theme/district.css", "/theme/district.css?v=old"):
        assert browser.open(address).headers["Cache-Control"] == "public, max-age=300"


def test_another_colour_has_another_version(build_app: AppBuilder, settings: Settings) -> None:
    other = replace(settings, district=replace(settings.district, colour="#14633c"))

    addresses = {_theme_address(build_app, given) for given in (settings, other)}

    assert len(addresses) == 2


def _theme_address(build_app: AppBuilder, settings: Settings) -> str:
    page = Browser(build_app(settings).test_client(), settings.server.issuer).open("/help")
    return next(
        link.get("href") or "" for link in page.root.all("link") if "theme/district" in (link.get("href") or "")
    )


def _uses(css: str, selector: str, ground: str) -> dict[str, str]:
    """Return the variables that a selector sets on light or dark pages."""
    light, _, dark = css.partition("@media (prefers-color-scheme: dark)")
    found = re.search(rf"{re.escape(selector)} {{(.*?)}}", dark if ground == "dark" else light)
    assert found is not None
    return dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6});", found[1]))
