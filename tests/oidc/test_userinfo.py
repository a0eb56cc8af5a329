"""UserInfo answers a good token and no other (ATTACKS JW, TK)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp import clock
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.database import db
from idp.sessions import service as sessions
from tests.factories import Person
from tests.oidc.conftest import Application

Travel = Callable[[timedelta], AbstractContextManager[None]]


@pytest.fixture
def access_token(application: Application, visitor: FlaskClient) -> str:
    """A good access token."""
    return str(application.tokens(visitor)["access_token"])


def test_get_and_post_with_a_header_and_post_with_a_body_answer_alike(app: Flask, access_token: str) -> None:
    bearer = {"Authorization": f"Bearer {access_token}"}
    answers = [
        app.test_client().get("/oauth/userinfo", headers=bearer),
        app.test_client().post("/oauth/userinfo", headers=bearer),
        app.test_client().get("/oauth/userinfo", headers={"Authorization": f"bearer {access_token}"}),
        app.test_client().post("/oauth/userinfo", data={"access_token": access_token}),
    ]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.content_type == "application/json" for answer in answers)
    assert all(answer.get_json() == answers[0].get_json() for answer in answers)


def test_a_token_in_the_address_is_not_read(app: Flask, access_token: str) -> None:
    assert app.test_client().get("/oauth/userinfo", query_string={"access_token": access_token}).status_code == 401


def test_a_token_sent_twice_is_a_malformed_request(app: Flask, access_token: str) -> None:
    response = app.test_client().post(
        "/oauth/userinfo", data={"access_token": access_token}, headers={"Authorization": f"Bearer {access_token}"}
    )

    assert response.status_code == 400
    assert response.get_json()["error"] == "invalid_request"


def test_no_token_is_asked_for_without_an_error(app: Flask) -> None:
    response = app.test_client().get("/oauth/userinfo")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token.swapcase(),
        lambda token: token + "=",
        lambda token: f"{token} x",
        lambda token: token[:22] + "A" * 42,
        lambda token: "A" * 22 + token[22:],
        lambda token: token[:40] + "!" + token[41:],
        lambda token: token[:40] + "\t" + token[40:],
        lambda token: "",
        lambda token: "é",
        lambda token: "A" * 60_000,
        lambda token: ".".join("x" * 20_000),
        lambda token: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    ],
)
def test_jw1_jw11_jw14_what_was_not_issued_is_refused(
    app: Flask, access_token: str, spoil: Callable[[str], str]
) -> None:
    response = app.test_client().get(
        "/oauth/userinfo", headers={"Authorization": f"Bearer {spoil(access_token)}".encode().decode("latin-1")}
    )

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_a_token_lives_for_a_quarter_of_an_hour(application: Application, access_token: str, travel: Travel) -> None:
    with travel(timedelta(minutes=14, seconds=50)):
        assert application.userinfo(access_token).status_code == 200
    with travel(timedelta(minutes=15, seconds=1)):
        assert application.userinfo(access_token).status_code == 401


@pytest.mark.parametrize("how", ["account disabled", "logged out"])
def test_what_ends_the_person_ends_the_token(
    application: Application, access_token: str, parent: Person, how: str
) -> None:
    if how == "logged out":
        sessions.end_all(parent.id, "log_out", clock.now())
    else:
        accounts.disable(db.session.get_one(Account, parent.id), clock.now())
    db.session.commit()

    assert application.userinfo(access_token).status_code == 401


def test_any_origin_may_read_it_but_never_with_a_cookie(app: Flask, access_token: str) -> None:
    response = app.test_client().get(
        "/oauth/userinfo", headers={"Origin": "https://evil.example", "Authorization": f"Bearer {access_token}"}
    )

    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_browser_application_may_ask_before_it_sends_its_token(app: Flask) -> None:
    for path in ("/oauth/userinfo", "/oauth/token"):
        preflight = app.test_client().options(
            path, headers={"Origin": "https://app.example", "Access-Control-Request-Headers": "authorization"}
        )

        assert preflight.status_code == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
