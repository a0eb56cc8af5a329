"""What attackers share: the doors, browsers of a stranger and of an admin, and what no answer may ever be."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import Person, Registered
from tests.oidc.conftest import application, log_in, new_application, visitor

__all__ = ["application", "log_in", "new_application", "visitor"]

ISSUER = "http://localhost:5000"
CALLBACK = "https://lunch.example/callback"

_OF_THE_INSIDE = ("Traceback", "erkzeug", "sqlalchemy", "psycopg", "sqlite3", "site-packages", "__debugger__")
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True)
class Door:
    """An address of the application, its parts filled in, and the methods that it takes."""

    endpoint: str
    path: str
    methods: frozenset[str]

    @property
    def is_file(self) -> bool:
        """Whether it hands out files alone."""
        return self.endpoint.endswith("static")


@dataclass(frozen=True)
class Intruder:
    """A browser that sends whatever it likes, with a right form token where it has one."""

    client: FlaskClient
    csrf_token: str = ""

    def send(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request and hold the answer to what holds for every one."""
        if path.startswith("//"):  # which a client takes for a host
            options["environ_overrides"] = {"PATH_INFO": path, **options.get("environ_overrides", {})}
            path = "/"
        return checked(self.client.open(path, method=method, **options), (method, path[:60], str(options)[:200]))


def checked(response: TestResponse, what: object = "") -> TestResponse:
    """Fail unless an answer is no 5xx, leads to no stranger, has its headers, and tells nothing of the inside."""
    assert response.status_code < 500, (what, response.status_code)
    if "Location" in response.headers:
        assert leads_to_us_or_an_application(response.location), (what, response.location)
    headers = response.headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], what
    assert headers["X-Content-Type-Options"] == "nosniff", what
    assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, what
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", what
    for cookie in headers.getlist("Set-Cookie"):
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax"} <= attributes, (what, cookie)
        assert not [part for part in attributes if part.startswith("domain")], (what, cookie)
    if response.mimetype in {"text/html", "application/json"}:
        told = response.get_data(as_text=True)
        assert not [word for word in _OF_THE_INSIDE if word in told], what
    response.close()
    return response


def leads_to_us_or_an_application(location: str) -> bool:
    """Tell whether a redirect stays on this site, as browsers read it, or goes to the registered address."""
    if any(not "!" <= character <= "~" or character == "\\" for character in location):
        return False
    if location == CALLBACK or location.startswith(f"{CALLBACK}?"):
        return True
    parts = urlsplit(location)
    return (parts.scheme, parts.netloc) in {("", ""), tuple(ISSUER.split("://"))} and parts.path[:2] not in {"//", ""}


@pytest.fixture
def registered(client: Callable[..., Registered]) -> Registered:
    """An application that the district does not run."""
    return client("Lunch Orders", redirect_uri=CALLBACK)


@pytest.fixture
def doors(app: Flask, registered: Registered) -> list[Door]:
    """Every address that the application answers at."""
    adapter = app.url_map.bind("localhost")
    values = {"client_id": registered.client_id, "filename": "theme.css"}
    found: dict[str, Door] = {}
    for rule in app.url_map.iter_rules():
        methods = frozenset(rule.methods or ())
        needed = {name: values[name] for name in rule.arguments}
        path = adapter.build(rule.endpoint, needed, method=min(methods - {"HEAD", "OPTIONS"} or methods))
        others = found[path].methods if path in found else frozenset[str]()
        found[path] = Door(rule.endpoint, path, methods | others)
    return list(found.values())


@pytest.fixture
def stranger(app: Flask) -> Intruder:
    """Somebody who has no account."""
    client = app.test_client()
    return Intruder(client, _form_token(client, "/login"))


@pytest.fixture
def new_insider(log_in: Callable[[Person], FlaskClient]) -> Callable[[Person], Intruder]:
    """Return a new browser of somebody who has logged in and now turns against us."""

    def new(person: Person) -> Intruder:
        client = log_in(person)
        return Intruder(client, _form_token(client, "/"))

    return new


def _form_token(client: FlaskClient, path: str) -> str:
    found = _TOKEN.search(client.get(path).text)
    assert found is not None
    return found[1]
