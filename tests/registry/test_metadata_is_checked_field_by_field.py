"""Every field of an application's metadata has its rule and its sentence (ATTACKS RU9, RO6, IN3, IN5, IN6)."""

from typing import Any

import pytest
from flask import Flask

from idp.clients.validation import ClientMetadata, Problem, validate

GOOD = {"client_name": "Lunch", "redirect_uris": ["https://lunch.example/callback"]}
ADDRESS_FIELDS = ["client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri", "backchannel_logout_uri"]
WRONG_TYPES: list[Any] = [1, 1.5, True, b"x", {"a": "b"}, ["x", 1], object()]


def problems(**changes: object) -> list[Problem]:
    found = validate(GOOD | changes)
    assert isinstance(found, list), found
    return found


def accepted(**changes: object) -> ClientMetadata:
    found = validate(GOOD | changes)
    assert isinstance(found, ClientMetadata), found
    return found


def test_what_is_left_out_has_a_safe_default(production: Flask) -> None:
    found = accepted()

    assert found.token_endpoint_auth_method == "client_secret_basic"
    assert found.id_token_signed_response_alg == "RS256"
    assert found.scopes == ("openid", "profile", "email")
    assert found.require_pkce
    assert found.backchannel_logout_session_required
    assert found.post_logout_redirect_uris == found.contacts == ()
    assert found.client_uri is found.logo_uri is found.backchannel_logout_uri is None


def test_nothing_at_all_names_each_field_that_is_missing(production: Flask) -> None:
    found = validate({})

    assert isinstance(found, list)
    assert {problem.field for problem in found} == {"client_name", "redirect_uris"}


def test_what_nobody_knows_is_ignored(production: Flask) -> None:
    extra = {"trusted": True, "first_party": True, "client_id": "x", "client_secret": "y", "skip_consent": 1}

    assert accepted(**extra) == accepted()


@pytest.mark.parametrize("field", [*GOOD, *ADDRESS_FIELDS, "post_logout_redirect_uris", "contacts", "description"])
@pytest.mark.parametrize("value", WRONG_TYPES, ids=lambda value: type(value).__name__)
def test_a_value_of_another_type_is_refused(production: Flask, field: str, value: object) -> None:
    assert [problem.field for problem in problems(**{field: value})] == [field]


@pytest.mark.parametrize("field", ["scope", "token_endpoint_auth_method", "id_token_signed_response_alg"])
@pytest.mark.parametrize("value", [1, True, ["openid"], {"a": 1}], ids=repr)
def test_a_choice_of_another_type_is_refused(production: Flask, field: str, value: object) -> None:
    assert [problem.field for problem in problems(**{field: value})] == [field]


@pytest.mark.parametrize("field", ["require_pkce", "backchannel_logout_session_required"])
@pytest.mark.parametrize("value", ["true", 1, 0, [], ""], ids=repr)
def test_yes_or_no_is_a_boolean(production: Flask, field: str, value: object) -> None:
    assert [problem.field for problem in problems(**{field: value})] == [field]


def test_a_text_is_no_list_of_addresses(production: Flask) -> None:
    found = problems(redirect_uris="https://lunch.example/callback")

    assert [problem.field for problem in found] == ["redirect_uris"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * 101,
        "Lunch\r\nBcc: x@evil.example",
        "Lunch\x00",
        "Lunch\x1b[31m",
        "Lunch\u202egnihtyreve",
        "Lunch\u2066x",
        "Lunch\u200b",
        "Lunch\ufeff",
        "Lunch\u2028x",
        "Lunch\ud800",
        "Lunch\ue000",
        "\u200d",
        "---",
    ],
    ids=ascii,
)
def test_a_name_that_shows_as_something_else_is_refused(production: Flask, name: str) -> None:
    assert [problem.field for problem in problems(client_name=name)] == ["client_name"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Lunch  ", "Lunch"),
        ("Maine East: Café & Co. 2", "Maine East: Café & Co. 2"),
        ("Cafe\u0301", "Café"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_trimmed_and_composed_and_nothing_else(production: Flask, typed: str, kept: str) -> None:
    assert accepted(client_name=typed).client_name == kept


@pytest.mark.parametrize("field", ADDRESS_FIELDS)
@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "http://lunch.example/",
        "com.example.app:/x",
        "https://user@lunch.example/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        'https://lunch.example/"><img src=x onerror=alert(1)>',
        "https://lunch.example/\r\nx",
        "https://lunch.example/" + "x" * 400,
        "nonsense",
    ],
)
def test_an_address_that_nobody_should_open_is_refused(production: Flask, field: str, uri: str) -> None:
    assert [problem.field for problem in problems(**{field: uri})] == [field]


