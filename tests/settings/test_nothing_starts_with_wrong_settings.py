"""Wrong settings end every command before it does anything: exit code 2, a line each, no port, no database."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from idp.cli import main
from idp.settings import PACKAGE
from tests import servers

_COMMANDS = (
    "serve",
    "worker",
    "worker --once",
    "doctor",
    "prune",
    "db upgrade",
    "db current",
    "db downgrade base --yes",
    "account list",
    "account add maria.kowalska",
    "client list",
    "client add Gradebook --redirect-uri https://gradebook.example/callback",
    "keys list",
    "keys rotate",
    "audit verify",
)
_WRONG = {
    "IDP_SERVER_ISSUER": "http://login.example.org/",
    "IDP_SERVER_THREADS": "many",
    "IDP_SERVER_WORKRES": "2",
    "IDP_TOKENS_CODE_SECONDS": "601",
}
_SAID = [
    "IDP_SERVER_THREADS has to be a whole number.",
    "IDP_SERVER_WORKRES is no setting. Did you mean IDP_SERVER_WORKERS?",
    "[server] issuer has to be scheme and host alone, with no path and no slash at its end.",
    "[tokens] code_seconds has to be from 1 to 600.",
]


@pytest.fixture
def wrong(environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Return settings with four faults, and a database that is not there yet."""
    return environ | _WRONG | {"IDP_DATABASE_URL": f"sqlite:///{tmp_path}/new/idp.db"}


@contextmanager
def nothing_changes(folder: Path) -> Iterator[None]:
    before = sorted(folder.rglob("*"))
    yield
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_tells_all_of_it_and_touches_nothing(command: str, wrong: dict[str, str], tmp_path: Path) -> None:
    with nothing_changes(tmp_path):
        result = CliRunner().invoke(main, command.split(), env=wrong)

    lines = [line.split(maxsplit=2)[-1] if command == "doctor" else line for line in result.output.splitlines()]
    assert result.exit_code == 2, result.output
    assert sorted(line.removeprefix("idp: ") for line in lines) == sorted(_SAID)


def test_a_server_with_wrong_settings_opens_no_port(wrong: dict[str, str], tmp_path: Path) -> None:
    port = servers.free_ports(1)
    with nothing_changes(tmp_path):
        done = subprocess.run(
            [sys.executable, "-m", "idp", "serve", "--with-worker", "--port", str(port)],
            env=wrong,
            cwd=PACKAGE.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 2
    assert done.stdout == ""
    assert sorted(done.stderr.splitlines()) == sorted(f"idp: {line}" for line in _SAID)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
