"""Rows IN11 and IN14: each line of the log is one JSON object, and holds neither what was typed nor a secret."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from idp.database import db
from tests.attacks.conftest import Intruder
from tests.factories import Person
from tests.oidc.conftest import Application, query_of
from tests.pages import Browser

log = structlog.get_logger(__name__)

_LINES = [
    'a\n2026-11-24 CRITICAL {"event": "log_in", "outcome": "success"}',
    "a\r\nX: y",
    "a\x1b[2J\x1b[31mroot\x07",
    "a\u2028b\u2029c\x85d",
    '", "outcome": "success", "x": "',
    "\u202etoor\x00",
]

Lines = Callable[[], list[str]]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Lines:
    """Return what was logged since it was last asked, each line proved to be one JSON object."""

    def logged() -> list[str]:
        found = capfd.readouterr().err.split("\n")[:-1]
        assert all(isinstance(json.loads(line), dict) for line in found), found
        assert all(line.isprintable() for line in found), found
        return found

    return logged


@contextmanager
def failing(app: Flask) -> Iterator[None]:
    """Let /login fail with an error of ours while the block runs."""

    def fail() -> str:
        raise RuntimeError(_LINES[0])

    views, before = app.view_functions, app.view_functions["login.log_in"]
    views["login.log_in"] = fail
    yield
    views["login.log_in"] = before


@pytest.mark.one_database
@pytest.mark.parametrize("typed", _LINES)
def test_in11_what_is_typed_makes_no_line_of_its_own(browser: Browser, lines: Lines, typed: str) -> None:
    browser.open("/login")
    lines()
    browser.log_in(typed, typed)
    found = lines()

    assert [json.loads(line)["endpoint"] for line in found] == ["login.check_log_in"]
    assert "root" not in found[0]
    assert "CRITICAL" not in found[0]


@pytest.mark.one_database
@pytest.mark.parametrize("sent", _LINES)
def test_in11_an_address_a_header_or_a_method_makes_no_line_of_its_own(
    stranger: Intruder, app: Flask, lines: Lines, sent: str
) -> None:
    lines()
    stranger.send("GET", f"/nowhere/{quote(sent)}?{quote(sent)}")
    raw = sent.encode().decode("latin-1").replace("\n", "").replace("\r", "")
    stranger.send("GET", "/help", headers={"User-Agent": raw, "Referer": raw, "Accept-Language": raw})
    with failing(app):
        assert app.test_client().get("/login", environ_overrides={"QUERY_STRING": raw}).status_code == 500
    found = lines()

    assert len(found) == 4, "three requests, and what went wrong at the last"
    assert not [line for line in found[:2] if "root" in line or "CRITICAL" in line]


def test_in11_no_secret_is_logged_on_the_whole_way_to_the_claims(
    application: Application, browser: Browser, parent: Person, lines: Lines
) -> None:
    lines()
    sent = application.authorize(browser.client)
    browser.open(sent.location)
    browser.log_in(parent.username, "wrong password")
    browser.log_in(parent.username, parent.password)
    browser.follow()
    code = browser.page.query["code"]
    tokens = application.redeem(code).get_json()
    application.userinfo(tokens["access_token"])
    application.redeem(code)
    browser.open("/logout", id_token_hint=tokens["id_token"])
    logged = "\n".join(lines())

    assert '"endpoint": "protocol.issue_token"' in logged
    secrets = [
        code, tokens["access_token"], tokens["id_token"], application.verifier, application.registered.secret,
        application.state, application.nonce, parent.password, "wrong password", parent.username, parent.email,
        sent.location.partition("continue=")[2], *browser.cookies.values(),
    ]  # fmt: skip
    assert not [secret for secret in secrets if secret and secret in logged]


_BOUND = "what nobody may read"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("INSERT INTO nowhere VALUES (:value)", "nowhere"),
        ("INSERT INTO singles VALUES (:value, NULL)", "singles"),
        ("INSERT INTO singles VALUES ('another', NULL), (NULL, :value)", "singles"),
        ("UPDATE singles SET number = CAST(:value AS integer) WHERE name IS NOT NULL", "singles"),
        ("INSERT INTO singles (number) VALUES (CAST(:value AS uuid))", "singles"),
    ],
    ids=["no such table", "taken", "missing", "no number", "no UUID"],
)
def test_in11_an_error_of_the_database_tells_the_statement_and_nothing_that_was_bound(
    app: Flask, lines: Lines, statement: str, told: str
) -> None:
    db.session.execute(text("CREATE TEMPORARY TABLE singles (name varchar(99) NOT NULL UNIQUE, number integer)"))
    db.session.execute(text("INSERT INTO singles VALUES (:value, 1)"), {"value": _BOUND})
    try:
        db.session.execute(text(statement), {"value": _BOUND})
    except DBAPIError as failed:
        log.exception("unexpected_error")
        printed = f"{failed!r} {failed} {failed.orig!r} {failed.args} {''.join(lines())}"
        assert told in printed
        assert "Error" in printed
        assert _BOUND not in printed
    else:
        # SQLite takes what PostgreSQL refuses: it reads a number out of any text.
        assert db.engine.dialect.name == "sqlite"
        assert "CAST" in statement
    db.session.rollback()


@pytest.mark.one_database
def test_in14_a_fault_shows_a_number_and_nothing_of_the_inside(
    app: Flask, visitor: FlaskClient, application: Application
) -> None:
    with failing(app):
        answer = app.test_client().get("/login?__debugger__=yes&cmd=resource")

    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in answer.text
    assert "CRITICAL" not in answer.text
    assert "RuntimeError" not in answer.text
    assert query_of(application.authorize(visitor))["code"]