@pytest.mark.parametrize("field", ADDRESS_FIELDS)
def test_an_address_that_is_empty_is_none(production: Flask, field: str) -> None:
    assert getattr(accepted(**{field: ""}), field) is None


@pytest.mark.parametrize(
    "uri",
    [
        "https://localhost/out",
        "https://[::1]/out",
        "https://gradebook/out",
        "https://gradebook.local/out",
        "https://metadata.google.internal/out",
        "https://printer.lan/out",
        "https://169.254.169.254/latest/meta-data",
        "https://lunch.example/out#x",
        "http://localhost:5001/out",
    ],
)
def test_a_log_out_message_goes_to_no_inner_server(production: Flask, uri: str) -> None:
    assert [problem.field for problem in problems(backchannel_logout_uri=uri)] == ["backchannel_logout_uri"]


def test_a_log_out_message_goes_to_a_public_server(production: Flask) -> None:
    uri = "https://lunch.example:8443/out?tenant=207"

    assert accepted(backchannel_logout_uri=uri).backchannel_logout_uri == uri


@pytest.mark.parametrize("uri", ["http://localhost:5002/out", "http://localhost/out", "http://127.0.0.1:5001/out"])
def test_a_log_out_message_goes_where_the_allow_list_says(development: Flask, uri: str) -> None:
    assert accepted(backchannel_logout_uri=uri).backchannel_logout_uri == uri


@pytest.mark.parametrize("uri", ["http://127.0.0.1:5002/out", "https://localhost:5002/out", "http://[::1]:5001/out"])
def test_the_allow_list_is_exact_in_scheme_host_and_port(development: Flask, uri: str) -> None:
    assert [problem.field for problem in problems(backchannel_logout_uri=uri)] == ["backchannel_logout_uri"]


@pytest.mark.parametrize("count", [1, 20])
def test_up_to_twenty_addresses_are_kept_in_their_order(production: Flask, count: int) -> None:
    uris = [f"https://lunch.example/{number}" for number in range(count)]

    assert accepted(redirect_uris=uris).redirect_uris == tuple(uris)


@pytest.mark.parametrize(
    "uris", [[], [f"https://lunch.example/{n}" for n in range(21)], ["https://lunch.example/"] * 2]
)
def test_no_address_or_too_many_or_one_twice_is_refused(production: Flask, uris: list[str]) -> None:
    assert [problem.field for problem in problems(redirect_uris=uris)] == ["redirect_uris"]


@pytest.mark.parametrize("scope", ["openid", "openid email", "email openid profile"])
def test_scopes_are_a_part_of_what_there_is(production: Flask, scope: str) -> None:
    assert set(accepted(scope=scope).scopes) == set(scope.split())


@pytest.mark.parametrize("scope", ["profile", "openid admin", "openid  email", "openid\nemail", "OPENID", " "])
def test_a_scope_that_is_unknown_or_no_log_in_is_refused(production: Flask, scope: str) -> None:
    assert [problem.field for problem in problems(scope=scope)] == ["scope"]


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512", "rs256", "NONE"])
def test_only_strong_asymmetric_signatures_are_offered(production: Flask, alg: str) -> None:
    found = problems(id_token_signed_response_alg=alg)

    assert [problem.field for problem in found] == ["id_token_signed_response_alg"]


@pytest.mark.parametrize("method", ["private_key_jwt", "client_secret_jwt", "NONE", "None", "tls_client_auth"])
def test_only_known_ways_to_prove_oneself_are_offered(production: Flask, method: str) -> None:
    found = problems(token_endpoint_auth_method=method)

    assert [problem.field for problem in found] == ["token_endpoint_auth_method"]


def test_only_an_application_with_a_secret_may_do_without_pkce(production: Flask) -> None:
    found = problems(token_endpoint_auth_method="none", require_pkce=False)

    assert [problem.field for problem in found] == ["require_pkce"]
    assert not accepted(require_pkce=False).require_pkce


@pytest.mark.parametrize(
    "contact", ["x", "x@y", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "<a@b.example>"]
)
def test_a_contact_is_one_email_address(production: Flask, contact: str) -> None:
    assert [problem.field for problem in problems(contacts=[contact])] == ["contacts"]


def test_every_problem_is_told_at_once(production: Flask) -> None:
    found = problems(client_name="", redirect_uris=["x"], scope="x", logo_uri="x", contacts=["x"])

    assert {problem.field for problem in found} == {"client_name", "redirect_uris", "scope", "logo_uri", "contacts"}


def test_a_sentence_shows_what_was_typed_without_its_controls(production: Flask) -> None:
    (problem,) = problems(redirect_uris=["https://x.example/\x1b[31m\u202e" + "y" * 200])

    assert problem.message.isprintable()
    assert len(problem.message) < 250
