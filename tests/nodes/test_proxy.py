"""nginx with the shipped configuration, in front of a real node: what it lets through, and what it answers itself."""

import contextlib
import http.client
import itertools
import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from queue import Queue
from types import MappingProxyType
from urllib.parse import urlencode

import pytest

from idp.app import create_app
from idp.database import db
from idp.settings import Settings
from tests import elements, factories
from tests.databases import Databases, with_database
from tests.factories import Person
from tests.nodes.journey import log_in_form
from tests.nodes.node import Node
from tests.nodes.proxy import NAME, SHIPPED, Proxy, nginx
from tests.servers import free_ports

_AT_ONCE = 6
_NONE: Mapping[str, str] = MappingProxyType({})
FORGED = {
    "X-Forwarded-For": "203.0.113.66",
    "X_Forwarded_For": "203.0.113.66",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Real-IP": "203.0.113.66",
    "Forwarded": "for=203.0.113.66;proto=http;host=evil.example",
}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Installation:
    """A node, a place in which a second one should run, and nginx."""

    proxy: Proxy
    node: Node
    person: Person

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """What a browser needs to believe nginx."""
        return self.proxy.trust()

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        source: str = "127.0.0.1",
        headers: Mapping[str, str] = _NONE,
    ) -> Answer:
        """Send one request from an address of the loopback."""
        connection = http.client.HTTPSConnection(
            NAME, self.proxy.port, context=self.trust, source_address=(source, 0), timeout=30
        )
        return _answer(connection, method, path, body, headers)


def _answer(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> Answer:
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        got = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, got, answer.read().decode())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def installed(
    session_settings: Settings, all_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One node of two runs: nobody must notice."""
    first = free_ports(4)
    folder = tmp_path_factory.mktemp("proxy")
    folder.chmod(0o755)
    server = replace(session_settings.server, issuer=f"https://{NAME}:{first}", trusted_proxies=1)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(all_databases.new("sqlite"))
        settings = with_database(replace(session_settings, server=server), url)
        app = create_app(settings)
        with app.app_context():
            person = factories.account()
            db.engine.dispose()
        proxy = stack.enter_context(nginx(folder / "nginx", (first, first + 1), [first + 2, first + 3]))
        node = Node(settings, first + 3, folder, workers=1, with_worker=False)
        stack.callback(node.stop)
        node.start()
        yield Installation(proxy, node, person)


def test_the_configuration_believes_what_it_says_of_itself() -> None:
    """The lines that a district changes are few, and no other names a place, an address or a certificate."""
    lines = SHIPPED.read_text("utf-8").splitlines()
    marked = [line for line in lines if line.endswith("# yours")]
    others = "\n".join(re.sub(r"#.*", "", line) for line in lines if line not in marked)

    assert len(marked) < 25
    assert not re.search(r"example\.org|/etc/|/var/|\d+\.\d+\.\d+\.\d+|listen", others)


def test_a_visitor_meets_the_provider_over_modern_tls(installed: Installation) -> None:
    answers = [installed.ask(path) for path in ("/login", "/.well-known/openid-configuration", "/healthz") * 3]

    assert {answer.status for answer in answers} == {200}
    assert answers[0].headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert json.loads(answers[1].text)["issuer"] == installed.proxy.origin
    assert _handshake(installed, protocols=["h2", "http/1.1"]) == ("TLSv1.3", "h2")
    assert _handshake(installed, highest=ssl.TLSVersion.TLSv1_2) == ("TLSv1.2", None)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
        _handshake(installed, highest=ssl.TLSVersion.TLSv1_1)


def test_another_name_gets_no_answer(installed: Installation) -> None:
    with pytest.raises(ssl.SSLError):
        _handshake(installed, name="other.example")


def test_plain_http_leads_to_https_and_nowhere_else(installed: Installation) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", installed.proxy.plain_port, timeout=20)
    answer = _answer(connection, "GET", "/login?next=/help", None, {"Host": "evil.example"})

    assert (answer.status, answer.headers["location"]) == (301, f"{installed.proxy.origin}/login?next=/help")


def test_what_a_visitor_says_of_its_own_address_is_not_believed(installed: Installation) -> None:
    """A log-in from another address, with forged headers: the record has the socket's address."""
    with create_app(installed.node.settings).app_context():
        page = installed.ask("/login", source="127.0.0.9")
        cookie = page.headers["set-cookie"].partition(";")[0]
        _address, fields = log_in_form(page.text, installed.person.username, "wrong")
        body = urlencode(fields).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        answer = installed.ask("/login", "POST", body, "127.0.0.9", kind | FORGED)
        rows = db.session.execute(db.text("SELECT address FROM audit_events WHERE outcome = 'failure'")).all()
        db.engine.dispose()

    assert answer.status == 422
    assert [row[0] for row in rows] == ["127.0.0.9"]
    assert "__Host-" in cookie


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "//metrics", "/%6Detrics", "/x/../readyz", "/metrics?a=b"])
def test_what_only_operators_see_is_nowhere(path: str, installed: Installation) -> None:
    answer = installed.ask(path)

    assert answer.status == 404
    assert "idp_" not in answer.text
    assert "ready" not in answer.text


