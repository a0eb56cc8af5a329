"""`idp serve` as an operator meets it: real processes, real HTTP."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from idp.settings import PACKAGE, PRODUCTION, Settings
from tests import servers
from tests.databases import Databases, with_database
from tests.programs import variables
from tests.servers import Running, descendants

Ask = Callable[..., tuple[int, dict[str, str], str]]


@pytest.fixture
def sqlite_settings(settings: Settings, all_databases: Databases) -> Iterator[Settings]:
    """Settings on a migrated SQLite file: what is served does not depend on the kind of database."""
    with all_databases.new("sqlite") as url:
        yield with_database(settings, url)


@pytest.fixture
def serving(sqlite_settings: Settings, tmp_path: Path) -> Iterator[Running]:
    """A provider with two worker processes and `idp worker` beside it."""
    with servers.provider(sqlite_settings, tmp_path, workers=2, with_worker=True) as running:
        yield running


@pytest.fixture
def ask(serving: Running) -> Ask:
    """Ask the provider on a new connection."""
    where = urlsplit(serving.origin)

    def asked(path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=20)
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    return asked


def test_health_is_told_without_versions(ask: Ask) -> None:
    for path in ("/healthz", "/readyz"):
        status, headers, body = ask(path)

        assert status == 200
        assert json.loads(body)["status"] in {"ok", "ready"}
        assert not re.search(r"\d", headers["server"])


def test_counters_are_summed_over_processes(ask: Ask) -> None:
    for _ in range(40):
        ask("/healthz")

    _status, _headers, text = ask("/metrics")
    found = re.search(r'idp_requests_total\{endpoint="operations.healthz",status="200"\} (\d+)', text)

    assert found is not None
    assert int(found[1]) == 40, "two processes answered, and both count"
    assert 'idp_request_seconds_bucket{endpoint="operations.healthz",le="10.0"} 40.0' in text


def test_ad9_counters_are_not_for_everybody(sqlite_settings: Settings, tmp_path: Path) -> None:
    """AD9: a network that the setting does not name finds no such page, and neither does a proxy's visitor."""
    closed = replace(sqlite_settings, server=replace(sqlite_settings.server, metrics_networks=("192.0.2.0/24",)))
    with servers.provider(closed, tmp_path) as running:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(running.origin).port, timeout=20)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()

    assert answer.status == 404
    assert "idp_requests" not in body


def test_ad9_a_forwarded_visitor_sees_no_counters(ask: Ask) -> None:
    assert ask("/metrics", X_Forwarded_For="127.0.0.1")[0] == 404
    assert ask("/metrics", Forwarded="for=127.0.0.1")[0] == 404


def test_every_line_of_the_log_is_json_and_a_request_has_its_id(serving: Running, ask: Ask) -> None:
    _status, headers, _body = ask("/healthz?token=secret-in-the-query")
    lines = [json.loads(line) for line in serving.lines.splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == headers["x-request-id"]]

    assert (line["event"], line["endpoint"], line["status"]) == ("request", "operations.healthz", 200)
    assert "secret-in-the-query" not in serving.lines


def test_a_taken_port_is_refused_in_one_line(serving: Running, sqlite_settings: Settings) -> None:
    port = urlsplit(serving.origin).port
    second = _serve(sqlite_settings, "--port", str(port))

    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"port {port} on 127.0.0.1 is taken" in second.stderr


def test_production_refuses_a_database_that_is_not_up_to_date(settings: Settings, tmp_path: Path) -> None:
    production = replace(
        settings,
        environment=PRODUCTION,
        server=replace(settings.server, issuer="https://login.example.org", port=servers.free_ports(1)),
        passwords=replace(settings.passwords, bcrypt_cost=12),
    )
    refused = _serve(with_database(production, f"sqlite:///{tmp_path}/empty.db"))

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("idp: the database is not up to date; run `idp db upgrade`")


def test_development_brings_its_database_up_to_date_itself(settings: Settings, tmp_path: Path) -> None:
    with servers.provider(with_database(settings, f"sqlite:///{tmp_path}/new.db"), tmp_path) as running:
        assert '"listening"' in running.lines


def test_wrong_settings_are_told_a_line_each(settings: Settings) -> None:
    environment = {**variables(settings), "IDP_SERVER_THREADS": "many", "IDP_SERVER_WORKRES": "2"}
    refused = subprocess.run(
        [sys.executable, "-m", "idp", "serve"],
        env=environment,
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert refused.returncode == 2
    assert {line.split(":")[0] for line in refused.stderr.splitlines()} == {"idp"}
    assert "IDP_SERVER_THREADS" in refused.stderr
    assert "IDP_SERVER_WORKRES" in refused.stderr


def test_a_request_under_way_is_answered_before_the_server_stops(serving: Running) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(serving.origin).port or 0), timeout=20) as connection:
        body = b"grant_type=authorization_code"
        head = b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += b"Content-Type: application/x-www-form-urlencoded\r\n"
        connection.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        time.sleep(0.3)
        serving.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.sendall(body[10:])
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"invalid_client" in answer
    assert serving.process.wait(20) == 0


