"""The bridge between granian and the application: whatever way a request takes, it is the same request."""

import asyncio
import contextvars
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pytest
from flask import Flask, request

from idp.app import create_app
from idp.database import db
from idp.ids import new_id
from idp.oidc import access_tokens
from idp.operations import drain, front
from idp.operations.front import Front, environ_of
from idp.settings import Settings
from idp.web.context import origin
from idp.web.direct import Answer, Message, table_of
from tests.databases import Databases, with_database

FORM = "application/x-www-form-urlencoded"


class Headers:
    """What granian gives for headers: values that are no text are in none of its lists, their names are."""

    def __init__(self, pairs: list[tuple[str, str | None]]) -> None:
        self._pairs = pairs

    def items(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self._pairs if value is not None]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(name for name, _value in self._pairs))

    def get(self, name: str, default: Any = None) -> Any:
        return next((value for key, value in self.items() if key == name), default)

    def __contains__(self, name: str) -> bool:
        return name in self.keys()


@dataclass
class Scope:
    """A request as granian hands it over."""

    method: str = "GET"
    path: str = "/"
    query_string: str = ""
    headers: Headers = field(default_factory=lambda: Headers([]))
    client: str = "127.0.0.1:50000"
    server: str = "127.0.0.1:5000"
    scheme: str = "http"
    http_version: str = "1.1"