@pytest.mark.parametrize(("size", "status"), [(65_000, 400), (65_537, 413)])
def test_a_body_is_as_large_as_the_provider_takes(size: int, status: int, installed: Installation) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    assert installed.ask("/oauth/token", "POST", b"a=" + b"x" * (size - 2), headers=form).status == status


def test_a_long_request_and_its_cookies_fit(installed: Installation) -> None:
    cookies = "; ".join(f"c{number}={'y' * 3000}" for number in range(4))

    assert installed.ask(f"/oauth/authorize?state={'x' * 12_000}", headers={"Cookie": cookies}).status == 400
    assert "oidc.authorize" in installed.node.log, "it was the provider that refused it, for what it says"


def test_ds3_slow_bodies_never_reach_the_provider(installed: Installation) -> None:
    """DS3: as many as one network may have at once; more are turned away, and everybody else is served."""
    with contextlib.ExitStack() as connections:
        for _ in range(256):
            _send_slowly(installed, connections, "127.0.0.7")
        time.sleep(0.5)
        one_more = _send_slowly(installed, connections, "127.0.0.7").recv(12)

        assert one_more == b"HTTP/1.1 429"
        assert _connections_to(installed.node.port) == 0
        assert installed.ask("/login", source="127.0.0.8").status == 200


