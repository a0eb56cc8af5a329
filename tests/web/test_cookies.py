"""Cookies that no script, no other site and no plain connection ever sees."""

from dataclasses import replace

import pytest

from idp.settings import Settings
from tests.databases import AppBuilder
from tests.factories import Person
from tests.pages import Browser, Page


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Reached by HTTPS, as in production."""
    return replace(settings, server=replace(settings.server, issuer="https://login.example.org"))


def test_se3_cookies_are_bound_to_this_host_and_hidden_from_scripts(browser: Browser) -> None:
    cookies = _set_cookies(browser.open("/login"))

    assert cookies
    for cookie in cookies:
        name, *attributes = cookie.split("; ")
        assert name.startswith("__Host-idp_")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
        assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_se3_logging_in_sets_a_sessions_cookie_that_is_hidden_as_well(browser: Browser, parent: Person) -> None:
    cookies = _set_cookies(browser.log_in(parent.username, parent.password))

    session = next(cookie for cookie in cookies if cookie.startswith("__Host-idp_session="))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(session.split("; "))
    assert "Domain" not in session


def test_files_and_health_set_no_cookie(browser: Browser) -> None:
    for path in ("/healthz", "/static/theme.css", "/theme/district.css", "/.well-known/openid-configuration"):
        assert _set_cookies(browser.open(path)) == []


def test_the_browsers_cookie_stays_the_same_from_page_to_page(browser: Browser) -> None:
    browser.open("/login")
    before = browser.cookies

    assert _set_cookies(browser.open("/login")) == []
    assert browser.cookies == before


def test_a_cookie_that_is_no_token_of_ours_is_replaced(browser: Browser) -> None:
    for planted in ("x", "a" * 44, "a" * 42 + "\u00e9", "../../etc/passwd", "a b"):
        browser.client.set_cookie("__Host-idp_browser", planted, domain="login.example.org", secure=True)

        page = browser.open("/login")

        assert page.status == 200
        assert len(_set_cookies(page)) == 1


def test_on_plain_http_the_names_have_no_prefix_that_browsers_would_refuse(
    build_app: AppBuilder, settings: Settings, database_url: str
) -> None:
    plain = replace(settings.server, issuer="http://localhost:5000")
    app = build_app(replace(settings, server=plain, database=replace(settings.database, url=database_url)))

    cookie = _set_cookies(Browser(app.test_client(), "http://localhost:5000").open("/login"))[0]

    assert cookie.startswith("idp_browser=")
    assert "Secure" not in cookie


def _set_cookies(page: Page) -> list[str]:
    return page.headers.getlist("Set-Cookie")
