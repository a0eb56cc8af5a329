"""Rows IN1, IN3 and HP6: whatever stands in whatever parameter of whatever page is refused or ignored."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.attacks.conftest import CALLBACK, Door, Intruder, checked
from tests.factories import Person, Registered
from tests.oidc.conftest import Application

_PARAMETERS = (
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age",
    "code_challenge", "code_challenge_method", "id_token_hint", "login_hint", "request", "request_uri", "registration",
    "acr_values", "display", "ui_locales", "claims", "code", "code_verifier", "grant_type", "client_secret",
    "client_assertion", "client_assertion_type", "access_token", "refresh_token", "post_logout_redirect_uri",
    "logout_hint", "return_to", "next", "username", "password", "shared_computer", "new_password", "current_password",
    "decision", "choice", "q", "page", "done", "show", "v", "client_name", "description", "owner", "redirect_uris",
    "post_logout_redirect_uris", "scope_profile", "token_endpoint_auth_method", "id_token_signed_response_alg",
    "require_pkce", "initiate_login_uri", "backchannel_logout_uri", "client_uri", "logo_uri", "policy_uri", "tos_uri",
    "contacts", "form_token", "revision", "typed_name", "old_ends_now", "_method", "__proto__",
    "topic", "name", "relationship", "student_name", "school", "phone", "email", "language", "best_time", "summary",
    "website", "number", "contact", "continue",
)  # fmt: skip

_VALUES = {
    "nothing": "",
    "NUL": "a%00b",
    "no UTF-8": "%ff%fe%c0%80",
    "half a character": "%ED%A0%80",
    "line breaks": "%0d%0aLocation:%20https://evil.example%0d%0a",
    "markup": "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%7B%7B7*7%7D%7D",
    "a statement": "'%20OR%201=1;--%25_",
    "an address": "https://evil.example/%5C@%09",
    "a number beyond all columns": "9" * 60,
    "a list": "%5B%5D%7B%7D",
    "no escape": "%zz%",
    "a path": "../../../../etc/passwd",
    "writing turned round": "%E2%80%AE%F0%9F%92%A3%EF%B7%BA",
    "very long": "A" * 900,
}


def _sent(value: str) -> str:
    """Return all parameters with one value, escaped as no browser would."""
    return "&".join(f"{name}={value}" for name in _PARAMETERS)


def _try(intruder: Intruder, door: Door, value: str, before: str = "") -> None:
    """Send one value in every parameter, in the address and in a form."""
    if "GET" in door.methods:
        intruder.send("GET", door.path, query_string=before + _sent(value))
    if "POST" in door.methods:
        form = f"{before}csrf_token={intruder.csrf_token}&{_sent(value)}".encode()
        intruder.send("POST", door.path, data=form, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize("kind", _VALUES)
def test_in1_a_stranger_breaks_no_door(doors: list[Door], stranger: Intruder, kind: str) -> None:
    for door in doors:
        _try(stranger, door, _VALUES[kind])


@pytest.mark.parametrize("kind", _VALUES)
def test_in1_an_admin_breaks_no_door(
    doors: list[Door], new_insider: Callable[[Person], Intruder], admin: Person, kind: str
) -> None:
    insider = new_insider(admin)
    for door in sorted(doors, key=lambda door: door.path == "/logout"):
        if not door.is_file:
            _try(insider, door, _VALUES[kind])


@pytest.mark.one_database
@pytest.mark.parametrize("kind", _VALUES)
def test_in1_what_stands_in_place_of_a_sealed_request_opens_nothing(
    doors: list[Door], stranger: Intruder, new_insider: Callable[[Person], Intruder], parent: Person, kind: str
) -> None:
    insider = new_insider(parent)
    for door in doors:
        if door.endpoint.startswith(("login.", "oidc.")) and door.path != "/logout":
            for start in ("", "p.", "k1."):
                for intruder in (stranger, insider):
                    _try(intruder, door, "", f"continue={start}{_VALUES[kind]}&")


@pytest.mark.parametrize("kind", _VALUES)
def test_hp6_one_odd_parameter_of_an_authorization_request_gives_a_code_a_page_or_an_error(
    application: Application, visitor: FlaskClient, kind: str
) -> None:
    right = {**application.parameters(), "redirect_uri": CALLBACK}
    for name in (*_PARAMETERS, *right):
        spoilt = "&".join(
            f"{key}={_VALUES[kind] if key == name else given}" for key, given in (right | {name: ""}).items()
        )
        for sent in (spoilt, f"{spoilt}&{name}={_VALUES[kind]}"):
            checked(visitor.get("/oauth/authorize", query_string=sent), (name, kind))


@pytest.mark.parametrize("kind", _VALUES)
def test_hp6_one_odd_field_of_a_token_request_is_an_error_of_the_protocol(
    application: Application, registered: Registered, kind: str
) -> None:
    client = application.app.test_client()
    right = {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": "v" * 43}
    right |= {"client_id": registered.client_id, "client_secret": registered.secret or ""}
    for name in right:
        form = "&".join(f"{key}={_VALUES[kind] if key == name else given}" for key, given in right.items()).encode()
        answer = checked(client.post("/oauth/token", data=form, content_type="application/x-www-form-urlencoded"), name)

        assert answer.status_code in {400, 401, 429}
        assert answer.get_json()["error"] in {
            "invalid_request", "invalid_client", "invalid_grant", "unsupported_grant_type", "temporarily_unavailable",
        }  # fmt: skip