def _send_slowly(installed: Installation, connections: contextlib.ExitStack, source: str) -> ssl.SSLSocket:
    raw = socket.create_connection(("127.0.0.1", installed.proxy.port), timeout=20, source_address=(source, 0))
    slow = connections.enter_context(installed.trust.wrap_socket(raw, server_hostname=NAME))
    slow.sendall(b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\ncode=")
    return slow


def test_the_log_has_no_query(installed: Installation) -> None:
    for path in ("/logout?id_token_hint=mark-in-query", "/oauth/authorize/continue?continue=mark-in-query"):
        installed.ask(path, headers={"Referer": "https://lunch.example/?code=mark-in-referrer"})
    deadline = time.monotonic() + 20
    while "GET /oauth/authorize/continue HTTP/1.1" not in installed.proxy.log:  # written once it is answered
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert "mark-in" not in installed.proxy.log


def test_two_nodes_down_are_told_in_plain_words(
    installed: Installation, tmp_path: Path, unused_ports: Callable[[int], list[int]]
) -> None:
    ports = unused_ports(4)
    tmp_path.chmod(0o755)
    with nginx(tmp_path / "nginx", (ports[0], ports[1]), ports[2:]) as proxy:
        alone = replace(installed, proxy=proxy)
        page, told = alone.ask("/login?next=mark-in-query"), alone.ask("/oauth/token", "POST", b"code=x")
        log = proxy.log

    assert (page.status, page.headers["retry-after"], page.headers["cache-control"]) == (503, "5", "no-store")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "We will be right back" in elements.read(page.text).words
    assert not re.search(r"https?:|src=|nginx", page.text), "nothing of others', and no program's name"
    assert (told.status, told.headers["retry-after"], told.headers["content-type"]) == (503, "5", "application/json")
    assert json.loads(told.text)["error"] == "temporarily_unavailable"
    assert "mark-in" not in log, "nginx's own log of errors would quote the request"


def test_a_flood_of_passwords_from_one_network_is_refused_and_others_are_not(installed: Installation) -> None:
    refused = _flood(installed, "/login", "POST", "127.0.0.2", at_most=2_000)

    assert (refused.status, refused.headers["retry-after"]) == (429, "5")
    assert refused.headers["content-type"] == "text/html; charset=utf-8"
    assert "Too many requests" in elements.read(refused.text).words
    assert installed.ask("/login", "POST", b"", "127.0.0.3").status == 400, "another network has its own count"
    assert installed.ask("/login", source="127.0.0.2").status == 200, "and whoever is refused can still read"


def test_a_flood_of_pages_is_refused(installed: Installation) -> None:
    assert _flood(installed, "/nothing", "GET", "127.0.0.5", at_most=20_000).status == 429
    assert installed.ask("/nothing", source="127.0.0.6").status == 404
    assert installed.ask("/oauth/jwks", source="127.0.0.5").status == 200, "an application behind that address goes on"


def test_a_flood_by_an_application_gets_json(installed: Installation) -> None:
    refused = _flood(installed, "/oauth/token", "POST", "127.0.0.4", at_most=20_000)

    assert (refused.status, refused.headers["retry-after"]) == (429, "5")
    assert json.loads(refused.text)["error"] == "temporarily_unavailable"


def test_an_ipv6_network_is_a_64_and_an_ipv4_network_one_address(
    installed: Installation, tmp_path: Path, unused_ports: Callable[[int], list[int]]
) -> None:
    ports = unused_ports(2)
    tmp_path.chmod(0o755)
    nodes = [installed.node.port, installed.node.port]
    with nginx(tmp_path / "nginx", (ports[0], ports[1]), nodes, behind_balancer=True) as proxy:
        behind = replace(installed, proxy=proxy)

        def flood(visitor: str, at_most: int) -> Answer:
            return _flood(behind, "/login", "POST", "127.0.0.1", at_most=at_most, headers={"X-Forwarded-For": visitor})

        for first, of_the_same in [("2001:db8:0:a::1", "2001:db8::a:ffff:2:3:4"), ("192.0.2.10", "192.0.2.10")]:
            flood(first, 2_000)
            flood(of_the_same, 90)  # less than a network of its own has
        others = {
            visitor: behind.ask("/login", "POST", b"", headers={"X-Forwarded-For": visitor}).status
            for visitor in ("2001:db8:0:b::1", "2001:db8::1", "192.0.2.11")
        }

    assert set(others.values()) == {400}, others


@pytest.fixture
def unused_ports() -> Callable[[int], list[int]]:
    """Ports in a row on which nothing listens."""

    def found(how_many: int) -> list[int]:
        first = free_ports(how_many)
        return list(range(first, first + how_many))

    return found


def _flood(
    installed: Installation, path: str, method: str, source: str, *, at_most: int, headers: Mapping[str, str] = _NONE
) -> Answer:
    """Send requests on some connections at once, faster than any limit lets through, until one is refused."""
    numbers, refused = itertools.count(), Queue[Answer]()

    def send() -> None:
        connection = http.client.HTTPSConnection(
            NAME, installed.proxy.port, context=installed.trust, source_address=(source, 0), timeout=30
        )
        with contextlib.closing(connection):
            while refused.empty() and next(numbers) < at_most:
                connection.request(method, path, b"", dict(headers))
                answer = connection.getresponse()
                text = answer.read().decode()
                if answer.status == 429:
                    refused.put(Answer(answer.status, {key.lower(): value for key, value in answer.getheaders()}, text))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for sent in [pool.submit(send) for _ in range(_AT_ONCE)]:
            sent.result()
    assert not refused.empty(), f"{at_most} requests, and none was refused"
    return refused.get()


def _handshake(
    installed: Installation,
    *,
    name: str = NAME,
    highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    protocols: list[str] | None = None,
) -> tuple[str | None, str | None]:
    context = installed.proxy.trust()
    context.minimum_version = min(ssl.TLSVersion.TLSv1_2, highest)
    context.maximum_version = highest
    if protocols:
        context.set_alpn_protocols(protocols)
    raw = socket.create_connection(("127.0.0.1", installed.proxy.port), timeout=20)
    with raw, context.wrap_socket(raw, server_hostname=name) as secured:
        return secured.version(), secured.selected_alpn_protocol()


def _connections_to(port: int) -> int:
    """Count the connections to a port of this machine that are open."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)
