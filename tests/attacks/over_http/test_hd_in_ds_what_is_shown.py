"""Rows HD1 to HD5, IN1 to IN14, DS1 to DS10 and AD9: what anybody is shown, and what it costs."""

import json
import re
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import func, select

from idp.clients.models import Client
from idp.database import db
from idp.sessions.models import BrowserSession
from tests import elements
from tests.attacks.over_http.conftest import Intruder, Target, right_request
from tests.factories import Registered

MARKUP = "\"><img src=x onerror=alert(1)>'&{{7*7}}<script>"

Make = Callable[[Intruder], Any]

_PAGES: dict[str, Callable[[Target, Registered], list[tuple[Intruder, str, dict[str, str]]]]] = {
    "log-in": lambda target, lunch: [(target.intruder(), "/login", {}), (target.intruder(), "/help", {})],
    "application's log-in": lambda target, lunch: [(target.intruder(), "/oauth/authorize", right_request(lunch))],
    "consent": lambda target, lunch: [
        (target.visitor(), "/oauth/authorize", right_request(target.make_client("Other", first_party=False)))
    ],
    "account": lambda target, lunch: [(target.visitor(), path, {}) for path in ("/", "/account", "/logout", "/help")],
    "errors": lambda target, lunch: [
        (target.intruder(), path, {})
        for path in ("/nowhere", "/consent", "/oauth/authorize", "/oauth/token", "/login/")
    ],
    "programs": lambda target, lunch: [
        (target.intruder(), path, {})
        for path in ("/oauth/jwks", "/.well-known/openid-configuration", "/oauth/userinfo", "/healthz", "/readyz")
    ],
    "files": lambda target, lunch: [
        (target.intruder(), path, {}) for path in ("/static/theme.css", "/static/none.css")
    ],
}


@pytest.mark.parametrize("pages", _PAGES)
def test_hd1_hd5_every_answer_has_its_headers(target: Target, lunch: Registered, pages: str) -> None:
    for browser, path, query in _PAGES[pages](target, lunch):
        reply = browser.follow(browser.get(path, query))

        assert "frame-ancestors 'none'" in (reply.header("content-security-policy") or ""), path
        assert reply.header("x-content-type-options") == "nosniff", path
        assert reply.header("referrer-policy") == "same-origin", path
        assert reply.header("cross-origin-opener-policy") == "same-origin", path
        assert reply.header("cache-control"), path
        assert not re.search(r"\d", reply.header("server") or ""), "no version"
        assert reply.header("x-powered-by") is None


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://lunch.example.evil.example", "", "https://lunch.example"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_hd3_no_origin_is_let_in_with_a_cookie(visitor: Intruder, lunch: Registered, origin: str, method: str) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for path in ("/oauth/authorize", "/login", "/logout", "/account", "/admin", "/consent"):
        reply = visitor.send(method, path, right_request(lunch), {} if method == "POST" else None, headers=headers)
        assert reply.header("access-control-allow-origin") is None, path
    for path in ("/oauth/token", "/oauth/userinfo", "/oauth/jwks"):
        reply = visitor.send(method, path, form={} if method == "POST" else None, headers=headers)
        assert reply.header("access-control-allow-origin") in {"*", None}, path
        assert reply.header("access-control-allow-credentials") is None, path


_TYPED = [
    "' OR 1=1--",
    "%",
    "_",
    "\\",
    "%' ESCAPE '",
    "'; DROP TABLE clients;--",
    "\0",
    "a\0b",
    "💣",
    "x" * 2000,
    "%00",
    "\ud800",
    MARKUP,
]


@pytest.mark.parametrize("typed", _TYPED, ids=lambda typed: repr(typed)[:30])
def test_in1_a_search_finds_what_was_typed_and_changes_nothing(
    target: Target, console: Intruder, lunch: Registered, typed: str
) -> None:
    before = _rows(target)
    for query in (
        {"q": typed},
        {"q": typed, "page": typed},
        {"page": typed, "sort": typed, "order": typed, "cursor": typed},
    ):
        reply = console.get("/admin/clients", query)

        assert reply.status == 200
        assert "<img src=x" not in reply.text
        if query == {"q": typed} and typed in {"' OR 1=1--", "%", "_", "\\"}:
            assert lunch.client_id not in reply.text
    assert _rows(target) == before


def _rows(target: Target) -> tuple[int, int]:
    with target.app.app_context():
        clients = db.session.scalar(select(func.count()).select_from(Client)) or 0
        return clients, db.session.scalar(select(func.sum(Client.revision))) or 0


@pytest.mark.parametrize(
    "path", ["/oauth/token", "/oauth/userinfo", "/login", "/logout", "/consent", "/oauth/authorize", "/account"]
)
@pytest.mark.parametrize("typed", _TYPED, ids=lambda typed: repr(typed)[:30])
def test_in1_a_door_breaks_by_nothing_that_is_typed(visitor: Intruder, path: str, typed: str) -> None:
    names = (
        "client_id",
        "code",
        "username",
        "password",
        "access_token",
        "continue",
        "state",
        "id_token_hint",
        "next",
        "csrf_token",
    )
    visitor.get(path, [(name, typed) for name in names])
    visitor.post(path, [(name, typed) for name in names])
    visitor.post(path, [(typed, typed)] * 20)
    assert visitor.get("/account").status == 200, "and nobody is logged out by it"


