"""Only the application itself gets its tokens (ATTACKS CA)."""

from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp import clock
from idp.clients import service as clients
from idp.clients.models import Client
from idp.database import db
from tests.oidc.conftest import Application

NewApplication = Callable[..., Application]


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return a header of HTTP Basic."""
    return {"Authorization": f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def test_ca1_a_wrong_secret_and_an_unknown_client_look_the_same(app: Flask, application: Application) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"}
    wrong = app.test_client().post("/oauth/token", data=form, headers=basic(application.registered.client_id, "wrong"))
    unknown = app.test_client().post("/oauth/token", data=form, headers=basic("nobody", "wrong"))

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.headers["WWW-Authenticate"].startswith("Basic")
    assert wrong.get_json() == unknown.get_json() == {
        "error": "invalid_client",
        "error_description": "Client authentication failed.",
    }  # fmt: skip


def test_ca3_a_confidential_client_needs_its_secret(application: Application, visitor: FlaskClient) -> None:
    code = application.code(visitor)
    application.auth_method = "none"

    assert application.redeem(code).status_code == 401


@pytest.mark.parametrize(
    ("registered", "used"),
    [("client_secret_basic", "client_secret_post"), ("client_secret_post", "client_secret_basic")],
)
def test_only_the_registered_method_counts(
    new_application: NewApplication, visitor: FlaskClient, registered: str, used: str
) -> None:
    application = new_application(token_endpoint_auth_method=registered)
    application.auth_method = used

    assert application.redeem(application.code(visitor)).status_code == 401


def test_two_methods_at_once_are_refused(application: Application, visitor: FlaskClient) -> None:
    response = application.redeem(application.code(visitor), client_secret=application.registered.secret)

    assert response.status_code == 400
    assert response.get_json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !!!", "Basic " + b64encode(b"\xff\xfe:x").decode(), "Basic bm9jb2xvbg==", "Bearer x",
     "Basic " + "A" * 2000, "Basic " + b64encode("ü:ü".encode()).decode(), "basic", ""],
)  # fmt: skip
def test_a_malformed_header_is_an_error_of_the_protocol(app: Flask, header: str) -> None:
    response = app.test_client().post(
        "/oauth/token", data={"grant_type": "authorization_code"}, headers={"Authorization": header}
    )

    assert response.status_code in {400, 401}
    assert response.get_json()["error"] in {"invalid_client", "invalid_request"}


def test_ca5_after_rotation_both_secrets_work_until_the_overlap_ends(
    application: Application, visitor: FlaskClient, travel: Callable[[timedelta], AbstractContextManager[None]]
) -> None:
    old = application.registered.secret
    registered = db.session.query(Client).filter_by(client_id=application.registered.client_id).one()
    clients.rotate_secret(registered, clock.now())
    db.session.commit()

    assert application.redeem(application.code(visitor)).status_code == 200
    with travel(timedelta(days=31)):
        assert application.redeem("x").status_code == 401
    assert old


def test_ca7_after_ten_wrong_secrets_from_one_address_that_pair_waits_and_nobody_else(
    app: Flask, new_application: NewApplication, visitor: FlaskClient
) -> None:
    application, other = new_application("Gradebook"), new_application("Lunch")
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"}
    headers = basic(application.registered.client_id, "wrong")
    answers = [app.test_client().post("/oauth/token", data=form, headers=headers) for _ in range(50)]
    elsewhere = app.test_client().post(
        "/oauth/token", data=form, headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.9"}
    )

    assert [answer.status_code for answer in answers[:10]] == [401] * 10
    assert {answer.status_code for answer in answers[10:]} == {429}
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert elsewhere.status_code == 401
    assert other.redeem(other.code(visitor)).status_code == 200
    assert application.redeem(application.code(visitor)).status_code == 200


@pytest.mark.parametrize("known", [True, False])
def test_ca7_a_network_has_one_budget_however_many_addresses_it_has(
    app: Flask, application: Application, known: bool
) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"}
    headers = basic(application.registered.client_id if known else "unknown", "wrong")

    def ask(address: str) -> int:
        return (
            app.test_client()
            .post("/oauth/token", data=form, headers=headers, environ_base={"REMOTE_ADDR": address})
            .status_code
        )

    assert [ask(f"2001:db8:0:1::{number:x}") for number in range(12)] == [401] * 10 + [429] * 2
    assert ask("2001:db8:0:1:ffff:ffff:ffff:ffff") == 429
    assert ask("2001:db8:0:2::1") == 401


@pytest.mark.parametrize(
    "grant_type",
    ["password", "implicit", "client_credentials", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
     "urn:ietf:params:oauth:grant-type:jwt-bearer", "", None, 'x"y', "é"],
)  # fmt: skip
def test_ca9_no_other_grant_exists(application: Application, grant_type: str | None) -> None:
    response = application.redeem("x", grant_type=grant_type)

    assert response.status_code == 400
    assert response.get_json()["error"] == "unsupported_grant_type"


def test_a_disabled_applications_tokens_die_with_the_next_request(
    application: Application, visitor: FlaskClient
) -> None:
    tokens, code = application.tokens(visitor), application.code(visitor)
    registered = db.session.query(Client).filter_by(client_id=application.registered.client_id).one()
    clients.disable(registered, clock.now())
    db.session.commit()

    assert application.userinfo(tokens["access_token"]).status_code == 401
    assert application.redeem(code).status_code == 401
    assert application.authorize(visitor).status_code == 400


@pytest.mark.parametrize("name", ["code", "grant_type", "redirect_uri", "code_verifier", "client_id"])
def test_hp1_a_field_sent_twice_is_refused(
    app: Flask, application: Application, visitor: FlaskClient, name: str
) -> None:
    headers = basic(application.registered.client_id, application.registered.secret or "")
    form = {
        "grant_type": ["authorization_code"],
        "code": [application.code(visitor)],
        "redirect_uri": [application.registered.redirect_uri],
        "code_verifier": [application.verifier],
        "client_id": [application.registered.client_id],
    }
    response = app.test_client().post("/oauth/token", data=form | {name: form[name] * 2}, headers=headers)

    assert response.status_code == 400
    assert response.get_json()["error"] == "invalid_request"


def test_nothing_is_read_from_the_query(app: Flask, application: Application, visitor: FlaskClient) -> None:
    headers = basic(application.registered.client_id, application.registered.secret or "")
    query = {
        "grant_type": "authorization_code",
        "code": application.code(visitor),
        "redirect_uri": application.registered.redirect_uri,
        "code_verifier": application.verifier,
    }

    assert app.test_client().post("/oauth/token", query_string=query, headers=headers).status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_hp3_the_token_endpoint_takes_post_alone(app: Flask, method: str) -> None:
    response = app.test_client().open("/oauth/token", method=method)

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
