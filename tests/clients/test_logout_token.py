"""The checks of a log-out token: claims as a table of cases, signatures over real HTTP."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from clients.shared import logout_token
from tests.clients.stand_in import CLIENT_ID, CLIENT_SECRET, EVENT, StandIn
from tests.clients.visitor import Visitor

NOW = 1_800_000_000
ISSUER = "https://idp.example.org"
SOUND: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT_ID,
    "iat": NOW,
    "exp": NOW + 120,
    "jti": "j1",
    "events": {EVENT: {}},
    "sub": "s",
    "sid": "x",
}


def test_a_sound_token_is_a_notice() -> None:
    notice = logout_token.check({"typ": "logout+jwt"}, SOUND, issuer=ISSUER, client_id=CLIENT_ID, now=NOW)

    assert notice == logout_token.LogoutNotice(jti="j1", subject="s", sid="x", expires_at=NOW + 120)


@pytest.mark.parametrize("kind", [{}, {"typ": "JWT"}, {"typ": "application/logout+jwt"}, {"typ": "LOGOUT+JWT"}])
def test_the_type_may_be_explicit_old_or_absent(kind: dict[str, str]) -> None:
    verdict = logout_token.check(kind, SOUND, issuer=ISSUER, client_id=CLIENT_ID, now=NOW)

    assert isinstance(verdict, logout_token.LogoutNotice)


@pytest.mark.parametrize("kind", ["at+jwt", "id_token", "", None, 7, ["logout+jwt"]])
def test_a_token_of_another_type_counts_for_nothing(kind: object) -> None:
    verdict = logout_token.check({"typ": kind}, SOUND, issuer=ISSUER, client_id=CLIENT_ID, now=NOW)

    assert isinstance(verdict, logout_token.Invalid)


WITHOUT = "this claim is taken away"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://other.example.org"),
        ("iss", WITHOUT),
        ("aud", "another"),
        ("aud", ["another"]),
        ("aud", {CLIENT_ID: 1}),
        ("aud", WITHOUT),
        ("iat", NOW + 600),
        ("iat", NOW - 86400),
        ("iat", str(NOW)),
        ("iat", True),
        ("iat", float("nan")),
        ("iat", WITHOUT),
        ("exp", NOW - 600),
        ("exp", float("inf")),
        ("exp", WITHOUT),
        ("events", {}),
        ("events", {"http://schemas.openid.net/event/other": {}}),
        ("events", {EVENT: {}, "http://schemas.openid.net/event/other": {}}),
        ("events", {EVENT: True}),
        ("events", {EVENT: []}),
        ("events", [EVENT]),
        ("events", EVENT),
        ("events", WITHOUT),
        ("nonce", "n"),
        ("nonce", None),
        ("jti", ""),
        ("jti", 5),
        ("jti", WITHOUT),
        ("sub", ""),
        ("sub", 5),
        ("sub", None),
        ("sid", ["x"]),
        ("sid", "x" * 5000),
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_counts_for_nothing(claim: str, value: object) -> None:
    claims = {name: kept for name, kept in (SOUND | {claim: value}).items() if kept is not WITHOUT}
    verdict = logout_token.check({}, claims, issuer=ISSUER, client_id=CLIENT_ID, now=NOW)

    assert isinstance(verdict, logout_token.Invalid)


def test_a_token_must_name_a_session_or_a_person() -> None:
    claims = {name: value for name, value in SOUND.items() if name not in {"sub", "sid"}}

    assert isinstance(logout_token.check({}, claims, issuer=ISSUER, client_id=CLIENT_ID, now=NOW), logout_token.Invalid)


def test_an_audience_list_with_us_in_it_is_enough() -> None:
    claims = SOUND | {"aud": ["another", CLIENT_ID]}
    verdict = logout_token.check({}, claims, issuer=ISSUER, client_id=CLIENT_ID, now=NOW)

    assert isinstance(verdict, logout_token.LogoutNotice)


def forged(provider: StandIn, strangers_key: RSAKey, how: str) -> str:
    token = provider.logout_token()
    head, payload, signature = token.split(".")
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, "jti": "f", "sid": "s1", "events": {EVENT: {}}}
    match how:
        case "unsigned":
            return f"eyJhbGciOiJub25lIn0.{payload}."
        case "signature left out":
            return f"{head}.{payload}."
        case "signed with the client secret":
            return provider.sign_with_secret(claims, CLIENT_SECRET)
        case "signed with the public key as a secret":
            return provider.sign_with_secret(claims, provider.key.as_pem(private=False).decode())
        case "signed by a stranger":
            return StandIn(provider.issuer, strangers_key).logout_token()
        case "signed by a stranger under a new name":
            return StandIn(provider.issuer, strangers_key, key_id="new").logout_token()
        case "payload exchanged":
            return f"{head}.{provider.logout_token(sid='s2').split('.')[1]}.{signature}"
        case "deep":
            return provider.sign(claims | {"x": json.loads("[" * 900 + "]" * 900)})
    return how


@pytest.mark.parametrize(
    "how",
    [
        "unsigned",
        "signature left out",
        "signed with the client secret",
        "signed with the public key as a secret",
        "signed by a stranger",
        "signed by a stranger under a new name",
        "payload exchanged",
        "deep",
        "",
        "a.b.c",
        "żółw",
        "....",
        "x" * 60_000,
    ],
    ids=lambda how: how[:40],
)
def test_a_forged_log_out_token_ends_nothing(
    visitor: Visitor, provider: StandIn, strangers_key: RSAKey, how: str
) -> None:
    visitor.log_in(sid="s1")
    answer = visitor.back_channel(forged(provider, strangers_key, how))

    assert answer.status == 400
    assert json.loads(answer.html)["error"] == "invalid_request"
    assert answer.headers["Cache-Control"] == "no-store"
    assert visitor.is_logged_in()


def test_no_token_or_two_are_refused(visitor: Visitor, provider: StandIn) -> None:
    both = [provider.logout_token(), provider.logout_token()]

    assert visitor.post("/backchannel-logout").status == 400
    assert visitor.post("/backchannel-logout", data={"logout_token": both}).status == 400


def test_an_id_token_does_not_pass_as_a_log_out_token(visitor: Visitor, provider: StandIn) -> None:
    visitor.log_in(sid="s1")
    claims = provider.codes["code-0"][1]

    assert visitor.back_channel(provider.sign(claims)).status == 400
    assert visitor.is_logged_in()


def test_made_up_key_names_do_not_make_us_ask_the_provider_over_and_over(visitor: Visitor, provider: StandIn) -> None:
    visitor.log_in()
    for number in range(20):
        visitor.back_channel(provider.logout_token(header={"kid": f"made-up-{number}"}))

    assert provider.asked.count("/jwks") <= 2


def test_a_log_out_signed_with_a_new_key_is_believed(
    visitor: Visitor, provider: StandIn, strangers_key: RSAKey, pass_time: Callable[[float], None]
) -> None:
    visitor.log_in(sid="s1")
    provider.key, provider.key_id = strangers_key, "second"
    pass_time(30)

    assert visitor.back_channel(provider.logout_token()).status == 200
    assert not visitor.is_logged_in()


def test_a_key_that_the_provider_withdrew_is_forgotten_in_a_quarter_of_an_hour(
    visitor: Visitor, provider: StandIn, strangers_key: RSAKey, pass_time: Callable[[float], None]
) -> None:
    visitor.log_in(sid="s1")
    stolen = StandIn(provider.issuer, provider.key, provider.key_id)
    provider.key, provider.key_id = strangers_key, "second"
    pass_time(16 * 60)

    assert visitor.back_channel(stolen.logout_token()).status == 400
    assert visitor.is_logged_in()
