"""The shipped systemd units: what systemd thinks of them, and whether the provider runs as they confine it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from idp.settings import PRODUCTION, Settings
from tests import servers
from tests.databases import Databases, with_database
from tests.nodes import units
from tests.nodes.journey import log_in_form
from tests.programs import variables

_ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(_ANALYZE is None, reason="systemd-analyze is not installed")
_MOST_EXPOSED = 20
"""Of 100, as `systemd-analyze security` counts; 14 is what is left to a program that speaks to the network."""


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units as they are installed, with a program that is there."""
    made = []
    for unit in units.UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
        made.append(tmp_path / unit.name)
        made[-1].write_text(text)
    return made


@needs_systemd
def test_systemd_finds_nothing_wrong(installed: list[Path]) -> None:
    done = _analyze("verify", *map(str, installed))

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_they_may_do_little(installed: list[Path]) -> None:
    for unit in installed:
        done = _analyze("security", "--offline=true", f"--threshold={_MOST_EXPOSED}", str(unit))

        assert done.returncode == 0, done.stdout


def test_they_have_more_time_to_stop_than_the_provider_takes() -> None:
    for unit in units.UNITS:
        settings = units.read(unit)

        assert settings["KillMode"] == ["mixed"], "SIGTERM to every process would end those that are still answering"
        assert int(settings["TimeoutStopSec"][0]) >= 90


@pytest.fixture
def production(settings: Settings, all_databases: Databases) -> Iterator[Settings]:
    """Production's settings on PostgreSQL, and real hashes."""
    server = replace(settings.server, issuer="https://login.example.org", port=servers.free_ports(1), workers=2)
    passwords = replace(settings.passwords, bcrypt_cost=12)
    with all_databases.new("postgresql") as url:
        yield with_database(replace(settings, environment=PRODUCTION, server=server, passwords=passwords), url)


@needs_systemd
@pytest.mark.skipif(units.seccomp() is None, reason="libseccomp is not installed")
def test_the_provider_runs_as_confined_as_they_say(production: Settings, tmp_path: Path) -> None:
    """Pages, hashes and signatures; the worker seals what was recorded; SIGTERM to the main process ends each."""
    environment = variables(production)
    origin = f"http://127.0.0.1:{production.server.port}"
    log = tmp_path / "serve.log"
    with (
        _working(environment, tmp_path / "worker.log") as worker,
        servers.program(_confined("idp.service"), environment, origin, "/readyz", log) as serving,
        httpx.Client(base_url=origin, timeout=60) as visitor,
    ):
        status = Path(f"/proc/{serving.process.pid}/status").read_text()
        keys = visitor.get("/oauth/jwks").json()["keys"]
        page = visitor.get("/login")
        address, fields = log_in_form(page.text, "nobody", "plum harbour violin sketch")
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        refused = visitor.post(address, data=fields, headers={"Cookie": cookie})
        for process in (serving.process, worker):
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0

    assert re.search(r"^Seccomp:\s*2$", status, re.MULTILINE), "or it was not confined at all"
    assert (len(keys), refused.status_code) == (3, 422)
    assert '"audit_sealed"' in (tmp_path / "worker.log").read_text()
    assert "Traceback" not in log.read_text() + (tmp_path / "worker.log").read_text()


@contextmanager
def _working(environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        command = [sys.executable, *_confined("idp-worker.service")]
        process = subprocess.Popen(command, env=os.environ | environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _confined(unit: str) -> list[str]:
    return ["-m", "tests.nodes.units", str(units.FOLDER / unit)]


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(_ANALYZE), *arguments], capture_output=True, text=True, check=False, timeout=60)
