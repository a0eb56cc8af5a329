"""The application under production's and under development's rules, and metadata to begin with."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask

from idp.clients.validation import ClientMetadata, validate
from idp.settings import PRODUCTION, Settings

Metadata = Callable[..., ClientMetadata]


@pytest.fixture
def production(settings: Settings, build_app: Callable[[Settings], Flask]) -> Iterator[Flask]:
    """The application with production's rules; its database has no table."""
    server = replace(settings.server, issuer="https://login.example.org", outbound_allowed=())
    with build_app(replace(settings, environment=PRODUCTION, server=server)).app_context() as context:
        yield context.app


@pytest.fixture
def development(settings: Settings, build_app: Callable[[Settings], Flask]) -> Iterator[Flask]:
    """The application with development's rules, allowed to call applications on this machine."""
    server = replace(settings.server, outbound_allowed=("http://localhost", "http://127.0.0.1:5001"))
    with build_app(replace(settings, server=server)).app_context() as context:
        yield context.app


@pytest.fixture
def metadata(app: Flask) -> Metadata:
    """Return metadata that is in order, with what a test changes."""

    def made(**changes: object) -> ClientMetadata:
        given = {"client_name": "Lunch", "redirect_uris": ["https://lunch.example/callback"]} | changes
        found = validate(given)
        assert isinstance(found, ClientMetadata), found
        return found

    return made
