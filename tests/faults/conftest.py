"""A provider with an application that hears of log-outs, and parents who come by HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from idp.database import db
from idp.settings import Settings
from tests import factories
from tests.databases import AppBuilder, with_database
from tests.factories import Registered
from tests.faults.people import Parent
from tests.faults.provider import Provider
from tests.operations.conftest import LogoutAddress
from tests.servers import free_ports


@dataclass
class Place:
    """A provider, and what surrounds it."""

    provider: Provider
    app: Flask
    """The same database from within the test, to look at its rows."""
    application: Registered
    address: LogoutAddress
    closing: ExitStack

    def let_go(self) -> None:
        """Close the test's own connections to the database."""
        with self.app.app_context():
            db.engine.dispose()

    def parent(self, **columns: Any) -> Parent:
        """Make an account, and return its person at a browser."""
        with self.app.app_context():
            person = factories.account(**columns)
        made = Parent(self.provider.origin, person, self.application)
        self.closing.callback(made.close)
        return made


NewPlace = Callable[..., Place]


@pytest.fixture
def new_place(settings: Settings, build_app: AppBuilder, tmp_path: Path) -> Iterator[NewPlace]:
    """Make a provider on a database that has its tables; it is not started yet."""
    with ExitStack() as stack:

        def make(url: str, *, workers: int = 2, with_worker: bool = True, lock_seconds: int = 10) -> Place:
            port = free_ports(1)
            changed = replace(
                with_database(settings, url),
                server=replace(settings.server, issuer=f"http://localhost:{port}", port=port),
            )
            changed = replace(changed, database=replace(changed.database, lock_timeout_seconds=lock_seconds))
            provider = Provider(changed, port, tmp_path, workers, with_worker)
            stack.callback(provider.stop)
            address = LogoutAddress()
            stack.callback(address.close)
            app = build_app(changed)
            with app.app_context():
                application = factories.client("Gradebook", first_party=True, backchannel_logout_uri=address.url)
            return Place(provider, app, application, address, stack)

        yield make
