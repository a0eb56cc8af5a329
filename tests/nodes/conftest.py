"""Two nodes behind nginx over one PostgreSQL, as a district runs them."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from flask import Flask

from idp.settings import Settings
from tests import factories
from tests.databases import AppBuilder, Databases, with_database
from tests.factories import Person
from tests.nodes.journey import Application, Crowd, Lost, Patience, Tally, Visitor
from tests.nodes.node import Node
from tests.nodes.proxy import Proxy, nginx
from tests.operations.conftest import LogoutAddress
from tests.servers import free_ports


@dataclass
class Site:
    """A district's whole installation."""

    proxy: Proxy
    nodes: list[Node]
    app: Flask
    applications: tuple[Application, Application]
    tally: Tally = field(default_factory=Tally)

    def visitors(self, people: list[Person], patience: Patience) -> list[Visitor]:
        """Make a visitor of each person, at an address of its own."""
        trust = self.proxy.trust()
        return [
            Visitor(self.proxy.origin, trust, person, f"127.0.1.{number}", patience, self.tally)
            for number, person in enumerate(people, 1)
        ]

    def crowd(self, how_many: int, patience: Patience) -> Crowd:
        """Let so many visitors go their ways."""
        with self.app.app_context():
            people = [factories.account() for _ in range(how_many)]
        return Crowd(self.visitors(people, patience), self.applications, threading.Event())

    def wait_for_notices(self, seconds: float) -> None:
        """Wait until every application has heard of every log-out that was acknowledged; raise Lost otherwise."""
        deadline = time.monotonic() + seconds
        for application in self.applications:
            owed = self.tally.sids[application.registered.client_id]
            while missing := owed - application.told_sids():
                if time.monotonic() > deadline:
                    name = application.registered.name
                    raise Lost(
                        f"{name} was not told of {len(missing)} log-outs of {len(owed)}, which were acknowledged"
                    )
                time.sleep(0.2)


@contextmanager
def site(settings: Settings, url: str, folder: Path, build_app: AppBuilder) -> Iterator[Site]:
    """Run two nodes with two processes and a worker each over a database, and nginx in front of them."""
    first = free_ports(4)
    ports = (first, first + 1)
    origin = f"https://localhost:{first}"
    server = replace(settings.server, issuer=origin, trusted_proxies=1)
    settings = with_database(replace(settings, server=server), url)
    with ExitStack() as stack:
        proxy = stack.enter_context(nginx(folder / "nginx", ports, [first + 2, first + 3], errors="error"))
        app = build_app(settings)
        addresses = [LogoutAddress() for _ in range(2)]
        for address in addresses:
            stack.callback(address.close)
        with app.app_context():
            applications = _registered("Gradebook", addresses[0]), _registered("Dashboard", addresses[1])
        nodes = [Node(settings, port, folder) for port in (first + 2, first + 3)]
        for node in nodes:
            stack.callback(node.stop)
            node.start()
        yield Site(proxy, nodes, app, applications)


def _registered(name: str, address: LogoutAddress) -> Application:
    logged_out = f"https://{name.lower()}.example/logged-out"
    made = factories.client(
        name,
        redirect_uri=f"https://{name.lower()}.example/callback",
        first_party=True,
        post_logout_redirect_uris=[logged_out],
        backchannel_logout_uri=address.url,
    )
    return Application(made, address, logged_out)


@pytest.fixture
def running_site(
    session_settings: Settings, all_databases: Databases, tmp_path: Path, build_app: AppBuilder
) -> Iterator[Site]:
    """Two nodes over PostgreSQL."""
    tmp_path.chmod(0o755)
    with all_databases.new("postgresql") as url, site(session_settings, url, tmp_path, build_app) as running:
        yield running
