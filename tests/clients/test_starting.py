"""Starting and stopping the applications."""

import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from clients.shared import settings
from tests.clients.programs import ROOT, application, environment, running
from tests.servers import free_ports

SOUND = {
    "ISSUER": "http://localhost:5000",
    "CLIENT_ID": "c",
    "CLIENT_SECRET": "s",
    "BASE_URL": "http://localhost:5001",
    "STATE_DIR": "state",
}


def start(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        application(name),
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_what_is_missing_is_named_at_once_in_one_line() -> None:
    ended = start("dashboard", CLIENT_ID="x")

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
    for name in ("ISSUER", "CLIENT_SECRET", "BASE_URL", "STATE_DIR", "SCHOOL"):
        assert name in ended.stderr


def test_an_unknown_school_is_refused_with_the_ones_there_are() -> None:
    ended = start("dashboard", **SOUND, SCHOOL="maine-north")

    assert ended.returncode == 2
    assert "maine-east, maine-south, maine-west" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"ISSUER": "localhost:5000"},
        {"ISSUER": "ftp://localhost"},
        {"BASE_URL": "http://localhost:port"},
        {"BASE_URL": "http://localhost:5001/app"},
        {"BASE_URL": "http://"},
        {"BASE_URL": "http://localhost:99999"},
    ],
    ids=str,
)
def test_an_address_that_is_none_is_refused_by_name(wrong: dict[str, str]) -> None:
    with pytest.raises(settings.Misconfigured, match=next(iter(wrong))):
        settings.load(SOUND | wrong)


def test_the_port_follows_from_the_address() -> None:
    assert settings.load(SOUND).port == 5001
    assert settings.load(SOUND | {"BASE_URL": "https://gradebook.example.org/"}).port == 443


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT], ids=lambda ending: ending.name)
def test_an_application_starts_without_its_provider_and_stops_quietly(tmp_path: Path, ending: signal.Signals) -> None:
    base_url = f"http://localhost:{free_ports(1)}"
    nobody = f"http://localhost:{free_ports(1)}"
    variables = SOUND | {"ISSUER": nobody, "BASE_URL": base_url, "STATE_DIR": str(tmp_path / "new")}
    with running(application("gradebook"), environment(**variables), base_url + "/healthz") as process:
        assert httpx.get(base_url + "/").status_code == 200
        refused = httpx.get(base_url + "/login")
        taken = start("gradebook", **variables)
        process.send_signal(ending)
        output, _ = process.communicate(timeout=10)

    assert refused.status_code == 503
    assert "can&#39;t be reached" in refused.text
    assert taken.returncode == 2
    assert taken.stderr.count("\n") == 1
    assert process.returncode == 0
    assert "Traceback" not in output
