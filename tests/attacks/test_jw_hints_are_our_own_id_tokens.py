"""Rows JW1, JW3, JW5, JW7 and JW11 where tokens come from outside: id_token_hint, and client_assertion."""

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from idp import clock
from idp.oidc import keys
from tests.attacks.conftest import checked
from tests.oidc.conftest import Application, query_of

_AFTER = "https://lunch.example/logged-out"

Claims = dict[str, Any]
Forge = Callable[[str, Claims, Claims], str]
"""Makes a hint from a good token, its header and its claims."""


def _part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read(token: str, part: int) -> Claims:
    text = token.split(".")[part]
    content: Claims = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return content


def _headed(**changes: Any) -> Forge:
    """Return the good token under another header, with its signature."""
    return lambda token, header, _claims: ".".join([_part(header | changes), *token.split(".")[1:]])


def _unsigned(**changes: Any) -> Forge:
    return lambda _token, header, claims: f"{_part(header | changes)}.{_part(claims)}."


def _signed_by_us(header: Claims | None = None, **claims: Any) -> Forge:
    """Return a token that the provider's own key has signed, but that is no ID token of ours."""

    def forge(_token: str, before: Claims, good: Claims) -> str:
        signer = keys.ring(clock.now()).signers["RS256"]
        return jwt.encode(before | (header or {}), good | claims, signer.key, ["RS256"])

    return forge


def _signed_by_the_public_key(_token: str, header: Claims, claims: Claims) -> str:
    """Take the published key for the secret of an HMAC (RFC 8725 section 2.1)."""
    content = f"{_part(header | {'alg': 'HS256'})}.{_part(claims)}"
    key = keys.ring(clock.now()).signers["RS256"].key
    assert isinstance(key, RSAKey)
    public = key.as_pem(private=False)
    return f"{content}.{_part(hmac.digest(public, content.encode(), 'sha256'))}"


def _signed_by_another(_token: str, header: Claims, claims: Claims) -> str:
    return jwt.encode(header, claims, RSAKey.generate_key(2048), ["RS256"])


def _signed_by_the_key_it_brings(_token: str, header: Claims, claims: Claims) -> str:
    own = ECKey.generate_key("P-256")
    return jwt.encode({"alg": "ES256", "jwk": own.as_dict(private=False)}, claims, own, ["ES256"])


_FORGERIES: dict[str, Forge] = {
    "JW1 none": _unsigned(alg="none"),
    "JW1 None": _unsigned(alg="None"),
    "JW1 nOnE": _unsigned(alg="nOnE"),
    "JW1 none with a signature": _headed(alg="none"),
    "JW1 no algorithm": _headed(alg=None),
    "JW1 a list of algorithms": _headed(alg=["RS256"]),
    "JW1 HMAC": _headed(alg="HS256"),
    "JW1 HMAC by the public key": _signed_by_the_public_key,
    "JW1 another algorithm": _headed(alg="ES256"),
    "JW1 encryption": _headed(alg="dir", enc="A128GCM"),
    "JW3 another key": _signed_by_another,
    "JW3 a key in the header": _signed_by_the_key_it_brings,
    "JW3 a certificate in the header": _headed(x5c=["AAAA"]),
    "JW3 an address of keys": _headed(jku="https://evil.example/keys"),
    "JW3 an unknown key": _headed(kid="nobody's"),
    "JW3 a key that is no name": _headed(kid={"a": []}),
    "JW5 unknown and critical": _headed(crit=["x"], x=1),
    "JW5 critical, but no list": _headed(crit=1),
    "JW5 not encoded": _headed(b64=False, crit=["b64"]),
    "JW7 another issuer": _signed_by_us(iss="https://evil.example"),
    "JW7 no issuer": _signed_by_us(iss=None),
    "JW7 an audience that is a list": _signed_by_us(aud=["a", "b"]),
    "JW7 a subject that is a number": _signed_by_us(sub=7),
    "JW7 no session": _signed_by_us(sid=None),
    "JW7 a log-out token": _signed_by_us({"typ": "logout+jwt"}),
    "JW7 a type that is a list": _headed(typ=["JWT"]),
    "JW11 many dots": lambda *_: "." * 8000,
    "JW11 five parts": lambda token, *_: f"{token}.a.b",
    "JW11 two parts": lambda token, *_: token.rpartition(".")[0],
    "JW11 nested deeply": lambda token, *_: f"{_part(b'[' * 3000)}.{token.partition('.')[2]}",
    "JW11 a header that is a list": lambda token, *_: f"{_part([])}.{token.partition('.')[2]}",
    "JW11 a header that is no JSON": lambda token, *_: _part(b"\xff{") + "." + token.partition(".")[2],
    "JW11 no base64": lambda token, *_: token.replace(".", ".\xe9", 1),
    "JW14 one letter less": lambda token, *_: token[:-1],
}  # fmt: skip


@pytest.mark.one_database
@pytest.mark.parametrize("kind", _FORGERIES)
def test_jw_a_hint_that_is_not_our_id_token_names_nobody(
    new_application: Callable[..., Application], visitor: FlaskClient, kind: str
) -> None:
    application = new_application(post_logout_redirect_uris=[_AFTER])
    good: str = application.tokens(visitor)["id_token"]
    hint = _FORGERIES[kind](good, _read(good, 0), _read(good, 1))
    started = time.process_time()

    silent = checked(application.authorize(visitor, prompt="none", id_token_hint=hint))
    log_out = checked(visitor.get("/logout", query_string={"id_token_hint": hint, "post_logout_redirect_uri": _AFTER}))

    assert query_of(silent)["error"] == "login_required"
    assert log_out.status_code == 200
    assert "Log out?" in log_out.text
    assert time.process_time() - started < 2
    assert "code" in query_of(application.authorize(visitor, prompt="none", id_token_hint=good))


@pytest.mark.one_database
@pytest.mark.parametrize("size", [10_000, 60_000])
def test_jw11_a_hint_that_is_far_too_long_is_refused_at_once(
    application: Application, visitor: FlaskClient, size: int
) -> None:
    started = time.process_time()

    assert (
        query_of(application.authorize(visitor, prompt="none", id_token_hint="a." * (size // 2)))["error"]
        == "invalid_request"
    )
    assert checked(visitor.get("/logout", query_string={"id_token_hint": "a." * (size // 2)})).status_code == 200
    assert checked(visitor.post("/logout", data={"id_token_hint": "a." * (size // 2)})).status_code in {303, 413}
    assert time.process_time() - started < 2


@pytest.mark.one_database
@pytest.mark.parametrize("form", ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "x", ""])
def test_jw1_an_assertion_is_no_proof_of_an_application(
    application: Application, visitor: FlaskClient, form: str
) -> None:
    code = application.code(visitor)
    application.auth_method = "none"
    claims = {
        "iss": application.registered.client_id,
        "sub": application.registered.client_id,
        "aud": "http://localhost:5000",
    }
    answer = application.redeem(
        code, client_assertion=f"{_part({'alg': 'none'})}.{_part(claims)}.", client_assertion_type=form
    )

    assert checked(answer).status_code == 401
    assert answer.get_json()["error"] == "invalid_client"
