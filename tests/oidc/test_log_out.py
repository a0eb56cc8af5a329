"""Log-out: whom it ends, where it may go on to, and what it owes the applications (ATTACKS LO)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from idp import clock
from idp.clients import registry
from idp.database import db
from idp.oidc.backchannel import EVENT, logout_token
from idp.sessions.models import LogoutNotice
from tests.factories import Person
from tests.oidc.conftest import ALGORITHMS, Application, query_of
from tests.oidc.test_prompts import press

NewApplication = Callable[..., Application]
Travel = Callable[[timedelta], AbstractContextManager[None]]

AFTER = "https://lunch.example/logged-out"


@pytest.fixture
def gradebook(new_application: NewApplication) -> Application:
    """An application with addresses for log-out."""
    return new_application(
        "Gradebook",
        post_logout_redirect_uris=[AFTER],
        backchannel_logout_uri="https://lunch.example/backchannel-logout",
    )


def log_out(visitor: FlaskClient, **parameters: str) -> TestResponse:
    """Send a visitor to the end_session_endpoint."""
    return visitor.get("/logout", query_string=parameters)


def is_logged_in(application: Application, visitor: FlaskClient) -> bool:
    """Tell whether a silent request succeeds."""
    return "code" in query_of(application.authorize(visitor, prompt="none"))


def test_a_hint_logs_out_and_goes_back_with_the_state(gradebook: Application, visitor: FlaskClient) -> None:
    hint = gradebook.tokens(visitor)["id_token"]
    response = log_out(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s &1", extra="foobar")

    assert response.status_code == 303
    assert response.location.startswith(f"{AFTER}?")
    assert query_of(response) == {"state": "s &1"}
    assert not is_logged_in(gradebook, visitor)


def test_without_a_state_none_comes_back(gradebook: Application, visitor: FlaskClient) -> None:
    hint = gradebook.tokens(visitor)["id_token"]

    assert log_out(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER).location == AFTER


def test_an_expired_hint_is_still_a_hint(gradebook: Application, visitor: FlaskClient, travel: Travel) -> None:
    hint = gradebook.tokens(visitor)["id_token"]
    with travel(timedelta(minutes=25)):
        assert log_out(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER).location == AFTER


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"state": "s"},
        {"post_logout_redirect_uri": AFTER},
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"id_token_hint": "x", "post_logout_redirect_uri": AFTER},
        {"id_token_hint": "eyJhbGciOiJub25lIn0.e30.", "post_logout_redirect_uri": AFTER},
        {"client_id": "nobody", "post_logout_redirect_uri": AFTER},
    ],
)
def test_lo1_lo3_without_a_good_hint_the_person_is_asked_and_nothing_ends(
    gradebook: Application, visitor: FlaskClient, parameters: dict[str, str]
) -> None:
    page = log_out(visitor, **parameters)

    assert page.status_code == 200
    assert "Location" not in page.headers
    assert is_logged_in(gradebook, visitor)
    confirmed = press(visitor, page)
    assert confirmed.status_code == 200
    assert "You are logged out" in confirmed.text
    assert not is_logged_in(gradebook, visitor)


@pytest.mark.parametrize("uri", ["https://evil.example/", f"{AFTER}?x=1", f"{AFTER}/", "javascript:alert(1)", "/x"])
def test_lo1_an_unregistered_address_is_never_gone_to_even_with_a_good_hint(
    gradebook: Application, visitor: FlaskClient, uri: str
) -> None:
    hint = gradebook.tokens(visitor)["id_token"]
    page = log_out(visitor, id_token_hint=hint, post_logout_redirect_uri=uri)

    assert page.status_code == 200
    assert press(visitor, page).status_code == 200


def test_client_id_alone_asks_and_then_goes_back(gradebook: Application, visitor: FlaskClient) -> None:
    page = log_out(visitor, client_id=gradebook.registered.client_id, post_logout_redirect_uri=AFTER, state="s")
    confirmed = press(visitor, page)

    assert f"form-action 'self' {AFTER.removesuffix('/logged-out')};" in page.headers["Content-Security-Policy"]
    assert confirmed.location == f"{AFTER}?state=s"


def test_another_applications_name_beside_the_hint_is_a_muddle(
    gradebook: Application, new_application: NewApplication, visitor: FlaskClient
) -> None:
    hint = gradebook.tokens(visitor)["id_token"]
    other = new_application("Lunch")
    page = log_out(visitor, id_token_hint=hint, client_id=other.registered.client_id, post_logout_redirect_uri=AFTER)

    assert page.status_code == 200
    assert is_logged_in(gradebook, visitor)


def test_somebody_elses_hint_asks_first(
    gradebook: Application, visitor: FlaskClient, log_in: Callable[[Person], FlaskClient],
    account: Callable[..., Person],
) -> None:  # fmt: skip
    hint = gradebook.tokens(log_in(account("jan.nowak")))["id_token"]
    page = log_out(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER)

    assert page.status_code == 200
    assert is_logged_in(gradebook, visitor)


def test_a_hint_made_of_a_logout_token_or_signed_by_another_is_none_of_ours(
    gradebook: Application, visitor: FlaskClient
) -> None:
    hint = gradebook.tokens(visitor)["id_token"]
    header, body, signature = hint.split(".")
    forged = f"{header}.{body}.{signature[:-4]}AAAA"

    assert log_out(visitor, id_token_hint=forged, post_logout_redirect_uri=AFTER).status_code == 200
    assert is_logged_in(gradebook, visitor)


def test_a_post_by_another_site_is_sent_round_as_get(gradebook: Application, visitor: FlaskClient) -> None:
    hint = gradebook.tokens(visitor)["id_token"]
    sent = visitor.post("/logout", data={"id_token_hint": hint, "post_logout_redirect_uri": AFTER})

    assert sent.status_code == 303
    assert visitor.get(sent.location).location == AFTER


def test_a_forged_form_logs_nobody_out(gradebook: Application, visitor: FlaskClient) -> None:
    response = visitor.post("/logout", data={"csrf_token": "k1.AAAA"})

    assert response.status_code == 400
    assert is_logged_in(gradebook, visitor)


def test_lo5_the_old_cookie_is_worth_nothing_after_log_out(gradebook: Application, visitor: FlaskClient) -> None:
    cookie = visitor.get_cookie("idp_session")
    assert cookie is not None
    log_out(visitor, id_token_hint=gradebook.tokens(visitor)["id_token"])
    assert visitor.get_cookie("idp_session") is None
    visitor.set_cookie("idp_session", cookie.value)

    assert not is_logged_in(gradebook, visitor)


def test_every_application_that_took_part_is_owed_one_notice_even_at_hour_three(
    gradebook: Application, new_application: NewApplication, visitor: FlaskClient, travel: Travel
) -> None:
    east = new_application("Maine East", backchannel_logout_uri="https://east.example/backchannel-logout")
    quiet = new_application("No address")
    hint = gradebook.tokens(visitor)["id_token"]
    for application in (east, east, quiet):
        application.tokens(visitor)
    with travel(timedelta(hours=3)):
        log_out(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER)
        log_out(visitor, id_token_hint=hint, post_logout_redirect_uri=AFTER)
    owed = db.session.query(LogoutNotice).all()

    assert {notice.client_pk for notice in owed} == {gradebook.registered.id, east.registered.id}
    assert len(owed) == 2


def test_a_session_that_runs_out_by_time_sends_nothing(
    gradebook: Application, visitor: FlaskClient, travel: Travel
) -> None:
    gradebook.tokens(visitor)
    with travel(timedelta(hours=13)):
        assert not is_logged_in(gradebook, visitor)

    assert db.session.query(LogoutNotice).count() == 0


def test_a_logout_token_says_who_and_which_session_and_has_no_nonce(
    app: Flask, gradebook: Application, visitor: FlaskClient
) -> None:
    tokens = gradebook.tokens(visitor)
    id_token = gradebook.claims(tokens["id_token"])
    log_out(visitor, id_token_hint=tokens["id_token"])
    notice = db.session.query(LogoutNotice).one()
    client = registry.find(gradebook.registered.client_id)
    assert client is not None

    published = KeySet.import_key_set(app.test_client().get("/oauth/jwks").get_json())
    token = jwt.decode(logout_token(notice, client, clock.now()), published, algorithms=ALGORITHMS)
    claims: dict[str, Any] = token.claims

    assert token.header["typ"] == "logout+jwt"
    assert claims["iss"] == id_token["iss"]
    assert claims["aud"] == id_token["aud"]
    assert claims["sub"] == id_token["sub"]
    assert claims["sid"] == id_token["sid"]
    assert claims["events"] == {EVENT: {}}
    assert claims.keys() >= {"iat", "exp", "jti"}
    assert "nonce" not in claims


@pytest.mark.parametrize("name", ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"])
def test_a_parameter_sent_twice_ends_nothing(gradebook: Application, visitor: FlaskClient, name: str) -> None:
    values = {
        "id_token_hint": gradebook.tokens(visitor)["id_token"],
        "client_id": gradebook.registered.client_id,
        "post_logout_redirect_uri": AFTER,
        "state": "s",
    }
    page = visitor.get("/logout", query_string=[*values.items(), (name, values[name])])

    assert page.status_code == 200
    assert is_logged_in(gradebook, visitor)
