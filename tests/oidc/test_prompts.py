"""Prompts, freshness, hints and consent over HTTP (ATTACKS CO)."""

import json
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp import sealing
from idp.clients import service as clients
from idp.clients.models import Client
from idp.database import db
from tests import elements
from tests.factories import Person
from tests.oidc.conftest import Application, query_of

NewApplication = Callable[..., Application]
Travel = Callable[[timedelta], AbstractContextManager[None]]


def press(visitor: FlaskClient, page: TestResponse, **pressed: str) -> TestResponse:
    """Send a page's one form with its hidden fields and a button."""
    form = {
        field.get("name") or "": field.get("value") or ""
        for field in elements.read(page.text).all("input")
        if field.get("type") == "hidden"
    }
    return visitor.post(page.request.path, data=form | pressed)


def consent_page(visitor: FlaskClient, application: Application, **changes: str) -> TestResponse:
    """Send a visitor to an application's request, and return the consent page."""
    return visitor.get(application.authorize(visitor, **changes).location)


def test_co1_a_silent_request_never_shows_a_page(
    new_application: NewApplication, app: Flask, visitor: FlaskClient
) -> None:
    stranger, own = new_application("Lunch", first_party=False), new_application("Gradebook")

    assert query_of(own.authorize(app.test_client(), prompt="none"))["error"] == "login_required"
    assert query_of(stranger.authorize(visitor, prompt="none"))["error"] == "consent_required"
    assert query_of(own.authorize(visitor, prompt="none"))["code"]


def test_a_silent_request_leaves_auth_time_as_it_was(
    application: Application, visitor: FlaskClient, travel: Travel
) -> None:
    first = application.claims(application.tokens(visitor)["id_token"])
    with travel(timedelta(minutes=5)):
        second = application.claims(application.tokens(visitor, prompt="none")["id_token"])
        relaxed = application.claims(application.tokens(visitor, max_age="10000")["id_token"])

    assert first["sub"] == second["sub"]
    assert first["auth_time"] == second["auth_time"] == relaxed["auth_time"]
    assert second["iat"] > first["iat"]


def test_an_id_token_hint_of_the_person_logged_in_is_silent_and_another_is_not(
    application: Application, visitor: FlaskClient, log_in: Callable[[Person], FlaskClient],
    account: Callable[..., Person], travel: Travel,
) -> None:  # fmt: skip
    hint = application.tokens(visitor)["id_token"]
    other = log_in(account("jan.nowak"))

    assert query_of(application.authorize(visitor, prompt="none", id_token_hint=hint))["code"]
    with travel(timedelta(minutes=20)):
        assert query_of(application.authorize(visitor, prompt="none", id_token_hint=hint))["code"]
    refused = query_of(application.authorize(other, prompt="none", id_token_hint=hint))
    assert refused["error"] == "login_required"


