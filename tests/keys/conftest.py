"""Keys in files, as a district keeps them, and a provider that reads them there."""

import contextvars
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from idp.cli import main
from idp.operations.secret_watch import Watch
from idp.settings import NamedKey, Settings
from tests import servers
from tests.databases import AppBuilder, with_database
from tests.programs import variables
from tests.servers import Running


@dataclass
class KeyFiles:
    """The files of [secrets], one for each kind."""

    folder: Path
    keys: dict[str, NamedKey] = field(default_factory=dict)

    def write(self, setting: str, *names: str) -> None:
        """Replace a list as an operator does: whole or not at all. A name that is new gets a new key."""
        made = [self.keys.setdefault(name, NamedKey(name, secrets.token_bytes(32))) for name in names]
        text = ",".join(f"{key.name}:{b64encode(key.value).decode()}" for key in made)
        self.write_text(setting, text + "\n")

    def write_text(self, setting: str, text: str) -> None:
        """Replace a file by any text."""
        beside = self.folder / f"{setting}.new"
        beside.write_text(text)
        beside.replace(self.folder / setting)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name them."""
        names = ("wrapping_keys", "peppers", "audit_keys")
        return {f"IDP_SECRETS_{name.upper()}_FILE": str(self.folder / name) for name in names}


@dataclass(frozen=True)
class Place:
    """A database, and keys in files."""

    settings: Settings
    files: KeyFiles

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the provider is started with."""
        given = variables(self.settings)
        return {name: value for name, value in given.items() if "_SECRETS_" not in name} | self.files.environment

    def idp(self, *arguments: str) -> Result:
        """Type `idp …` there."""
        return contextvars.Context().run(CliRunner().invoke, main, list(arguments), env=self.environment)

    @contextmanager
    def serving(self, folder: Path, workers: int = 2) -> Iterator[Running]:
        """Run the provider with so many processes and `idp worker` beside it."""
        arguments = ["-m", "idp", "serve", "--workers", str(workers), "--with-worker"]
        port = servers.free_ports(1)
        origin = f"http://localhost:{port}"
        environment = self.environment | {"IDP_SERVER_ISSUER": origin, "IDP_SERVER_PORT": str(port)}
        with servers.program(arguments, environment, origin, "/readyz", folder / "provider.log") as running:
            yield running


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    """Return three files with a key each: w1, p1 and a1."""
    made = KeyFiles(tmp_path)
    for setting, name in (("wrapping_keys", "w1"), ("peppers", "p1"), ("audit_keys", "a1")):
        made.write(setting, name)
    return made


@pytest.fixture
def place(settings: Settings, database_url: str, files: KeyFiles) -> Place:
    """A database of the test's own; keys are looked at every second, so that what takes half a minute takes three."""
    changed = replace(with_database(settings, database_url), keys=replace(settings.keys, reread_seconds=1))
    secrets_now = replace(
        changed.secrets,
        wrapping_keys=(files.keys["w1"],),
        peppers=(files.keys["p1"],),
        audit_keys=(files.keys["a1"],),
    )
    return Place(replace(changed, secrets=secrets_now), files)


@pytest.fixture
def node(place: Place, build_app: AppBuilder) -> Iterator[Flask]:
    """The application of one process there; its context is open."""
    app = build_app(place.settings)
    with app.app_context():
        yield app


@pytest.fixture
def watch(node: Flask, place: Place) -> Watch:
    """What looks after that process's secrets; a test calls it in place of the time that passes."""
    return Watch(node, place.environment)
