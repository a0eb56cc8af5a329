"""Two hundred that send a byte now and then hold up neither a log-in nor whoever watches (ATTACKS DS3)."""

import contextlib
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.overload.conftest import Provider
from tests.overload.crowd import Browser

_SLOW = 200
_HEAD = (
    b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 1000\r\n"
)


@pytest.mark.parametrize(("first", "then"), [(b"X-Slow: ", b"x"), (b"\r\nusername=", b"x")], ids=["heads", "bodies"])
def test_ds3_slow_connections_do_not_stop_a_log_in(provider: Provider, first: bytes, then: bytes) -> None:
    with contextlib.ExitStack() as open_ones:
        slow = [
            open_ones.enter_context(socket.create_connection(("127.0.0.1", urlsplit(provider.origin).port or 0), 20))
            for _ in range(_SLOW)
        ]
        for connection in slow:
            connection.sendall(_HEAD + first)
        time.sleep(0.5)
        for connection in slow:
            connection.sendall(then)

        browser = Browser(provider.origin)
        assert browser.ask("GET", "/healthz").status == 200
        token = browser.open_log_in()
        assert browser.log_in(provider.parent.username, provider.parent.password, token).status == 303
        assert browser.ask("GET", "/").status == 200
        assert all(_is_open(connection) for connection in slow), "they were there all the while"


def _is_open(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
