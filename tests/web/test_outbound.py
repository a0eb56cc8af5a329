"""RO6: what others make the provider call never reaches its inside, never holds it up, and never fills it."""

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from idp.settings import Settings
from idp.web import addresses, outbound
from idp.web.outbound import CallFailed, Refused
from tests import certificates
from tests.databases import AppBuilder

Allow = Callable[..., None]


class Server:
    """A web server on this machine that notes who called."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer: Callable[[http.server.BaseHTTPRequestHandler], None] = _say_hello
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                server.requests.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
                server.answer(self)

            do_GET = do_POST = _serve  # noqa: N815  # the base class's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
                """Stay silent."""

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port: int = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def _say_hello(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain; charset=utf-8")
    handler.end_headers()
    handler.wfile.write(b"hello")


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture
def node(settings: Settings, build_app: AppBuilder) -> Iterator[Flask]:
    made = build_app(settings)
    with made.app_context():
        yield made


@pytest.fixture
def allow(node: Flask) -> Allow:
    """Put addresses on the allow-list, in the place of what was there."""

    def allowed(*entries: str) -> None:
        found = node.config["IDP"]
        node.config["IDP"] = replace(found, server=replace(found.server, outbound_allowed=entries))

    allowed()
    return allowed


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let a name have addresses of the test's choosing; returns the names that were looked up."""
    real = socket.getaddrinfo

    def answering(name: str, *found: str) -> list[str]:
        asked: list[str] = []

        def lookup(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
            if host == name:
                asked.append(host)
                return [entry for address in found for entry in real(address, port, *args, **options)]
            return real(host, port, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        return asked

    return answering


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001::1",
        "2002:7f00:1::1",
        "2001:db8::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "ff02::1",
        "100::1",
        "localhost",
        "",
    ],
)
def test_an_address_of_an_inside_is_not_public(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450:4001:80f::200e"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_nothing_is_sent_to_this_machine_however_it_is_spelt(host: str, server: Server, allow: Allow) -> None:
    with pytest.raises(Refused, match="public Internet"):
        outbound.post_form(f"https://{host}:{server.port}/backchannel-logout", {"logout_token": "secret"})

    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "http://rp.example/logout",
        "ftp://rp.example/",
        "file:///etc/passwd",
        "gopher://rp.example/",
        "https:///path",
        "https://user@rp.example/",
        "https://user:word@rp.example/",
        "https://rp.example/#fragment",
        "https://rp.example:99999/",
        "https://rp.example:0/",
        "https://rp.example\\@evil.example/",
        "https://rp.example/a b",
        "https://rp.example/\r\nHost: evil",
        "https://rp.exämple/",
        "//rp.example/",
        "",
        "https://rp.example/" + "a" * 3000,
    ],
)
def test_an_address_that_is_not_plain_https_is_refused(url: str, allow: Allow) -> None:
    with pytest.raises(Refused):
        outbound.get(url)


def test_one_inside_address_among_public_ones_spoils_the_name(
    server: Server, allow: Allow, names: Callable[..., list[str]]
) -> None:
    names("rebind.example", "8.8.8.8", "127.0.0.1")

    with pytest.raises(Refused, match="public Internet"):
        outbound.get(f"https://rebind.example:{server.port}/")


def test_the_connection_goes_to_the_address_that_was_checked(
    server: Server, allow: Allow, names: Callable[..., list[str]]
) -> None:
    asked = names("rp.example", "127.0.0.1")
    allow("http://rp.example")

    answer = outbound.post_form(f"http://rp.example:{server.port}/out?a=1", {"logout_token": "a b&c"})
    ((method, path, headers, body),) = server.requests

    assert (answer.status, answer.content_type, answer.body) == (200, "text/plain", b"hello")
    assert (method, path, body) == ("POST", "/out?a=1", b"logout_token=a+b%26c")
    assert headers["Host"] == f"rp.example:{server.port}"
    assert asked == ["rp.example"], "a second look-up could have another answer"


