"""While the database is away, the pages still say how to reach the team, and lose nothing that was typed."""

from datetime import timedelta
from pathlib import Path

import pytest

from idp import clock
from idp.database import db
from idp.settings import Settings
from tests.databases import AppBuilder
from tests.pages import Browser
from tests.support.conftest import FILLED_IN


@pytest.fixture
def stranded(build_app: AppBuilder, settings: Settings) -> Browser:
    """A browser, with an old session's cookie, at an application whose database is gone."""
    app = build_app(settings)
    with app.app_context():
        db.engine.dispose()
    Path(settings.database.url.removeprefix("sqlite:///")).unlink(missing_ok=True)
    Path(settings.database.url.removeprefix("sqlite:///")).mkdir()
    return Browser(app.test_client(), settings.server.issuer)


@pytest.mark.parametrize("path", ["/support", "/support?topic=other", "/support/ticket"])
def test_r1_the_pages_open_and_name_the_team(stranded: Browser, path: str) -> None:
    stranded.client.set_cookie("idp_session", "a" * 43)

    page = stranded.open(path)

    assert page.status == 200
    assert page.links["847-555-0142"] == "tel:847-555-0142"
    assert "Call or write to us, or come back in a few minutes." in page.words


def test_what_was_typed_is_kept(stranded: Browser) -> None:
    stranded.open("/support")
    for label, value in FILLED_IN.items():
        stranded.fill(label, value)
    with clock.shifted(timedelta(minutes=1)):
        page = stranded.press("Send")

    assert page.status == 503
    assert int(page.headers["Retry-After"]) > 0
    assert page.value("Your name (required)") == "Ewa Kowalska"
    assert "Your answers are still here." in page.words
    assert page.links["847-555-0142"] == "tel:847-555-0142"


def test_looking_up_says_to_come_back(stranded: Browser) -> None:
    stranded.open("/support/ticket")
    stranded.fill("Number of your request", "12345678").fill("Your email address or phone number", "a@b.example")

    page = stranded.press("Show")

    assert page.status == 503
    assert "847-555-0142" in page.words
