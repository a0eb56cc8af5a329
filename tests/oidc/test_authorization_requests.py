"""A malformed request: told to the application at its address, or to the person at ours (ATTACKS RU, HP, CO, RO)."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.clients import registry
from idp.oidc import authorization_request
from idp.oidc.authorization_request import Invalid
from tests.oidc.conftest import Application, query_of

NewApplication = Callable[..., Application]

FOREIGN = [
    "https://evil.example/",
    "https://lunch.example@evil.example/callback",
    "https://evil\\@lunch.example/callback",
    "https://lunch.example%2eevil/callback",
    "https://lunch.example/callback/",
    "https://lunch.example/callback?x=1",
    "https://lunch.example/callback#x",
    "https://LUNCH.example/callback",
    "http://lunch.example/callback",
    "https://lunch.example:443/callback",
    "https://lunch.example/callback\r\nX: y",
    "https://lunch.example/../callback",
    "javascript:alert(1)",
    "//lunch.example/callback",
    " https://lunch.example/callback",
    "",
    "a" * 5000,
]


def is_refused_here(response: TestResponse) -> bool:
    """Tell whether a request ended on a page of ours, with no way on."""
    return (
        response.status_code == 400
        and "Location" not in response.headers
        and "Authorization request failed" in response.text
    )


@pytest.mark.parametrize("redirect_uri", FOREIGN)
def test_ru1_ru3_an_address_that_is_not_registered_gets_no_redirect(
    application: Application, visitor: FlaskClient, redirect_uri: str
) -> None:
    assert is_refused_here(application.authorize(visitor, redirect_uri=redirect_uri))


def test_ru5_the_address_must_be_sent(application: Application, visitor: FlaskClient) -> None:
    assert is_refused_here(application.authorize(visitor, redirect_uri=None))


@pytest.mark.parametrize(
    "changes",
    [{"response_type": "token"}, {"response_type": None}, {"scope": "bogus"}, {"prompt": "none"}, {"prompt": "bogus"},
     {"request": "x"}, {"request_uri": "https://x"}, {"max_age": "-1"}, {"code_challenge": None}],
)  # fmt: skip
def test_ru7_whatever_else_is_wrong_a_foreign_address_gets_no_redirect(
    application: Application, visitor: FlaskClient, changes: dict[str, str | None]
) -> None:
    assert is_refused_here(application.authorize(visitor, redirect_uri="https://evil.example/", **changes))


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_ru7_an_address_or_application_sent_twice_gets_no_redirect(
    application: Application, visitor: FlaskClient, name: str
) -> None:
    twice = [*application.parameters().items(), (name, application.parameters()[name])]

    assert is_refused_here(visitor.get(f"/oauth/authorize?{urlencode(twice)}"))


@pytest.mark.parametrize("client_id", [None, "", "nobody", "x" * 5000, "\x00", "é"])
def test_an_unknown_application_gets_no_redirect(
    application: Application, visitor: FlaskClient, client_id: str | None
) -> None:
    assert is_refused_here(application.authorize(visitor, client_id=client_id))


@pytest.mark.parametrize(
    "name",
    ["response_type", "scope", "state", "nonce", "prompt", "max_age", "code_challenge", "code_challenge_method"],
)
def test_hp1_a_parameter_sent_twice_is_refused(application: Application, visitor: FlaskClient, name: str) -> None:
    values = application.parameters(prompt="login", max_age="10")
    answer = query_of(visitor.get(f"/oauth/authorize?{urlencode([*values.items(), (name, values[name])])}"))

    assert answer["error"] == "invalid_request"
    assert answer["iss"] == "http://localhost:5000"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": 'c"ode'}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "profile email"}, "invalid_scope"),
        ({"scope": "x" * 301}, "invalid_request"),
        ({"prompt": "bogus"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "abc"}, "invalid_request"),
        ({"max_age": "1e9"}, "invalid_request"),
        ({"max_age": "\u0661"}, "invalid_request"),
        ({"nonce": "x" * 301}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://lunch.example/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_told_to_the_application(
    application: Application, visitor: FlaskClient, changes: dict[str, str | None], error: str
) -> None:
    """Rows CP5, CO10, HP6 and RO1."""
    response = application.authorize(visitor, **changes)
    answer = query_of(response)

    assert response.location.startswith(f"{application.registered.redirect_uri}?")
    assert answer["error"] == error
    assert answer["state"] == application.state
    assert answer["iss"] == "http://localhost:5000"
    assert "code" not in answer
    assert all(0x20 <= ord(character) <= 0x7E and character not in '"\\' for character in answer["error_description"])


def test_hp6_a_state_of_5000_characters_comes_back_whole_with_an_error(
    application: Application, visitor: FlaskClient
) -> None:
    answer = query_of(application.authorize(visitor, state="s" * 5000))

    assert answer["error"] == "invalid_request"
    assert answer["state"] == "s" * 5000


@pytest.mark.parametrize("state", ["a b&c=d#e%f", "żółć", "<script>", '"\\', "x" * 2048, "+", "\r\nX: y"])
def test_state_comes_back_exactly(application: Application, visitor: FlaskClient, state: str) -> None:
    response = application.authorize(visitor, state=state)

    assert query_of(response)["state"] == state
    assert "\n" not in response.location


def test_a_registered_address_keeps_its_query(new_application: NewApplication, visitor: FlaskClient) -> None:
    application = new_application(redirect_uris=["https://lunch.example/cb?tenant=207"])
    response = application.authorize(visitor, redirect_uri="https://lunch.example/cb?tenant=207")

    assert query_of(response)["tenant"] == "207"
    assert query_of(response)["code"]


def test_co7_an_unknown_scope_is_dropped_and_a_scope_not_allowed_is_not_granted(
    new_application: NewApplication, visitor: FlaskClient
) -> None:
    application = new_application(scope="openid profile")
    tokens = application.tokens(visitor, scope="openid email profile admin offline_access")

    assert tokens["scope"] == "openid profile"


def test_hd3_no_other_origin_may_read_the_authorization_endpoint(application: Application, app: Flask) -> None:
    response = app.test_client().get(
        f"/oauth/authorize?{urlencode(application.parameters())}", headers={"Origin": "https://evil.example"}
    )

    assert "Access-Control-Allow-Origin" not in response.headers


def test_ds1_the_longest_request_fits_into_an_address_and_goes_on(application: Application, app: Flask) -> None:
    anonymous = app.test_client()
    response = application.authorize(anonymous, state="ż" * 1024, nonce="n" * 300, login_hint="x" * 100)

    assert response.status_code == 303
    assert len(response.location) < 6000
    assert anonymous.get(f"/oauth/authorize/continue?{response.location.split('?')[1]}").status_code == 303


@pytest.mark.parametrize(("name", "value"), [("state", "ż" * 1025), ("nonce", "ż" * 151), ("login_hint", "ż" * 51)])
def test_ds1_a_parameter_is_measured_in_bytes(application: Application, app: Flask, name: str, value: str) -> None:
    answer = query_of(application.authorize(app.test_client(), **{name: value}))

    assert answer["error"] == "invalid_request"
    assert answer["state"] == (value if name == "state" else application.state)


@pytest.mark.one_database
def test_half_a_character_is_no_nonce_however_it_came(application: Application) -> None:
    """No request over HTTP can bring one, and a code could not hold it."""
    asked = {name: [value] for name, value in application.parameters(nonce="half \ud83d").items()}

    judged = authorization_request.parse(asked, registry.find)

    assert isinstance(judged, Invalid)
    assert judged.error == "invalid_request"
