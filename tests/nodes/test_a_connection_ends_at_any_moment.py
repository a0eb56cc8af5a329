"""A connection to PostgreSQL ends at any moment of a request: the answer is as ever, or a 503 that a reload cures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from idp.database import db, release
from idp.oidc import keys
from idp.settings import Settings
from tests import factories
from tests.databases import POSTGRESQL, AppBuilder, Databases, with_database
from tests.oidc.conftest import Application
from tests.pages import Browser

_EVENTS = ("before_cursor_execute", "commit", "rollback", "reset")
"""What an engine tells of before it asks something of the server; between two of these it asks nothing."""
_AT_MOST = 60
_TURN_OUT = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()
"""

Request = Callable[[], TestResponse]


@pytest.fixture
def app(settings: Settings, all_databases: Databases, build_app: AppBuilder) -> Iterator[Flask]:
    """The application on PostgreSQL."""
    with all_databases.new(POSTGRESQL) as url:
        app = build_app(with_database(settings, url))
        with app.app_context():
            yield app


class Scissors:
    """Cuts off whoever is connected to the database, at one of the moments of a request."""

    def __init__(self, operator: psycopg.Connection[Any]) -> None:
        self._operator = operator
        self._left = 0

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Cut at this moment of the block, counted from 1, if it has so many."""
        self._left = moment
        for name in _EVENTS:
            event.listen(db.engine, name, self._look)
        try:
            yield
        finally:
            for name in _EVENTS:
                event.remove(db.engine, name, self._look)

    @property
    def have_cut(self) -> bool:
        """Whether the last block had so many moments."""
        return self._left <= 0

    def _look(self, *_told: object) -> None:
        self._left -= 1
        if self._left == 0:
            self._operator.execute(_TURN_OUT, [self._operator.info.dbname])


@pytest.fixture
def scissors(app: Flask) -> Iterator[Scissors]:
    """Someone at the server who ends others' connections."""
    url = app.config["IDP"].database.url
    with psycopg.connect(url, autocommit=True) as operator:
        yield Scissors(operator)


class Scene:
    """A parent's browser and an application, anew for each request, so that none knows what became of the last."""

    def __init__(self, app: Flask, new_browser: Callable[[], Browser]) -> None:
        self.app, self._new_browser = app, new_browser
        self._application = factories.client("Gradebook", first_party=True)

    def home(self) -> Request:
        """Return a visit of the portal's first page."""
        return self._visit("/")

    def account_settings(self) -> Request:
        """Return a visit of the pages of one's own account."""
        return self._visit("/account/settings")

    def log_in(self) -> Request:
        """Return the log-in of somebody who has the page before them."""
        browser, person = self._new_browser(), factories.account()
        page = browser.open("/login")
        _button, form = page.form_of("Log In", {})
        sent = {item.get("name") or "": item.get("value") or "" for item in page.controls(form)}
        sent |= {"username": person.username, "password": person.password}
        return lambda: browser.client.post("/login", data=sent)

    def authorize(self) -> Request:
        """Return the way of somebody logged in to an application that is new to them."""
        application, browser = self._relying_party(), self._logged_in()
        return lambda: application.authorize(browser.client)

    def redeem(self) -> Request:
        """Return the redemption of a code."""
        application = self._relying_party()
        code = application.code(self._logged_in().client)
        return lambda: application.redeem(code)

    def userinfo(self) -> Request:
        """Return an application's question who it is."""
        application = self._relying_party()
        tokens = application.tokens(self._logged_in().client)
        return lambda: application.userinfo(tokens["access_token"])

    def published_keys(self) -> Request:
        """Return a fetch of the keys by a process that has to read them again."""
        keys.forget()
        return lambda: self.app.test_client().get("/oauth/jwks")

    def log_out(self) -> Request:
        """Return the log-out at an application."""
        application, browser = self._relying_party(), self._logged_in()
        hint = application.tokens(browser.client)["id_token"]
        return lambda: browser.client.get(f"/logout?id_token_hint={hint}")

    def _relying_party(self) -> Application:
        return Application(self.app, self._application)

    def _logged_in(self) -> Browser:
        browser = self._new_browser()
        person = factories.account()
        browser.log_in(person.username, person.password)
        return browser

    def _visit(self, path: str) -> Request:
        browser = self._logged_in()
        return lambda: browser.client.get(path)


_REQUESTS: tuple[Callable[[Scene], Request], ...] = (
    Scene.home,
    Scene.account_settings,
    Scene.log_in,
    Scene.authorize,
    Scene.redeem,
    Scene.userinfo,
    Scene.published_keys,
    Scene.log_out,
)


@pytest.mark.parametrize("kind", _REQUESTS, ids=lambda kind: kind.__name__)
def test_the_answer_is_as_ever_or_a_reload_cures_it(
    kind: Callable[[Scene], Request], app: Flask, new_browser: Callable[[], Browser], scissors: Scissors
) -> None:
    scene = Scene(app, new_browser)
    undisturbed = kind(scene)().status_code
    assert undisturbed < 400

    for moment in range(1, _AT_MOST):
        request = kind(scene)
        release()  # the test's own connection
        with scissors.at(moment):
            answer = request()
        if answer.status_code != undisturbed:
            assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "30"), (moment, answer.text)
            assert request().status_code == undisturbed, f"a reload after what was cut at {moment}"
        if not scissors.have_cut:
            break
    assert 1 < moment < _AT_MOST - 1, "each moment was one of the cuts"
