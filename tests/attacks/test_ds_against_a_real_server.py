"""Rows DS1, DS7 and TH3 over HTTP: what the server in front of the application makes of too much, and of forgeries."""

import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from idp.settings import Settings
from tests import servers
from tests.databases import Databases, with_database

_HEAD = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"

Send = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def send(
    session_settings: Settings, all_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Send]:
    """Send raw bytes to one provider for all of these, and return what comes back, which is never a 5xx."""
    with (
        all_databases.new("sqlite") as url,
        servers.provider(with_database(session_settings, url), tmp_path_factory.mktemp("server")) as running,
    ):
        where = urlsplit(running.origin)

        def sent(request: bytes) -> bytes:
            answer = b""
            with socket.create_connection(("127.0.0.1", where.port or 0), timeout=20) as connection:
                try:
                    connection.sendall(request)
                    while chunk := connection.recv(65_536):
                        answer += chunk
                except (ConnectionResetError, BrokenPipeError):
                    pass  # it has refused before all was sent
            assert not answer.startswith(b"HTTP/1.1 5"), answer[:500]
            return answer

        yield sent
        assert b"HTTP/1.1 200" in sent(_HEAD.format("/healthz").encode() + b"\r\n"), "it still answers"
        assert "Traceback" not in running.lines


def _status(answer: bytes) -> int | None:
    """Return the status, or None when the connection was closed without a word."""
    return int(answer.split(b" ", 2)[1]) if answer else None


@pytest.mark.parametrize(
    ("path", "more", "expected"),
    [
        ("/help?" + "a" * 20_000, "", {200, 414, 431}),
        ("/help?" + "a" * 70_000, "", {400, 414, 431, None}),
        ("/" + "a" * 20_000, "", {404, 414, 431}),
        ("/help", "X: " + "a" * 65_536 + "\r\n", {400, 431, None}),
        ("/help", "".join(f"X-{number}: y\r\n" for number in range(2000)), {400, 431, None}),
        ("/login", "Cookie: " + "; ".join(f"c{number}=x" for number in range(100)) + "\r\n", {200}),
        ("/login", "".join(f"Cookie: c{number}=x\r\n" for number in range(90)), {200, 431}),
        ("/login", "Cookie: \xff=\xfe; idp_session=\xff\r\n", {200, 400}),
        ("/help", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", {200, 400}),
        ("/help", "Content-Length: -1\r\n", {400}),
        ("/help", "Content-Length: \xb2\r\n", {400}),
        ("/help", "Content-Length: 1\r\nContent-Length: 2\r\n", {400}),
        ("/help", "X: a\0b\r\n", {400}),
        ("/help", " folded: x\r\n", {400}),
        ("/help", "X : y\r\n", {200, 400}),
        ("/help", "Host: evil.example\r\n", {200, 400}),
        ("//evil.example/%2e%2e", "", {404}),
        ("http://evil.example/help", "", {200, 400}),
        ("*", "", {200, 303, 400, 404}),
        ("/%ff%00%0d%0a?%ff=%00", "", {404}),
        ("/help?\xc5\xbc=\xc5\xbc", "", {200, 400}),
        ("/help", "Upgrade: websocket\r\nExpect: 100-continue\r\n", {200, 400, 417, 100}),
    ],
)
def test_ds7_whatever_stands_in_a_requests_head_is_answered(
    send: Send, path: str, more: str, expected: set[int | None]
) -> None:
    answer = send((_HEAD.format(path) + more + "\r\n").encode("latin-1"))

    assert _status(answer) in expected
    assert b"evil.example" not in answer


@pytest.mark.parametrize(
    "request_line",
    [b"", b"\0", b"GET", b"GET /", b"get / HTTP/1.1", b"GET / HTTP/9.9", b"GET  /  HTTP/1.1", b"PRI * HTTP/2.0",
     b"\x16\x03\x01\x02\x00\x01", b"A" * 70_000],
)  # fmt: skip
def test_ds7_what_is_no_request_ends_the_connection(send: Send, request_line: bytes) -> None:
    assert _status(send(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")) in {
        303,
        400,
        404,
        405,
        414,
        431,
        505,
        None,
    }


@pytest.mark.parametrize(
    "path", ["/login", "/oauth/token", "/oauth/userinfo", "/oauth/authorize", "/logout", "/nowhere"]
)
@pytest.mark.parametrize("how", ["length", "chunks", "a lie"])
def test_ds1_a_body_of_ten_megabytes_is_refused(send: Send, path: str, how: str) -> None:
    kind = "Content-Type: application/x-www-form-urlencoded\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{kind}"
    body = {
        "length": f"Content-Length: 10000000\r\n\r\na={'a' * 300_000}",
        "chunks": "Transfer-Encoding: chunked\r\n\r\n" + f"{0x10000:x}\r\n{'a' * 0x10000}\r\n" * 16 + "0\r\n\r\n",
        "a lie": "Content-Length: 999999999999999999999999999999\r\n\r\na=1",
    }[how]

    assert _status(send((head + body).encode())) in {400, 401, 404, 413, 303, None}


def test_th3_a_header_with_an_underscore_opens_neither_console_nor_counters(send: Send) -> None:
    for name in ("X_Forwarded_For", "x-forwarded_for", "X-Forwarded-For", "Forwarded"):
        for path in ("/admin", "/metrics"):
            assert _status(send((_HEAD.format(path) + f"{name}: 127.0.0.1\r\n\r\n").encode())) == 404
