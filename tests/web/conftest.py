"""What these tests share: an application whose database is never asked."""

import pytest
from flask import Flask

from idp.settings import Settings
from tests.databases import AppBuilder


@pytest.fixture
def plain_app(build_app: AppBuilder, settings: Settings) -> Flask:
    """The application for what needs no database, made once and not once a kind."""
    return build_app(settings)
