"""`idp demo`, which `make run` starts: everything on one machine, set up once, ended together."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idp.settings import PACKAGE
from tests import servers

_SECONDS = 90


class Demo:
    """A demo that runs."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.log = folder.parent / f"demo-{port}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                _command(folder, port), env=_environment(), cwd=PACKAGE.parent, stdout=output, stderr=output
            )

    @property
    def words(self) -> str:
        """What it has printed."""
        return self.log.read_text("utf-8")

    @property
    def description(self) -> dict[str, Any]:
        """What it says of itself to programs."""
        found: dict[str, Any] = json.loads((self.folder / "demo.json").read_text("utf-8"))
        return found

    def wait_until_ready(self) -> None:
        """Wait for demo.json."""
        deadline = time.monotonic() + _SECONDS
        while not (self.folder / "demo.json").exists():
            assert self.process.poll() is None, self.words
            assert time.monotonic() < deadline, self.words
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> int:
        """End it, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(40)


@contextmanager
def _running(folder: Path, port: int) -> Iterator[Demo]:
    demo = Demo(folder, port)
    try:
        demo.wait_until_ready()
        yield demo
    finally:
        demo.end(signal.SIGTERM)


def _command(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "idp", "demo", "--port", str(port), "--instance", str(folder)]


def _environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    return inherited | {"IDP_PASSWORDS_BCRYPT_COST": "4"} | more


def _refused(folder: Path, port: int, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(folder, port),
        env=_environment(**more),
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _is_answering(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_everything_runs_and_is_told_to_people_and_programs(tmp_path: Path) -> None:
    folder, port = tmp_path / "instance", servers.free_ports(5)
    with _running(folder, port) as demo:
        told = demo.description
        answers = [
            urllib.request.urlopen(address, timeout=10).status
            for address in [told["issuer"] + "/login", *told["applications"].values()]
        ]
        ended = demo.end(signal.SIGINT)
    guardians = {guardian["username"]: guardian for guardian in told["guardians"]}

    assert answers == [200] * 5
    assert told["issuer"] == f"http://localhost:{port}"
    assert told["applications"]["gradebook"] == f"http://localhost:{port + 1}"
    assert guardians["maria.kowalska"]["children"] == ["Zofia Kowalski", "Jan Kowalski"]
    assert all(len(guardian["password"]) >= 15 for guardian in guardians.values())
    assert {name for name, guardian in guardians.items() if not guardian["ready"]} == {"new.parent"}
    assert {name: guardian["state"] for name, guardian in guardians.items()} == {
        "maria.kowalska": "two guardians share a security email",
        "piotr.kowalski": "two guardians share a security email",
        "james.okafor": "children at two schools",
        "linh.tran": "security email not verified",
        "rosa.alvarez": "speaks Spanish",
        "walter.novak": "recovered by phone",
        "new.parent": "temporary password",
    }
    assert guardians["maria.kowalska"]["security_email"] == guardians["piotr.kowalski"]["security_email"]
    assert demo.words.count("security email not verified: log in, Profile, Settings, Account Settings") == 1
    for name in ("admin", "support"):
        assert told[name]["username"] == name
    for person in [*guardians.values(), told["admin"], told["support"]]:
        assert re.search(rf"{re.escape(person['username'])} +{re.escape(person['password'])}", demo.words)
    assert ended == 0
    assert "Traceback" not in demo.words
    assert not any(_is_answering(port + step) for step in range(5))


def test_a_second_run_keeps_the_data_and_may_move_to_other_ports(tmp_path: Path) -> None:
    folder, port, other = tmp_path / "instance", servers.free_ports(5), servers.free_ports(5)
    with _running(folder, port) as demo:
        first = demo.description
    began = time.monotonic()
    with _running(folder, other) as demo:
        took = time.monotonic() - began
        second = demo.description
        moved = subprocess.run(
            [sys.executable, "-m", "idp", "client", "show", "demo-gradebook", "--json"],
            env=_environment(**_of(folder, other)),
            cwd=PACKAGE.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    accounts = ("guardians", "admin", "support")

    assert {name: first[name] for name in accounts} == {name: second[name] for name in accounts}
    assert second["issuer"] == f"http://localhost:{other}"
    assert json.loads(moved.stdout)["redirect_uris"] == [f"http://localhost:{other + 1}/callback"]
    assert took < 30


def test_what_is_secret_is_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with _running(folder, servers.free_ports(5)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        kept = [*(folder / "secrets").iterdir(), folder / "demo.json"]
        modes = {stat.S_IMODE(path.stat().st_mode) for path in kept}
        values = [path.read_text("utf-8") for path in (folder / "secrets").iterdir()]
        logged = "".join(path.read_text("utf-8") for path in (folder / "logs").iterdir())

    assert modes == {0o600}
    assert not [value for value in values if value in logged]
    assert not (folder / "demo.json").exists(), "it tells of a demo that runs"


def test_an_application_that_dies_ends_the_run_and_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with _running(folder, servers.free_ports(5)) as demo:
        found = subprocess.run(
            ["pgrep", "--parent", str(demo.process.pid), "--full", "clients.gradebook"],
            capture_output=True,
            text=True,
            check=True,
        )
        os.kill(int(found.stdout.split()[0]), signal.SIGKILL)

        assert demo.process.wait(40) == 1
    assert "idp: gradebook has ended with exit code -9" in demo.words
    assert not any(_is_answering(demo.port + step) for step in range(5))


@pytest.mark.parametrize("step", [0, 1, 4])
def test_a_taken_port_is_named_before_anything_starts(step: int, tmp_path: Path) -> None:
    port = servers.free_ports(5)
    with socket.create_server(("127.0.0.1", port + step)):
        refused = _refused(tmp_path / "instance", port)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"idp: port {port + step} on localhost is taken")
    assert refused.stdout == ""
    assert not (tmp_path / "instance").exists()


def test_one_folder_serves_one_demo_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    with _running(folder, servers.free_ports(5)) as demo:
        refused = _refused(folder, servers.free_ports(5))

        assert refused.returncode == 1
        assert "runs on" in refused.stderr or "is running on" in refused.stderr
        assert demo.description["issuer"] == f"http://localhost:{demo.port}"


def test_production_never_runs_a_demo(tmp_path: Path) -> None:
    refused = _refused(tmp_path / "instance", servers.free_ports(5), IDP_ENVIRONMENT="production")

    assert refused.returncode == 1
    assert "never runs with IDP_ENVIRONMENT=production" in refused.stderr
    assert not (tmp_path / "instance").exists()


def _of(folder: Path, port: int) -> dict[str, str]:
    keys = {f"IDP_SECRETS_{name.upper()}_FILE": str(folder / "secrets" / name) for name in _KEYS}
    return {
        "IDP_ENVIRONMENT": "development",
        "IDP_SERVER_ISSUER": f"http://localhost:{port}",
        "IDP_DATABASE_URL": f"sqlite:///{folder}/idp.db",
        **keys,
    }


_KEYS = ("wrapping_keys", "peppers", "audit_keys")
