"""A provider as it runs in production (two processes, hashes of the real cost) for all tests of overload."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from idp.app import create_app
from idp.database import db
from idp.settings import Passwords, Settings
from tests import servers
from tests.databases import Databases, with_database
from tests.factories import Person, Registered, account, client
from tests.ladders import without_robot_checks
from tests.servers import Running

LONGEST_WAIT = 4


@dataclass(frozen=True)
class Provider:
    """A provider, a parent who has an account there, and the district's own application."""

    running: Running
    parent: Person
    application: Registered

    @property
    def origin(self) -> str:
        """Where it answers."""
        return self.running.origin


@pytest.fixture(scope="session")
def provider(
    session_settings: Settings, all_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """Run it on SQLite, where a write by one process can hold up the other."""
    costly = Passwords(bcrypt_cost=12, longest_wait_seconds=LONGEST_WAIT)
    with all_databases.new("sqlite") as url:
        # A storm comes from one network, whose passwords would soon not be looked at; here they are, each by a hash.
        real = replace(without_robot_checks(with_database(session_settings, url)), passwords=costly)
        with create_app(real).app_context():
            parent = account()
            application = client("Gradebook", redirect_uri="https://gradebook.example/callback", first_party=True)
            db.engine.dispose()
        with servers.provider(real, tmp_path_factory.mktemp("overload"), workers=2, with_worker=True) as running:
            yield Provider(running, parent, application)