def test_a_name_with_a_dead_address_is_reached_by_its_other_one(
    server: Server, allow: Allow, names: Callable[..., list[str]]
) -> None:
    names("rp.example", "127.0.0.9", "127.0.0.1")
    allow("http://rp.example")

    assert outbound.get(f"http://rp.example:{server.port}/").status == 200


@pytest.mark.parametrize(
    ("entry", "works"),
    [
        ("http://localhost", True),
        ("http://localhost:{port}", True),
        ("http://localhost:1", False),
        ("https://localhost:{port}", False),
        ("http://localhost.example:{port}", False),
    ],
)
def test_the_allow_list_names_scheme_host_and_port(entry: str, server: Server, allow: Allow, *, works: bool) -> None:
    allow(entry.format(port=server.port))
    url = f"http://LOCALHOST:{server.port}/"

    if works:
        assert outbound.get(url).status == 200
    else:
        with pytest.raises(Refused):
            outbound.get(url)


def test_a_redirect_is_not_followed(server: Server, allow: Allow) -> None:
    def redirect(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(307)
        handler.send_header("Location", "http://127.0.0.1:1/")
        handler.end_headers()

    allow("http://localhost")
    server.answer = redirect

    assert outbound.get(f"http://localhost:{server.port}/").status == 307
    assert len(server.requests) == 1


def test_proxies_of_the_environment_are_ignored(server: Server, allow: Allow, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    allow("http://localhost")

    assert outbound.get(f"http://localhost:{server.port}/").status == 200


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server: Server, allow: Allow) -> None:
    written: list[int] = []

    def flood(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(10_000):
                handler.wfile.write(b"x" * 100_000)
                written.append(1)
        except OSError:
            handler.close_connection = True

    allow("http://localhost")
    server.answer = flood

    with pytest.raises(CallFailed, match="too large"):
        outbound.get(f"http://localhost:{server.port}/")
    assert len(written) < 1000


@pytest.mark.alone
@pytest.mark.parametrize("part", ["head", "body", "nothing"])
def test_a_byte_now_and_then_does_not_keep_a_call_open(part: str, server: Server, allow: Allow) -> None:
    def dribble(handler: http.server.BaseHTTPRequestHandler) -> None:
        if part == "body":
            handler.send_response(200)
            handler.end_headers()
        elif part == "head":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        try:
            for _ in range(100):
                time.sleep(0.1)
                handler.wfile.write(b"" if part == "nothing" else b"x")
        except OSError:
            handler.close_connection = True

    allow("http://localhost")
    server.answer = dribble
    began = time.monotonic()

    with pytest.raises(CallFailed, match=r"within 0\.5 seconds"):
        outbound.get(f"http://localhost:{server.port}/", seconds=0.5)
    assert time.monotonic() - began < 2


def test_what_goes_wrong_is_said_in_plain_words(server: Server, allow: Allow) -> None:
    def rubbish(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")

    allow("http://localhost", "http://nowhere.invalid", "https://localhost")
    server.answer = rubbish

    with pytest.raises(CallFailed, match="the answer is no HTTP"):
        outbound.get(f"http://localhost:{server.port}/")
    with pytest.raises(CallFailed, match="can't be resolved"):
        outbound.get("http://nowhere.invalid/")
    with pytest.raises(CallFailed, match="no encrypted connection"):
        outbound.get(f"https://localhost:{server.port}/")
    server.close()
    with pytest.raises(CallFailed, match="nothing listens"):
        outbound.get(f"http://localhost:{server.port}/")


def test_a_certificate_counts_when_it_is_for_the_name_and_of_a_trusted_issuer(
    allow: Allow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: Callable[..., list[str]]
) -> None:
    certificate = certificates.make(tmp_path, "rp.example")
    server = Server(certificate)
    names("rp.example", "127.0.0.1")
    allow("https://rp.example", "https://127.0.0.1")
    try:
        with pytest.raises(CallFailed, match="certificate does not count"):
            outbound.get(f"https://rp.example:{server.port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert outbound.get(f"https://rp.example:{server.port}/").body == b"hello"
        with pytest.raises(CallFailed, match="certificate does not count"):
            outbound.get(f"https://127.0.0.1:{server.port}/")
    finally:
        server.close()