@pytest.mark.parametrize("kept", [False, True], ids=["a connection each", "connections are kept"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_stop_under_load_drops_no_request(how: signal.Signals, serving: Running, *, kept: bool) -> None:
    """Whoever could connect is answered; whoever is too late is refused at once, and can go to another node."""
    with _visitors(serving, 8, kept=kept) as visits:
        time.sleep(0.5)
        serving.process.send_signal(how)
        assert serving.process.wait(20) == 0

    assert visits.dropped == []
    assert len(visits.answered) > 50


def test_a_process_that_is_replaced_drops_no_request(serving: Running) -> None:
    with _visitors(serving, 4, kept=False) as visits:
        first = {pid for pid in descendants(serving.process.pid) if _command(pid) == "serve"}
        serving.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 40
        while first & set(descendants(serving.process.pid)):
            assert time.monotonic() < deadline, "they were not replaced"
            time.sleep(0.1)
        serving.process.send_signal(signal.SIGTERM)

    assert visits.dropped == []
    assert len(visits.answered) > 200


def test_a_load_balancer_is_told_before_the_server_stops(sqlite_settings: Settings, tmp_path: Path) -> None:
    patient = replace(sqlite_settings, server=replace(sqlite_settings.server, drain_seconds=2))
    with servers.provider(patient, tmp_path) as running:
        address = ("127.0.0.1", urlsplit(running.origin).port or 0)
        running.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        found = [_ask_on(http.client.HTTPConnection(*address, timeout=20), path) for path in ("/readyz", "/healthz")]
        assert running.process.wait(20) == 0

    assert found == [(503, "close"), (200, "close")]


def _ask_on(connection: http.client.HTTPConnection, path: str) -> tuple[int, str | None]:
    """Ask, and return the status and whether the server keeps the connection."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.getheader("Connection")


@dataclass
class _Visits:
    answered: list[int] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


@contextlib.contextmanager
def _visitors(serving: Running, how_many: int, *, kept: bool) -> Iterator[_Visits]:
    """Visit the provider from so many threads until it refuses to connect, which has to happen inside the block."""
    visits = _Visits()

    def visit() -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", urlsplit(serving.origin).port, timeout=20)
            try:
                connection.connect()
            except ConnectionRefusedError:
                return
            try:
                while True:
                    status, told = _ask_on(connection, "/healthz")
                    visits.answered.append(status)
                    if told == "close" or not kept:
                        break
            except OSError as error:
                visits.dropped.append(repr(error))
            finally:
                connection.close()

    visitors = [threading.Thread(target=visit) for _ in range(how_many)]
    for visitor in visitors:
        visitor.start()
    yield visits
    for visitor in visitors:
        visitor.join(40)
    assert not [visitor for visitor in visitors if visitor.is_alive()]


@pytest.mark.parametrize("slow", ["head", "body"])
def test_ds3_slow_connections_hold_up_nobody(slow: str, serving: Running, ask: Ask) -> None:
    """DS3: 200 that send a byte now and then; everybody else is answered at once."""
    head = b"POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    head += b"Content-Length: 1000\r\n" + (b"\r\na" if slow == "body" else b"X-Slow: ")
    with contextlib.ExitStack() as connections:
        for _ in range(200):
            connection = socket.create_connection(("127.0.0.1", urlsplit(serving.origin).port or 0), timeout=20)
            connections.enter_context(connection)
            connection.sendall(head)
        time.sleep(0.5)
        began = time.monotonic()
        statuses = [ask(path)[0] for path in ("/healthz", "/login", "/oauth/jwks")]
        took = time.monotonic() - began

    assert statuses == [200, 200, 200]
    assert took < 5


@pytest.mark.parametrize("chunked", [True, False])
def test_ds1_a_large_body_is_refused_fast(serving: Running, *, chunked: bool) -> None:
    """DS1: 10 MB where 64 kB are enough; most of it is never read."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(serving.origin).port, timeout=20)
    chunks = [b"a=" + b"x" * 65_536] * 3 if chunked else None
    connection.putrequest("POST", "/oauth/token")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader(*(("Transfer-Encoding", "chunked") if chunks else ("Content-Length", "10000000")))
    connection.endheaders(chunks, encode_chunked=bool(chunks))
    answer = connection.getresponse()
    connection.close()

    assert answer.status in {400, 401, 413}


def test_nothing_is_left_behind(serving: Running) -> None:
    family = descendants(serving.process.pid)
    counters = re.search(rb"PROMETHEUS_MULTIPROC_DIR=([^\0]+)", Path(f"/proc/{family[0]}/environ").read_bytes())
    assert counters is not None
    assert Path(counters[1].decode()).is_dir()

    serving.process.send_signal(signal.SIGTERM)
    serving.process.wait(20)

    assert len(family) >= 3, "two that serve, and one that works"
    assert [pid for pid in family if Path(f"/proc/{pid}").exists()] == []
    assert not Path(counters[1].decode()).exists()


def test_a_server_that_was_killed_takes_its_processes_with_it(serving: Running) -> None:
    family = descendants(serving.process.pid)
    serving.process.kill()
    serving.process.wait(5)

    deadline = time.monotonic() + 15
    while left := [pid for pid in family if _is_alive(pid)]:
        assert time.monotonic() < deadline, f"{left} live on"
        time.sleep(0.1)


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_process_that_dies_is_replaced(command: str, serving: Running, ask: Ask) -> None:
    def running() -> set[int]:
        return {pid for pid in descendants(serving.process.pid) if _command(pid) == command}

    deadline = time.monotonic() + 40
    while not (before := running()):
        assert time.monotonic() < deadline, "nothing has started"
        time.sleep(0.1)
    os.kill(min(before), signal.SIGKILL)
    while not running() - before:
        assert time.monotonic() < deadline, "nothing took its place"
        time.sleep(0.1)

    assert ask("/healthz")[0] == 200


def _serve(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idp", "serve", *arguments],
        env=variables(settings),
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _command(pid: int) -> str:
    """Return which of our commands a process runs; none, once it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return words[words.index("idp") + 1] if "idp" in words else ""


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
