"""An application's side of the protocol, spoken over the test client as its server and its visitor's browser would."""

import hashlib
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from idp import clock
from idp.accounts.models import Account
from idp.database import db
from idp.oidc import codes, store
from idp.oidc.authorization_request import AuthorizationRequest
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession
from tests.factories import Person, Registered

ALGORITHMS = ["RS256", "ES256", "EdDSA"]


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query_of(response: TestResponse) -> dict[str, str]:
    """Return the parameters of the address that a response goes to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(response.location).query).items()}


def issued(registered: Registered, session: ActiveSession, now: datetime, verifier: str) -> str:
    """Return a code as the authorization endpoint gives it, at another moment than this one perhaps. Commits."""
    asked = AuthorizationRequest(
        client_id=registered.client_id,
        redirect_uri=registered.redirect_uri,
        scope="openid",
        state=None,
        nonce=None,
        prompt=(),
        max_age=None,
        code_challenge=challenge_of(verifier),
        login_hint="",
        id_token_hint=None,
    )
    grant_id = store.give_grant(session.account_id, registered.id, ["openid"], now)
    db.session.commit()
    return codes.issue(asked, session, client_pk=registered.id, grant_id=grant_id, now=now)


@dataclass
class Application:
    """A relying party: it builds requests, redeems codes and reads tokens."""

    app: Flask
    registered: Registered
    auth_method: str = "client_secret_basic"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """Return an authorization request, with some parameters changed or (None) left out."""
        values = {
            "client_id": self.registered.client_id,
            "redirect_uri": self.registered.redirect_uri,
            "response_type": "code",
            "scope": "openid profile email",
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in values.items() if value is not None}

    def authorize(self, visitor: FlaskClient, **changes: str | None) -> TestResponse:
        """Send a visitor to the authorization endpoint."""
        return visitor.get(f"/oauth/authorize?{urlencode(self.parameters(**changes))}")

    def code(self, visitor: FlaskClient, **changes: str | None) -> str:
        """Send a visitor who is logged in, and return the code."""
        return query_of(self.authorize(visitor, **changes))["code"]

    def redeem(self, code: str, **changes: str | None) -> TestResponse:
        """Redeem a code as this application."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.registered.redirect_uri,
            "code_verifier": self.verifier,
        }
        headers = {}
        if self.auth_method == "client_secret_basic":
            pair = f"{self.registered.client_id}:{self.registered.secret}".encode()
            headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
        else:
            form["client_id"] = self.registered.client_id
        if self.auth_method == "client_secret_post":
            form["client_secret"] = self.registered.secret or ""
        sent = {name: value for name, value in (form | changes).items() if value is not None}
        return self.app.test_client().post("/oauth/token", data=sent, headers=headers)

    def tokens(self, visitor: FlaskClient, **changes: str | None) -> dict[str, Any]:
        """Go the whole way to the token response."""
        response = self.redeem(self.code(visitor, **changes))
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.get_json()
        return tokens

    def claims(self, id_token: str) -> dict[str, Any]:
        """Return an ID token's claims, once its signature is verified by the published keys."""
        published = KeySet.import_key_set(self.app.test_client().get("/oauth/jwks").get_json())
        return dict(jwt.decode(id_token, published, algorithms=ALGORITHMS).claims)

    def userinfo(self, access_token: str) -> TestResponse:
        """Ask UserInfo."""
        return self.app.test_client().get("/oauth/userinfo", headers={"Authorization": f"Bearer {access_token}"})


@pytest.fixture
def new_application(app: Flask, client: Callable[..., Registered]) -> Callable[..., Application]:
    """Register one more application; it is the district's own unless said otherwise."""

    def make(name: str = "Gradebook", **metadata: Any) -> Application:
        metadata = {"first_party": True} | metadata
        return Application(
            app, client(name, **metadata), metadata.get("token_endpoint_auth_method", "client_secret_basic")
        )

    return make


@pytest.fixture
def application(new_application: Callable[..., Application]) -> Application:
    """The district's gradebook."""
    return new_application()


@pytest.fixture
def log_in(app: Flask) -> Callable[[Person], FlaskClient]:
    """Return a browser in which a person is logged in, as sessions.service leaves it."""

    def logged_in(person: Person) -> FlaskClient:
        account = db.session.get_one(Account, person.id)
        token = sessions.start(
            account, amr=["pwd"], shared_computer=False, user_agent="test", address="127.0.0.1", now=clock.now()
        )
        db.session.commit()
        visitor = app.test_client()
        visitor.set_cookie("idp_session", token)
        return visitor

    return logged_in


@pytest.fixture
def visitor(log_in: Callable[[Person], FlaskClient], parent: Person) -> FlaskClient:
    """A parent's browser, logged in."""
    return log_in(parent)