def test_in3_in5_markup_is_text_wherever_it_is_shown(target: Target, console: Intruder) -> None:
    client = target.make_client(
        MARKUP, first_party=False, description=MARKUP, client_uri=f"https://lunch.example/?x={quote(MARKUP)}"
    )
    person = target.make_account(given_name=MARKUP, family_name=MARKUP)
    browser = target.visitor(person)
    stranger = target.intruder()
    replies = [
        stranger.follow(stranger.authorize(client, login_hint=MARKUP)),
        browser.follow(browser.authorize(client)),
        browser.follow(browser.authorize(client, prompt="select_account")),
        browser.get("/"),
        browser.get("/account"),
        browser.get(
            "/logout", {"client_id": client.client_id, "post_logout_redirect_uri": "https://lunch.example/bye"}
        ),
        console.get("/admin/clients"),
        console.get(f"/admin/clients/{client.client_id}"),
        console.get(f"/admin/clients/{client.client_id}/edit"),
        console.get(f"/admin/clients/{client.client_id}/remove"),
        stranger.log_in(MARKUP, MARKUP),
        stranger.get(f"/{quote(MARKUP)}", {MARKUP: MARKUP}),
        stranger.get("/help", {"done": MARKUP, "show": MARKUP}),
    ]

    assert sum("&lt;img" in reply.text for reply in replies) >= 8, "it is shown"
    for reply in replies:
        assert "<img src=x" not in reply.text
        assert "<script>" not in reply.text
        assert "49" not in re.findall(r"&amp;(\d+)&lt;script", reply.text)
        assert not re.search(r"href=\"(?!https?:|/|#|mailto:|tel:|\?)", reply.text)


@pytest.mark.parametrize(
    "typed",
    ['a\n2026 CRITICAL {"event": "log_in"}', "a\r\nX: y", "\x1b[31mroot", "\u2028b\u2029", "\u202etoor"],
    ids=repr,
)
def test_in11_the_log_has_a_line_a_request_and_nothing_that_was_typed(target: Target, typed: str) -> None:
    browser = target.intruder()
    before = target.running.lines
    browser.log_in(typed, typed)
    browser.get(
        f"/{quote(typed)}",
        {typed: typed},
        headers={"User-Agent": typed.encode().decode("latin-1").replace("\r", "").replace("\n", "")},
    )
    written = target.running.lines[len(before) :].split("\n")[:-1]

    assert all(isinstance(json.loads(line), dict) and line.isprintable() for line in written)
    assert not [line for line in written if "CRITICAL" in line or "root" in line or "toor" in line]


@pytest.mark.parametrize(
    "query",
    ["__debugger__=yes&cmd=resource&f=debugger.js", "__debugger__=yes&cmd=pinauth&pin=1&s=x", "EVALEX=1", "debug=1"],
)
@pytest.mark.parametrize("path", ["/console", "/login", "/nowhere", "/oauth/token", "/debug", "/.env", "/actuator/env"])
def test_in14_ad9_no_debugger_no_trace_no_version(intruder: Intruder, path: str, query: str) -> None:
    for method in ("GET", "POST", "BREW"):
        reply = intruder.send(method, path, query.encode(), headers={"X-Debug": "1"})

        told = elements.read(reply.text).words
        assert not re.search(r"(?i)python|flask|jinja|granian|\d+\.\d+\.\d+", told), told
        assert reply.status in {200, 303, 400, 401, 404, 405}
        assert reply.status != 200 or path == "/login"


_BODIES: dict[str, tuple[str, bytes]] = {
    "10 MB": ("application/x-www-form-urlencoded", b"username=" + b"a" * 10_000_000),
    "1001 parts": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1001 + b"--b--\r\n",
    ),
    "10 000 fields": ("application/x-www-form-urlencoded", b"&".join(b"a%d=" % number for number in range(8000))),
    "one field 20 000 times": ("application/x-www-form-urlencoded", b"a=&" * 20_000),
    "JSON nested deeply": ("application/json", b"[" * 60_000),
    "line breaks for a boundary": ("multipart/form-data; boundary=b", b"\r\n" * 30_000),
    "a type that is none": ("\xff/;;=", b"x" * 60_000),
}


@pytest.mark.parametrize("kind", _BODIES)
@pytest.mark.parametrize(
    "path", ["/login", "/oauth/token", "/oauth/userinfo", "/oauth/authorize", "/logout", "/consent"]
)
def test_ds1_too_much_is_refused(intruder: Intruder, path: str, kind: str) -> None:
    content_type, body = _BODIES[kind]
    try:
        reply = intruder.send("POST", path, form=body, kind=content_type)
    except (ConnectionResetError, BrokenPipeError):
        return  # refused before all was sent
    assert reply.status in {303, 400, 401, 413, 422}
    if path == "/oauth/token" and kind in {"10 MB", "1001 parts"}:
        assert reply.status == 413


@pytest.mark.parametrize(
    "head", ["Cookie: " + "; ".join(f"c{n}=x" for n in range(100)), "X: " + "a" * 64_000, "Cookie: a=" + "b" * 30_000]
)
def test_ds7_a_head_that_is_too_long_ends_the_request(target: Target, head: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(target.origin).port or 0), timeout=20) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}\r\n\r\n".encode())
        try:
            answer = connection.recv(65_536)
        except ConnectionResetError:
            answer = b""
    assert answer[:12] in {b"", b"HTTP/1.1 200", b"HTTP/1.1 400", b"HTTP/1.1 414", b"HTTP/1.1 431"}


def test_ds10_an_account_has_twenty_sessions_at_most(target: Target) -> None:
    person = target.make_account()
    with ThreadPoolExecutor(4) as pool:
        browsers = list(pool.map(lambda _: target.visitor(person), range(24)))
    alive = [browser for browser in browsers if browser.get("/account").status == 200]
    with target.app.app_context():
        mine = select(func.count()).select_from(BrowserSession).where(BrowserSession.account_id == person.id)
        live = db.session.scalar(mine.where(BrowserSession.ended_at.is_(None)))

    assert len(alive) <= 20
    assert live == len(alive)
