"""One provider, served as in production, for all attacks over HTTP; what is sent is written byte by byte."""

import base64
import http.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import delete

from idp.accounts.models import ADMIN
from idp.app import create_app
from idp.database import db
from idp.settings import Settings
from idp.throttle.models import Counter
from tests import factories, servers
from tests.answers import URLENCODED, Answer, cookie_header, keep_cookies
from tests.databases import Databases, with_database
from tests.factories import Person, Registered
from tests.ladders import without_robot_checks
from tests.oidc.conftest import challenge_of

CALLBACK = "https://lunch.example/callback"
AFTER = "https://lunch.example/bye"
VERIFIER = "v" * 43

_INSIDE = ("Traceback", "erkzeug", "sqlalchemy", "psycopg", "sqlite3", "site-packages", "__debugger__")

Form = Mapping[str, str] | Sequence[tuple[str, str]] | bytes


class _Connection(http.client.HTTPConnection):
    """Sends an address as it is, whatever bytes it has."""

    def _encode_request(self, request: str) -> bytes:
        return request.encode("latin-1")


@dataclass
class Target:
    """The provider under attack, and the database behind it."""

    origin: str
    app: Flask
    running: servers.Running

    def make_client(self, name: str = "Lunch", **metadata: Any) -> Registered:
        """Register an application; it is the district's own unless said otherwise."""
        first_party = bool(metadata.pop("first_party", True))
        metadata = {"post_logout_redirect_uris": [AFTER]} | metadata
        with self.app.app_context():
            return factories.client(name, redirect_uri=CALLBACK, first_party=first_party, **metadata)

    def make_account(self, **columns: Any) -> Person:
        """Make an account."""
        with self.app.app_context():
            return factories.account(**columns)

    def forgive(self) -> None:
        """Forget all failed tries, as time does."""
        with self.app.app_context():
            db.session.execute(delete(Counter))
            db.session.commit()

    def intruder(self) -> "Intruder":
        """Return a browser, or program, that has not been here before."""
        return Intruder(self)

    def visitor(self, person: Person | None = None) -> "Intruder":
        """Return a browser in which somebody has logged in, over HTTP like everybody."""
        person = person or self.make_account()
        browser = self.intruder()
        assert browser.log_in(person.username, person.password).status == 303
        return browser


