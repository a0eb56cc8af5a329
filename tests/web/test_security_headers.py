"""Every answer carries the headers that keep other sites away from it."""

from dataclasses import replace

import pytest

from idp.settings import Settings
from tests.databases import AppBuilder
from tests.pages import Browser

_ANSWERS = [
    ("GET", "/login", 200),
    ("GET", "/help", 200),
    ("GET", "/", 303),
    ("GET", "/nowhere", 404),
    ("PUT", "/help", 405),
    ("POST", "/login", 400),
    ("GET", "/healthz", 200),
    ("GET", "/theme/district.css", 200),
    ("GET", "/static/theme.css", 200),
    ("GET", "/static/nothing.css", 404),
    ("GET", "/bootstrap/static/css/bootstrap.min.css", 200),
    ("GET", "/.well-known/openid-configuration", 200),
]


@pytest.fixture
def https_browser(build_app: AppBuilder, settings: Settings, database_url: str) -> Browser:
    """A browser at a provider that is reached by HTTPS, as in production."""
    server = replace(settings.server, issuer="https://login.example.org")
    database = replace(settings.database, url=database_url)
    app = build_app(replace(settings, server=server, database=database))
    return Browser(app.test_client(), "https://login.example.org")


@pytest.mark.parametrize(("method", "path", "status"), _ANSWERS)
def test_hd5_every_answer_has_the_fixed_headers(https_browser: Browser, method: str, path: str, status: int) -> None:
    answer = https_browser.send(method, path)

    assert answer.status == status
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(("method", "path", "status"), _ANSWERS)
def test_hd1_no_answer_can_be_framed(browser: Browser, method: str, path: str, status: int) -> None:
    answer = browser.send(method, path)

    assert answer.status == status
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_page_runs_and_loads_only_what_is_ours(browser: Browser) -> None:
    policy = _directives(browser.open("/help").headers["Content-Security-Policy"])

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert "unsafe" not in " ".join(policy.values())


def test_what_is_no_page_may_load_nothing_at_all(browser: Browser) -> None:
    policy = _directives(browser.open("/healthz").headers["Content-Security-Policy"])

    assert policy == {"default-src": "'none'", "frame-ancestors": "'none'"}


def test_pages_and_errors_are_kept_by_no_cache(browser: Browser) -> None:
    assert browser.open("/help").headers["Cache-Control"] == "no-store"
    assert browser.open("/nowhere").headers["Cache-Control"] == "no-store"


def test_hsts_is_not_promised_where_there_is_no_https(browser: Browser) -> None:
    assert "Strict-Transport-Security" not in browser.open("/help").headers


def _directives(policy: str) -> dict[str, str]:
    parts = (directive.strip().partition(" ") for directive in policy.split(";"))
    return {name: values for name, _, values in parts}
