"""Whatever goes wrong is a plain page: no version, no trace, a way on."""

import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from idp.database import db
from idp.settings import Settings
from tests.databases import AppBuilder
from tests.pages import Browser, Page

_MARK = "the secret behind the fault"


@pytest.fixture
def faulty(build_app: AppBuilder, settings: Settings) -> Browser:
    """A browser at an application with a page that fails."""
    app = build_app(settings)
    app.add_url_rule("/fails", "fails", _fail)
    return Browser(app.test_client(), settings.server.issuer)


def _fail() -> str:
    raise RuntimeError(_MARK)


@pytest.fixture
def stranded(build_app: AppBuilder, settings: Settings, tmp_path: Path) -> Browser:
    """A browser at an application whose database is gone: there is a folder where the file should be."""
    app = build_app(settings)
    with app.app_context():
        db.engine.dispose()
    Path(settings.database.url.removeprefix("sqlite:///")).unlink(missing_ok=True)
    Path(settings.database.url.removeprefix("sqlite:///")).mkdir()
    return Browser(app.test_client(), settings.server.issuer)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/console", 404),
        ("GET", "/help?__debugger__=yes&cmd=resource&f=debugger.js", 200),
        ("GET", "/nowhere?__debugger__=yes", 404),
        ("POST", "/help", 405),
        ("GET", "/fails", 500),
        ("TRACE", "/help", 405),
        ("GET", "/%00", 404),
        ("GET", "/static/../settings.py", 404),
        ("GET", "/static/%2e%2e/settings.py", 404),
    ],
)
def test_in14_no_answer_tells_of_versions_traces_or_a_debugger(
    faulty: Browser, method: str, path: str, status: int
) -> None:
    faulty.open("/login")

    answer = faulty.send(method, path)

    assert answer.status == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    _tells_nothing(answer)


def test_a_fault_of_ours_gives_a_number_to_ask_with(faulty: Browser) -> None:
    answer = faulty.open("/fails")

    assert answer.status == 500
    assert "The fault is ours" in answer.words
    assert answer.headers["X-Request-Id"] in answer.words


def test_an_error_page_has_a_way_on_and_one_heading(browser: Browser) -> None:
    page = browser.open("/nowhere")

    assert page.title == "Page not found \u2013 District 207 Parent Portal"
    assert [heading.words for heading in page.root.all("h1")] == ["Page not found"]
    assert page.links["Go to the Parent Portal"] == "/"
    assert page.links["Help"] == "/help"


def test_a_wrong_method_is_answered_with_the_right_ones(browser: Browser) -> None:
    answer = browser.send("PUT", "/help")

    assert answer.status == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/help", "/login", "/nowhere", "/static/theme.css"])
def test_head_answers_as_get_does_without_the_body(browser: Browser, path: str) -> None:
    head, get = browser.send("HEAD", path), browser.send("GET", path)

    assert head.status == get.status
    assert head.body == b""
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_a_body_that_is_too_large_is_refused(browser: Browser) -> None:
    browser.open("/login")

    answer = browser.send("POST", "/login", data={"username": "x" * 70_000})

    assert answer.status == 413
    assert answer.title.startswith("That was too much")


def test_without_a_database_a_page_says_to_come_back(stranded: Browser) -> None:
    stranded.client.set_cookie("idp_session", "a" * 43)

    answer = stranded.open("/")

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "30"
    assert answer.title.startswith("We are busy")
    _tells_nothing(answer)


def test_without_a_database_help_still_opens(stranded: Browser) -> None:
    answer = stranded.open("/help")

    assert answer.status == 200
    assert "847-555-0142" in answer.words


def test_the_words_of_an_address_are_shown_nowhere(browser: Browser) -> None:
    answer = browser.open("/<script>alert(1)</script>?a=%22%3E%3Cimg%20src=x%3E")

    assert answer.status == 404
    assert "alert(1)" not in answer.text
    assert "<img" not in answer.text


def _tells_nothing(answer: Page) -> None:
    everything = answer.text + str(answer.headers)
    for word in ("Traceback", "werkzeug", "Werkzeug", "sqlalchemy", "sqlite", "debugger", "/idp/", _MARK):
        assert word not in everything
    for number in (version("flask"), version("werkzeug"), version("sqlalchemy"), platform.python_version()):
        assert number not in everything