@dataclass
class Intruder:
    """Sends what it likes, keeps its cookies, and holds each answer to what holds for every one."""

    target: Target
    jar: dict[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        query: Form = b"",
        form: Form | None = None,
        *,
        kind: str = URLENCODED,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request on a connection of its own; bytes are sent as they are."""
        asked = _encoded(query).decode("latin-1")
        connection = _Connection("127.0.0.1", urlsplit(self.target.origin).port, timeout=30)
        try:
            connection.putrequest(method, path + (f"?{asked}" if asked else ""), skip_accept_encoding=True)
            if self.jar:
                connection.putheader("Cookie", cookie_header(self.jar))
            for name, value in (headers or {}).items():
                connection.putheader(name, value.encode("latin-1"))
            body = None if form is None else _encoded(form)
            if body is not None:
                connection.putheader("Content-Type", kind)
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            reply = Answer(answer.status, tuple(answer.getheaders()), answer.read())
        finally:
            connection.close()
        keep_cookies(self.jar, reply)
        return _judged(reply, self.target.origin, (method, path, asked[:200]))

    def get(self, path: str, query: Form = b"", **options: Any) -> Answer:
        """Open an address."""
        return self.send("GET", path, query, **options)

    def post(self, path: str, form: Form, **options: Any) -> Answer:
        """Send a form."""
        return self.send("POST", path, form=form, **options)

    def follow(self, reply: Answer) -> Answer:
        """Go on as long as it leads to a page of the provider."""
        for _ in range(6):
            if not reply.location.startswith("/"):
                return reply
            path, _, query = reply.location.partition("?")
            reply = self.get(path, query.encode())
        raise AssertionError(f"it redirects without end, lately to {reply.location}")

    def log_in(
        self, username: str, password: str, query: Form = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Fill in the log-in page."""
        token = self.get("/login", query).hidden("csrf_token")
        form = {"csrf_token": token, "username": username, "password": password}
        return self.send("POST", "/login", query, form, headers=headers)

    def authorize(self, client: Registered, **changes: str | None) -> Answer:
        """Ask for a code, with some parameters changed or (None) left out."""
        return self.get("/oauth/authorize", right_request(client, **changes))

    def redeem(self, client: Registered, code: str, **changes: str | None) -> Answer:
        """Redeem a code as an application that proves itself by HTTP Basic."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": VERIFIER,
        } | changes
        sent = {name: value for name, value in form.items() if value is not None}
        return self.post("/oauth/token", sent, headers=basic(client.client_id, client.secret or ""))

    def userinfo(self, access_token: str) -> Answer:
        """Ask whom a token speaks of."""
        return self.get("/oauth/userinfo", headers={"Authorization": f"Bearer {access_token}"})


def right_request(client: Registered, **changes: str | None) -> dict[str, str]:
    """Return the parameters of an authorization request with nothing wrong but the changes."""
    values = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "response_type": "code",
        "scope": "openid profile",
        "state": "a state",
        "nonce": "a nonce",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    } | changes
    return {name: value for name, value in values.items() if value is not None}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def _encoded(form: Form) -> bytes:
    return form if isinstance(form, bytes) else urlencode(form, errors="surrogatepass").encode()


def _judged(reply: Answer, origin: str, what: object) -> Answer:
    headers = {name.lower(): value for name, value in reply.headers}
    assert reply.status < 500, (what, reply)
    if "x-request-id" in headers:  # what the server in front refuses by itself has none
        assert "frame-ancestors 'none'" in headers["content-security-policy"], what
        assert headers["x-content-type-options"] == "nosniff", what
        assert headers["referrer-policy"] in {"same-origin", "no-referrer"}, what
        assert headers["cross-origin-opener-policy"] == "same-origin", what
    if reply.location:
        assert all("!" <= character <= "~" and character not in "\\<>\"'" for character in reply.location), what
        goes_on = reply.location.startswith("/") and reply.location[1:2] not in {"/", "\\"}
        allowed = any(reply.location == uri or reply.location.startswith(f"{uri}?") for uri in (CALLBACK, AFTER))
        assert goes_on or allowed or reply.location.startswith(f"{origin}/"), (what, reply.location)
    if headers.get("content-type", "").partition(";")[0] in {"text/html", "application/json"}:
        assert not [word for word in _INSIDE if word in reply.text], what
    return reply


@pytest.fixture(scope="session")
def target(
    session_settings: Settings, all_databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """Serve one provider for all of these tests. All come from one network, which would be asked for a robot check."""
    with all_databases.new("sqlite") as url:
        settings = without_robot_checks(with_database(session_settings, url))
        with servers.provider(settings, tmp_path_factory.mktemp("attacked")) as running:
            app = create_app(settings)
            made = Target(running.origin, app, running)
            yield made
            assert made.intruder().get("/healthz").status == 200, "it still answers"
            assert "Traceback" not in running.lines
            with app.app_context():
                db.engine.dispose()


@pytest.fixture(scope="session")
def lunch(target: Target) -> Registered:
    """An application of the district, for whoever changes nothing about it."""
    return target.make_client()


@pytest.fixture(scope="session")
def visitor(target: Target) -> Intruder:
    """A parent's browser, for whoever does not log out in it."""
    return target.visitor()


@pytest.fixture
def intruder(target: Target) -> Intruder:
    """Somebody who has no account."""
    return target.intruder()


@pytest.fixture
def code_of(target: Target, lunch: Registered) -> Callable[[Intruder], str]:
    """Send a browser for a code."""
    return lambda browser: browser.authorize(lunch).query["code"]


@pytest.fixture
def console(target: Target) -> Intruder:
    """An admin's browser, in which the password has been typed just now."""
    return target.visitor(target.make_account(role=ADMIN))