@dataclass
class Protocol:
    """The other half: gives the body, and takes the answer."""

    chunks: list[bytes] = field(default_factory=list)
    pause: float = 0.0
    read: int = 0
    answered: tuple[int, dict[str, str], bytes] | None = None

    def __call__(self) -> "asyncio.Future[bytes]":
        return asyncio.ensure_future(self._whole())

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._all()

    async def _whole(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    async def _all(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            await asyncio.sleep(self.pause)
            self.read += 1
            yield chunk

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answered = (status, dict(headers), body)


@dataclass
class Asked:
    """An answer, and how much of the body was read for it."""

    status: int
    headers: dict[str, str]
    body: bytes
    read: int

    @classmethod
    def of(cls, protocol: Protocol) -> Self:
        assert protocol.answered is not None
        return cls(*protocol.answered, protocol.read)


Ask = Callable[..., Asked]


@pytest.fixture
def served(settings: Settings, all_databases: Databases) -> Iterator[tuple[Flask, Path]]:
    """An application on an SQLite file, and that file."""
    with all_databases.new("sqlite") as url:
        app = create_app(with_database(settings, url))
        yield app, Path(url.partition("///")[2])
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def ask(served: tuple[Flask, Path]) -> Ask:
    """Ask as granian does: on a loop, whose context is the front's."""

    def asked(scope: Scope, protocol: Protocol | None = None, app: Flask = served[0]) -> Asked:
        protocol = protocol or Protocol()

        def run() -> None:
            asyncio.run(Front(app).__rsgi__(scope, protocol))  # type: ignore[arg-type]  # as far as it is looked at

        with ThreadPoolExecutor(1) as loop:  # the tests' own thread has one already where a browser was driven
            loop.submit(contextvars.Context().run, run).result()
        return Asked.of(protocol)

    return asked


def _environ(scope: Scope) -> dict[str, Any]:
    return environ_of(scope, b"")  # type: ignore[arg-type]  # as far as it is looked at


def _post(body: bytes, *more: tuple[str, str | None], length: str | None = None, path: str = "/oauth/token") -> Scope:
    size = str(len(body)) if length is None else length
    return Scope("POST", path, headers=Headers([("content-type", FORM), ("content-length", size), *more]))


@pytest.mark.parametrize("path", ["/healthz", "/oauth/jwks", "/oauth/userinfo", "/login", "/static/theme.css", "/none"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_each_way_has_id_and_security_headers(ask: Ask, path: str, method: str) -> None:
    answer = ask(Scope(method, path))
    headers = {name.lower(): value for name, value in answer.headers.items()}

    assert answer.status < 500
    assert headers["x-content-type-options"] == "nosniff"
    assert len(headers["x-request-id"]) == 16
    assert method != "HEAD" or answer.body == b""


def test_head_tells_the_length_of_what_get_sends(ask: Ask) -> None:
    got, head = ask(Scope("GET", "/oauth/jwks")), ask(Scope("HEAD", "/oauth/jwks"))

    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.body))


def test_a_form_is_read_whole_or_in_chunks(ask: Ask) -> None:
    body = b"grant_type=authorization_code"
    whole = ask(_post(body), Protocol([body]))
    headers = Headers([("content-type", FORM), ("transfer-encoding", "chunked")])
    chunked = ask(Scope("POST", "/oauth/token", headers=headers), Protocol([body[:9], body[9:]]))

    assert (whole.status, whole.body) == (chunked.status, chunked.body)
    assert b"invalid_client" in whole.body


def test_ds1_of_too_large_a_body_no_more_is_read_than_shows_it(ask: Ask) -> None:
    headers = Headers([("content-type", FORM), ("transfer-encoding", "chunked")])
    chunked = ask(Scope("POST", "/oauth/token", headers=headers), Protocol([b"a" * 40_000] * 50))
    told = ask(_post(b"", length="70000"), Protocol([b"a" * 70_000]))

    assert (chunked.status, chunked.read) == (413, 2)
    assert (told.status, told.read) == (413, 0)


def test_ds3_a_body_that_does_not_come_is_not_waited_for_for_ever(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "BODY_SECONDS", 0.05)
    answer = ask(_post(b"a" * 10), Protocol([b"a"] * 10, pause=0.03))

    assert answer.status == 408
    assert answer.headers["Connection"] == "close"


def test_ds3_chunks_that_do_not_end_are_not_waited_for_for_ever(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "BODY_SECONDS", 0.05)
    headers = Headers([("content-type", FORM), ("transfer-encoding", "chunked")])
    answer = ask(Scope("POST", "/oauth/token", headers=headers), Protocol([b"a"] * 10, pause=0.03))

    assert answer.status == 408


def test_a_write_lock_that_is_held_holds_up_nobody_else(ask: Ask, served: tuple[Flask, Path]) -> None:
    """The loop does not wait for the lock: a thread does, and whoever writes nothing is answered meanwhile."""
    app, file = served
    waiting = replace(app.config["IDP"], database=replace(app.config["IDP"].database, lock_timeout_seconds=1))
    other = create_app(waiting)
    stranger = sqlite3.connect(file, isolation_level=None)
    basic = ("authorization", "Basic eDp4")

    async def both() -> list[str]:
        door = Front(other)
        order: list[str] = []

        async def one(name: str, scope: Scope, protocol: Protocol) -> None:
            await door.__rsgi__(scope, protocol)  # type: ignore[arg-type]  # as far as it is looked at
            order.append(name)

        body = b"grant_type=authorization_code"
        writes = asyncio.create_task(one("writes", _post(body, basic), Protocol([body])))
        await asyncio.sleep(0.1)
        unknown = Headers([("authorization", f"Bearer {access_tokens.new(new_id())}")])
        await one("reads", Scope(path="/oauth/userinfo", headers=unknown), Protocol())
        await writes
        return order

    stranger.execute("BEGIN IMMEDIATE")
    try:
        with ThreadPoolExecutor(1) as loop:
            assert loop.submit(lambda: contextvars.Context().run(asyncio.run, both())).result() == ["reads", "writes"]
    finally:
        stranger.close()
        with other.app_context():
            db.engine.dispose()


def test_a_server_on_its_way_out_keeps_no_connection(ask: Ask) -> None:
    drain.begun.set()
    try:
        assert [ask(Scope(path=path)).headers["Connection"] for path in ("/healthz", "/login")] == ["close", "close"]
    finally:
        drain.begun.clear()


@pytest.mark.parametrize("name", ["x_forwarded_for", "x-forwarded_for", "forwarded_", "cookie_x", "content_length"])
def test_th3_a_name_with_an_underscore_is_no_header(name: str) -> None:
    environ = _environ(Scope(headers=Headers([("x-forwarded-for", "192.0.2.1"), (name, "127.0.0.1")])))

    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert "127.0.0.1" not in [value for key, value in environ.items() if key != "REMOTE_ADDR"]


def test_th3_who_forwards_by_another_spelling_is_not_taken_for_its_proxy() -> None:
    environ = _environ(Scope(headers=Headers([("x_forwarded_for", "127.0.0.1")])))

    assert environ["HTTP_FORWARDED"] == "for=unknown"


def test_a_forwarded_address_that_is_no_text_is_still_seen() -> None:
    environ = _environ(Scope(headers=Headers([("x-forwarded-for", None)])))

    assert environ["HTTP_X_FORWARDED_FOR"] == "?"


def test_a_header_that_is_there_twice_is_one_list() -> None:
    twice = [("accept", "a"), ("cookie", "x=1"), ("accept", "b"), ("cookie", "y=2")]
    environ = _environ(Scope(headers=Headers(list(twice))))

    assert (environ["HTTP_ACCEPT"], environ["HTTP_COOKIE"]) == ("a,b", "x=1; y=2")


@pytest.mark.parametrize(("client", "address"), [("192.0.2.7:1", "192.0.2.7"), ("[2001:db8::1]:1", "2001:db8::1")])
def test_the_peers_port_is_no_part_of_its_address(client: str, address: str) -> None:
    assert _environ(Scope(client=client))["REMOTE_ADDR"] == address


@pytest.mark.parametrize(
    ("proxies", "sent", "address"),
    [
        (0, ["192.0.2.1"], "127.0.0.1"),
        (1, ["192.0.2.1"], "192.0.2.1"),
        (1, ["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
        (1, ["203.0.113.9", "192.0.2.1"], "192.0.2.1"),
        (2, ["203.0.113.9, 192.0.2.1"], "203.0.113.9"),
        (2, ["192.0.2.1"], "127.0.0.1"),
        (1, [], "127.0.0.1"),
    ],
)
def test_both_ways_believe_the_same_proxies(
    settings: Settings, ask: Ask, proxies: int, sent: list[str], address: str
) -> None:
    """On the short way the address is in the request's origin; on the other one Flask has it."""
    behind = create_app(replace(settings, server=replace(settings.server, trusted_proxies=proxies)))
    headers: list[tuple[str, str | None]] = [("x-forwarded-for", value) for value in sent]
    seen: list[str] = []
    short = table_of(behind)["GET", "/healthz"]

    def look(message: Message) -> Answer | None:
        seen.append(origin().address or "")
        return short.endpoint(message)

    table_of(behind)["GET", "/healthz"] = replace(short, endpoint=look)
    behind.before_request(lambda: seen.append(request.remote_addr or ""))
    ask(Scope(path="/healthz", headers=Headers(headers)), app=behind)
    ask(Scope(path="/none", headers=Headers(headers)), app=behind)

    assert set(seen) == {address}
    assert len(seen) >= 2
