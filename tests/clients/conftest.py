"""What the tests of the relying parties share: a provider over real HTTP, the gradebook, browsers, time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from joserfc.jwk import RSAKey

from clients.dashboard import app as dashboard_app
from clients.gradebook import app as gradebook_app
from clients.shared import clock
from clients.shared.settings import Settings
from tests.clients.stand_in import CLIENT_ID, CLIENT_SECRET, StandIn, running
from tests.clients.visitor import BASE_URL, Visitor


@pytest.fixture(scope="session")
def signing_key() -> RSAKey:
    """A key pair of the provider; making one takes a moment."""
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="session")
def strangers_key() -> RSAKey:
    """A key pair of somebody else."""
    return RSAKey.generate_key(2048)


@pytest.fixture
def provider(signing_key: RSAKey) -> Iterator[StandIn]:
    """A provider that behaves until it is told otherwise."""
    with running(signing_key) as stand_in:
        yield stand_in


@pytest.fixture
def configuration(provider: StandIn, tmp_path: Path) -> Settings:
    """The gradebook's registration at that provider."""
    return Settings(provider.issuer, CLIENT_ID, CLIENT_SECRET, BASE_URL, tmp_path)


@pytest.fixture
def gradebook(configuration: Settings) -> Flask:
    """The gradebook."""
    return gradebook_app.create_app(configuration)


@pytest.fixture
def dashboard(configuration: Settings) -> Flask:
    """The dashboard of Maine East."""
    return dashboard_app.create_app(configuration, "maine-east")


@pytest.fixture
def visitor(gradebook: Flask, provider: StandIn) -> Visitor:
    """A parent's browser at the gradebook."""
    return Visitor(gradebook, provider)


@pytest.fixture
def stranger(gradebook: Flask, provider: StandIn) -> Visitor:
    """Somebody else's browser at the gradebook."""
    return Visitor(gradebook, provider)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds go by for the application."""
    real, skipped = clock.now, 0.0

    def skip(seconds: float) -> None:
        nonlocal skipped
        skipped += seconds
        monkeypatch.setattr(clock, "now", lambda: real() + skipped)

    return skip
