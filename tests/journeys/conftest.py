"""A whole district for journeys: the provider with two processes and its worker, four applications, demo families."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.journeys import post
from tests.journeys.district import District, read_description
from tests.servers import free_ports, program

_READY_SECONDS = 90
_MANY_FAMILIES = {"SUPPORT_FILL_IN_SECONDS": "1", "SUPPORT_PER_NETWORK_HOUR": "100"}
_MANY_FAMILIES |= {"RECOVERY_FORGOTTEN_PER_NETWORK_HOUR": "100"}
"""What lets all the families of these tests ask from one network within an hour."""


@pytest.fixture(scope="session")
def district(
    all_databases: Databases, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[District]:
    """Run `idp demo` on five free ports and a database of this kind."""
    folder = tmp_path_factory.mktemp(f"district-{database_kind}")
    with all_databases.new(database_kind) as url, _demo(folder, {"IDP_DATABASE_URL": url}) as made:
        yield made


@pytest.fixture(scope="session")
def mailing(
    all_databases: Databases, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[post.Mailing]:
    """Another one, whose mail goes to a real mail server."""
    folder = tmp_path_factory.mktemp(f"mailing-{database_kind}")
    many = {f"IDP_{name}": value for name, value in _MANY_FAMILIES.items()}
    with (
        all_databases.new(database_kind) as url,
        post.office() as office,
        _demo(folder, {"IDP_DATABASE_URL": url} | many | office.environment) as made,
    ):
        yield post.Mailing(made, office)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run's pictures of what is wrong are."""
    return tmp_path_factory.mktemp("pictures")


@contextmanager
def _demo(folder: Path, environment: dict[str, str]) -> Iterator[District]:
    port = free_ports(5)
    issuer = f"http://localhost:{port}"
    environment |= {"IDP_SERVER_WORKERS": "2", "IDP_PASSWORDS_BCRYPT_COST": "4"}
    # All who mistype in these journeys do it in one network.
    environment |= {"IDP_THROTTLE_NETWORK_ROBOT_FAILURES": "1000", "IDP_THROTTLE_NETWORK_PICTURES_FAILURES": "1000"}
    arguments = ["-m", "idp", "demo", "--port", str(port), "--instance", str(folder)]
    with program(arguments, environment, issuer, "/readyz", folder / "demo.log") as demo:
        deadline = time.monotonic() + _READY_SECONDS
        while not (folder / "demo.json").exists():
            assert demo.process.poll() is None, demo.lines
            assert time.monotonic() < deadline, demo.lines
            time.sleep(0.1)
        yield read_description(folder, environment)
