"""A whole district for journeys: the provider with two processes and its worker, four applications, demo families."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.databases import Databases
from tests.journeys.district import District, read_description
from tests.mail.conftest import MailServer
from tests.servers import free_ports, program

_READY_SECONDS = 90


@pytest.fixture(scope="session")
def district(
    all_databases: Databases, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[District]:
    """Run `idp demo` on five free ports and a database of this kind."""
    with _running(all_databases, database_kind, tmp_path_factory.mktemp(f"district-{database_kind}"), {}) as district:
        yield district


@pytest.fixture(scope="session")
def mail_server() -> Iterator[MailServer]:
    """A mail server that takes everything."""
    server = MailServer(free_ports(1))
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    yield server
    controller.stop()


@pytest.fixture(scope="session")
def mailing_district(
    all_databases: Databases, database_kind: str, tmp_path_factory: pytest.TempPathFactory, mail_server: MailServer
) -> Iterator[District]:
    """Another district, whose mail goes to that server in place of the mailbox."""
    mail = {"HOST": "127.0.0.1", "PORT": str(mail_server.port), "SECURITY": "none", "SENDER": "portal@example.org"}
    folder = tmp_path_factory.mktemp(f"mailing-district-{database_kind}")
    given = {f"IDP_MAIL_{name}": value for name, value in mail.items()}
    with _running(all_databases, database_kind, folder, given) as district:
        yield district


@contextmanager
def _running(databases: Databases, kind: str, folder: Path, given: dict[str, str]) -> Iterator[District]:
    port = free_ports(5)
    issuer = f"http://localhost:{port}"
    with databases.new(kind) as url:
        environment = {"IDP_DATABASE_URL": url, "IDP_SERVER_WORKERS": "2", "IDP_PASSWORDS_BCRYPT_COST": "4"} | given
        arguments = ["-m", "idp", "demo", "--port", str(port), "--instance", str(folder)]
        with program(arguments, environment, issuer, "/readyz", folder / "demo.log") as demo:
            deadline = time.monotonic() + _READY_SECONDS
            while not (folder / "demo.json").exists():
                assert demo.process.poll() is None, demo.lines
                assert time.monotonic() < deadline, demo.lines
                time.sleep(0.1)
            yield read_description(folder, environment)