@pytest.mark.parametrize("hint", ["x", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", ".".join("x" * 2000), "é"])
def test_rubbish_as_a_hint_names_nobody(application: Application, visitor: FlaskClient, hint: str) -> None:
    assert query_of(application.authorize(visitor, prompt="none", id_token_hint=hint))["error"] == "login_required"


def test_a_strangers_application_is_consented_to_once(new_application: NewApplication, visitor: FlaskClient) -> None:
    lunch = new_application("Lunch", first_party=False, description="To order meals for your child.")
    page = consent_page(visitor, lunch)
    answered = press(visitor, page, decision="allow")

    assert page.status_code == 200
    assert "Allow Lunch?" in page.text
    assert "To order meals for your child." in page.text
    assert "lunch.example" in page.text
    assert "form-action 'self' https://lunch.example;" in page.headers["Content-Security-Policy"]
    assert answered.status_code == 303
    assert lunch.redeem(query_of(answered)["code"]).status_code == 200
    assert query_of(lunch.authorize(visitor))["code"]


def test_refusing_sends_access_denied(new_application: NewApplication, visitor: FlaskClient) -> None:
    lunch = new_application("Lunch", first_party=False)
    answer = query_of(press(visitor, consent_page(visitor, lunch), decision="deny"))

    assert answer["error"] == "access_denied"
    assert answer["state"] == lunch.state
    assert answer["iss"] == "http://localhost:5000"
    assert "code" not in answer


def test_co5_asking_for_more_asks_again(new_application: NewApplication, visitor: FlaskClient) -> None:
    lunch = new_application("Lunch", first_party=False)
    press(visitor, consent_page(visitor, lunch, scope="openid"), decision="allow")

    assert query_of(lunch.authorize(visitor, scope="openid"))["code"]
    assert query_of(lunch.authorize(visitor, scope="openid email", prompt="none"))["error"] == "consent_required"
    assert "the email address" in consent_page(visitor, lunch, scope="openid email").text


def test_what_was_shown_is_what_is_granted(new_application: NewApplication, visitor: FlaskClient) -> None:
    lunch = new_application("Lunch", first_party=False)
    page = consent_page(visitor, lunch, scope="openid")
    answered = press(visitor, page, decision="allow", scope="openid profile email", redirect_uri="https://evil.example")

    assert answered.location.startswith(lunch.registered.redirect_uri)
    assert lunch.redeem(query_of(answered)["code"]).get_json()["scope"] == "openid"


def test_another_person_in_the_same_browser_is_asked_anew(
    new_application: NewApplication, visitor: FlaskClient, log_in: Callable[[Person], FlaskClient],
    account: Callable[..., Person],
) -> None:  # fmt: skip
    lunch = new_application("Lunch", first_party=False)
    page = consent_page(visitor, lunch)
    other = log_in(account("jan.nowak")).get_cookie("idp_session")
    assert other is not None
    visitor.set_cookie("idp_session", other.value)

    answered = press(visitor, page, decision="allow")

    assert answered.location.startswith("/oauth/authorize/continue?")
    assert visitor.get(answered.location).location.startswith("/consent?")


def test_a_consent_page_is_good_for_half_an_hour(
    new_application: NewApplication, visitor: FlaskClient, travel: Travel
) -> None:
    lunch = new_application("Lunch", first_party=False)
    page = consent_page(visitor, lunch)
    with travel(timedelta(minutes=29)):
        visitor.get("/")
    with travel(timedelta(minutes=31)):
        late = press(visitor, page, decision="allow")

    assert late.location.startswith("/oauth/authorize/continue?")


def test_a_sealed_request_is_worthless_in_another_browser(
    new_application: NewApplication, visitor: FlaskClient, log_in: Callable[[Person], FlaskClient],
    account: Callable[..., Person],
) -> None:  # fmt: skip
    lunch = new_application("Lunch", first_party=False)
    stolen = lunch.authorize(visitor).location
    thief = log_in(account("eve"))
    thief.get("/help")
    thief.get(stolen)

    assert thief.get(stolen).status_code == 400


def test_an_application_disabled_while_the_page_was_open_gets_no_code(
    new_application: NewApplication, visitor: FlaskClient
) -> None:
    from idp import clock

    lunch = new_application("Lunch", first_party=False)
    page = consent_page(visitor, lunch)
    clients.disable(db.session.query(Client).filter_by(client_id=lunch.registered.client_id).one(), clock.now())
    db.session.commit()
    answered = press(visitor, page, decision="allow")

    assert answered.status_code == 400
    assert "Location" not in answered.headers


def test_select_account_offers_who_is_logged_in(application: Application, visitor: FlaskClient, parent: Person) -> None:
    page = visitor.get(application.authorize(visitor, prompt="select_account").location)
    going_on = press(visitor, page, choice="continue")

    assert parent.name in page.text
    assert query_of(visitor.get(going_on.location))["code"]


@pytest.mark.parametrize("path", ["/consent", "/select-account", "/oauth/authorize/continue"])
@pytest.mark.parametrize("sealed", ["", "x", "k1.AAAA", "p.x", "é", "x" * 9000])
def test_a_page_without_its_request_says_start_again(visitor: FlaskClient, path: str, sealed: str) -> None:
    visitor.get("/help")
    response = visitor.get(path, query_string={"continue": sealed})

    assert response.status_code == 400
    assert "Location" not in response.headers


def test_a_browser_without_cookies_is_told_so(app: Flask, application: Application) -> None:
    location = application.authorize(app.test_client()).location
    page = app.test_client().get(location)

    assert page.status_code == 400
    assert "cookies" in page.text


def test_being_the_districts_own_is_no_consent_once_it_no_longer_is(
    application: Application, visitor: FlaskClient
) -> None:
    application.tokens(visitor)
    row = db.session.query(Client).filter_by(client_id=application.registered.client_id).one()
    row.first_party, row.revision = False, row.revision + 1
    db.session.commit()

    assert query_of(application.authorize(visitor, prompt="none"))["error"] == "consent_required"


def test_a_request_sealed_by_another_version_is_asked_anew_and_breaks_nothing(
    app: Flask, application: Application, visitor: FlaskClient
) -> None:
    sealed = parse_qs(urlsplit(application.authorize(visitor, prompt="select_account").location).query)["continue"][0]
    body = json.loads(zlib.decompress(sealing.open_sealed("continuation", sealed)))
    for changed in (
        body | {"a_field_of_tomorrow": 1},
        body | {"request": body["request"] | {"a_field_of_tomorrow": 1}},
    ):
        newer = sealing.seal("continuation", zlib.compress(json.dumps(changed).encode()))

        assert visitor.get("/oauth/authorize/continue", query_string={"continue": newer}).status_code == 400
