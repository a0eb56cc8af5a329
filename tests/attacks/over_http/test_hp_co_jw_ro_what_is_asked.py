"""Rows HP1 to HP6, CO1 to CO10, JW1 to JW14 and RO1 to RO3: what is asked oddly gets its error, and never more."""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.attacks.over_http.conftest import CALLBACK, Intruder, Target, basic, right_request
from tests.attacks.over_http.spellings import OTHER_SPELLINGS, spellings
from tests.factories import Registered

_REPEATED = (
    "response_type",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "code_challenge",
    "code_challenge_method",
    "id_token_hint",
    "login_hint",
    "request",
    "request_uri",
    "registration",
    "response_mode",
    "acr_values",
    "display",
    "ui_locales",
    "claims",
)


@pytest.mark.parametrize("name", _REPEATED)
@pytest.mark.parametrize("second", ["same", "other", "empty"])
def test_hp1_a_parameter_comes_once(
    visitor: Intruder, intruder: Intruder, lunch: Registered, name: str, second: str
) -> None:
    pairs = right_request(lunch)
    value = pairs.get(name, "1")
    doubled = [*pairs.items(), *([] if name in pairs else [(name, value)])]
    doubled.append((name, {"same": value, "other": "x", "empty": ""}[second]))
    for who in (visitor, intruder):
        for reply in (who.get("/oauth/authorize", doubled), who.follow(who.post("/oauth/authorize", doubled))):
            assert reply.query["error"] == "invalid_request", (name, reply.location)
            assert reply.query.get("state") == (None if name == "state" else "a state")


@pytest.mark.parametrize("name", ["response_type", "scope", "state", "code_challenge"])
def test_hp1_a_parameter_in_address_and_body_is_read_from_one_of_them(
    visitor: Intruder, lunch: Registered, name: str
) -> None:
    evil = right_request(lunch) | {name: "smuggled"}
    reply = visitor.follow(visitor.send("POST", "/oauth/authorize", evil, right_request(lunch)))

    assert reply.query["code"]
    assert reply.query["state"] == "a state"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
@pytest.mark.parametrize(
    "path", ["/oauth/authorize", "/oauth/token", "/oauth/userinfo", "/oauth/jwks", "/logout", "/login", "/consent"]
)
def test_hp3_no_other_method_does_anything(visitor: Intruder, lunch: Registered, method: str, path: str) -> None:
    reply = visitor.send(method, path, right_request(lunch), right_request(lunch))

    assert reply.status == 405
    assert reply.header("allow")
    assert reply.location == ""


_ODD: dict[str, tuple[dict[str, str | None], str]] = {
    "no scope": ({"scope": None}, "invalid_scope"),
    "an empty scope": ({"scope": ""}, "invalid_scope"),
    "no openid": ({"scope": "profile email"}, "invalid_scope"),
    "openid in capitals": ({"scope": "OPENID"}, "invalid_scope"),
    "openid with a comma": ({"scope": "openid,profile"}, "invalid_scope"),
    "openid in wide letters": ({"scope": "\uff4fpenid"}, "invalid_scope"),
    "a bogus prompt": ({"prompt": "bogus"}, "invalid_request"),
    "prompt none and more": ({"prompt": "none consent"}, "invalid_request"),
    "prompt in capitals": ({"prompt": "NONE"}, "invalid_request"),
    "prompt create": ({"prompt": "create"}, "invalid_request"),
    "max_age -1": ({"max_age": "-1"}, "invalid_request"),
    "max_age abc": ({"max_age": "abc"}, "invalid_request"),
    "max_age 1e9": ({"max_age": "1e9"}, "invalid_request"),
    "max_age of ten digits": ({"max_age": "9999999999"}, "invalid_request"),
    "max_age in other digits": ({"max_age": "\u0661\u0662"}, "invalid_request"),
    "max_age with a space": ({"max_age": " 1"}, "invalid_request"),
    "max_age empty": ({"max_age": ""}, "invalid_request"),
    "no response_type": ({"response_type": None}, "invalid_request"),
    "response_type token": ({"response_type": "token"}, "unsupported_response_type"),
    "response_type id_token": ({"response_type": "id_token"}, "unsupported_response_type"),
    "response_type code token": ({"response_type": "code token"}, "unsupported_response_type"),
    "response_type none": ({"response_type": "none"}, "unsupported_response_type"),
    "response_type with markup": ({"response_type": '"><script>\\'}, "unsupported_response_type"),
    "response_mode form_post": ({"response_mode": "form_post"}, "invalid_request"),
    "response_mode fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "a NUL in the nonce": ({"nonce": "a\0b"}, "invalid_request"),
    "a nonce of 301": ({"nonce": "n" * 301}, "invalid_request"),
    "a state of 5000": ({"state": "s" * 5000}, "invalid_request"),
    "a hint of 9000": ({"id_token_hint": "h" * 9000}, "invalid_request"),
    "a login_hint of 101": ({"login_hint": "h" * 101}, "invalid_request"),
    "RO1 request": ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    "RO1 request empty": ({"request": ""}, "request_not_supported"),
    "RO1 request_uri": ({"request_uri": "https://lunch.example/request.jwt"}, "request_uri_not_supported"),
    "RO1 request_uri within": ({"request_uri": "http://169.254.169.254/latest/"}, "request_uri_not_supported"),
    "RO1 request_uri pushed": ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
    "RO1 registration": ({"registration": "{}"}, "registration_not_supported"),
}


@pytest.mark.parametrize("kind", _ODD)
def test_hp6_ro1_an_odd_request_gets_its_error_with_the_state(
    visitor: Intruder, intruder: Intruder, lunch: Registered, kind: str
) -> None:
    changes, error = _ODD[kind]
    for who in (visitor, intruder):
        reply = who.authorize(lunch, **changes)

        assert reply.location.startswith(f"{CALLBACK}?"), reply
        assert reply.query["error"] == error
        assert reply.query["state"] == changes.get("state", "a state")
        assert reply.query["iss"] == who.target.origin, "CO10"
        assert set(reply.query) == {"error", "error_description", "state", "iss"}
        assert all(" " <= sign <= "~" and sign not in '"\\' for sign in reply.query["error_description"])


@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
def test_hp6_a_state_comes_back_as_it_came(visitor: Intruder, lunch: Registered, spelling: str) -> None:
    if spelling == "raw bytes":
        return  # no URI: the server in front refuses it
    pairs = right_request(lunch, state=None)
    odd = spellings("s/&=?#<\"'")[spelling]
    reply = visitor.get("/oauth/authorize", urlencode(pairs).encode() + b"&state=" + odd)
    echoed = urlencode({"state": reply.query["state"]}).removeprefix("state=")

    assert reply.query["code"]
    assert (
        visitor.get("/oauth/authorize", pairs | {"state": reply.query["state"]}).query["state"] == reply.query["state"]
    )
    assert echoed.isascii()


@pytest.mark.parametrize("prompt", ["none", " none ", "none none"])
@pytest.mark.parametrize("who", ["stranger", "without consent", "too old", "another's hint"])
def test_co1_a_silent_request_shows_no_page(target: Target, visitor: Intruder, prompt: str, who: str) -> None:
    client = target.make_client("Somebody else's", first_party=False)
    browser = target.intruder() if who == "stranger" else visitor
    more = {"too old": {"max_age": "0"}, "another's hint": {"id_token_hint": "x.y.z"}}.get(who, {})
    reply = browser.authorize(client, prompt=prompt, **more)

    assert reply.query["error"] == ("consent_required" if who == "without consent" else "login_required")
    assert reply.query["iss"] == target.origin


@pytest.mark.parametrize(
    "asked", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "login select_account consent"}], ids=str
)
def test_co3_no_code_by_going_back_or_on_without_the_log_in(
    visitor: Intruder, lunch: Registered, asked: dict[str, str]
) -> None:
    time.sleep(0.01)  # or the log-in of the fixture would be of this very moment
    sealed = visitor.authorize(lunch, **asked).query["continue"]
    for path in ("/oauth/authorize/continue", "/consent", "/select-account", "/login"):
        for query in (
            {"continue": sealed},
            {"continue": sealed, "prompt": "none"},
            [("continue", sealed), ("continue", "x")],
        ):
            assert "code=" not in visitor.get(path, query).location
    assert visitor.authorize(lunch).query["code"], "the session is still there"


@pytest.mark.parametrize("decision", ["", "deny", "ALLOW", "allow ", "allow\0", "true", "\uff41llow"])
def test_co5_what_is_no_consent_gives_no_code(target: Target, visitor: Intruder, decision: str) -> None:
    client = target.make_client("Somebody else's", first_party=False)
    page = visitor.follow(visitor.authorize(client))
    form = {"csrf_token": page.hidden("csrf_token"), "continue": page.hidden("continue"), "decision": decision}
    reply = visitor.post("/consent", form)

    assert reply.query["error"] == "access_denied"
    assert visitor.authorize(client, prompt="none").query["error"] == "consent_required"


@pytest.mark.parametrize("more", ["openid email", "openid profile email", "openid profile offline_access email"])
def test_co5_who_asks_for_more_asks_again(target: Target, visitor: Intruder, more: str) -> None:
    client = target.make_client("Somebody else's", first_party=False)
    page = visitor.follow(visitor.authorize(client))
    form = {"csrf_token": page.hidden("csrf_token"), "continue": page.hidden("continue"), "decision": "allow"}
    assert visitor.post("/consent", form).query["code"]

    assert visitor.authorize(client, prompt="none").query["code"]
    assert visitor.authorize(client, prompt="none", scope=more).query["error"] == "consent_required"


@pytest.mark.parametrize(
    "scope", ["openid admin", "openid offline_access phone", "openid OPENID", "openid profile\0", "openid *"]
)
def test_co7_an_unknown_scope_is_never_granted(visitor: Intruder, target: Target, scope: str) -> None:
    client = target.make_client(scope="openid")
    given = json.loads(visitor.redeem(client, visitor.authorize(client, scope=scope).query["code"]).body)

    assert given["scope"] == "openid"
    assert set(json.loads(visitor.userinfo(given["access_token"]).body)) == {"sub"}


def _tokens(visitor: Intruder, lunch: Registered) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(visitor.redeem(lunch, visitor.authorize(lunch).query["code"]).body)
    return given


def _part(content: dict[str, Any] | bytes) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _forgeries(target: Target, good: str) -> dict[str, str]:
    """Return tokens that are not ours, made from one that is."""
    head, body, signature = good.split(".")
    claims = json.loads(urlsafe_b64decode(body + "=="))
    kid = json.loads(urlsafe_b64decode(head + "=="))["kid"]
    stranger = RSAKey.generate_key(2048)
    published = next(
        key for key in json.loads(target.intruder().get("/oauth/jwks").body)["keys"] if key["kty"] == "RSA"
    )

    def signed(header: dict[str, Any], changed: dict[str, Any] | None = None) -> str:
        return jwt.encode({"alg": "RS256", "kid": kid} | header, claims | (changed or {}), stranger)

    none = [f"{_part({'alg': alg, 'kid': kid})}.{body}." for alg in ("none", "None", "nOnE", "NONE", "")]
    return {
        **{f"JW1 none {number}": token for number, token in enumerate(none)},
        "JW1 none with the signature": f"{_part({'alg': 'none', 'kid': kid})}.{body}.{signature}",
        "JW1 HS256 by the public key": jwt.encode(
            {"alg": "HS256", "kid": kid}, claims, OctKey.import_key(published["n"].encode()), algorithms=["HS256"]
        ),
        "JW3 a key within": signed({"jwk": stranger.as_dict(private=False)}),
        "JW3 a key elsewhere": signed({"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"}),
        "JW5 critical": f"{_part({'alg': 'RS256', 'kid': kid, 'crit': ['exp'], 'exp': 1})}.{body}.{signature}",
        "JW5 b64": f"{_part({'alg': 'RS256', 'kid': kid, 'b64': False, 'crit': ['b64']})}.{body}.{signature}",
        "JW7 another issuer": signed({}, {"iss": "https://evil.example"}),
        "JW7 another body": f"{head}.{_part(claims | {'sub': 'x'})}.{signature}",
        "JW7 no number": f"{head}.{_part(json.dumps(claims).replace(str(claims['exp']), 'NaN').encode())}.{signature}",
        "JW11 dots": "." * 4000,
        "JW11 nested": f"{head}.{_part(b'[' * 5000)}.{signature}",
        "JW14 a sign less": good[:-1],
        "JW14 a sign more": good + "A",
        "JW14 other case": good.swapcase(),
        "JW14 padded": f"{head}.{body}.{signature}==",
        "no JSON": f"{_part(b'x')}.{_part(b'y')}.{signature}",
        "no Base64": "ż.\0.%",
        "JSON form": json.dumps({"protected": head, "payload": body, "signature": signature}),
    }


def test_jw1_to_jw14_a_forged_hint_names_nobody_and_a_forged_token_opens_nothing(
    target: Target, lunch: Registered
) -> None:
    visitor = target.visitor()
    good = _tokens(visitor, lunch)
    assert visitor.authorize(lunch, prompt="none", id_token_hint=good["id_token"]).query["code"]
    for kind, forged in _forgeries(target, good["id_token"]).items():
        silent = visitor.authorize(lunch, prompt="none", id_token_hint=forged)
        assert silent.query["error"] == "login_required", kind
        asked = visitor.get("/logout", {"id_token_hint": forged})
        assert (asked.status, asked.location) == (200, ""), kind
        assertion = {
            "client_assertion": forged,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        assert visitor.post("/oauth/token", {"grant_type": "authorization_code", "code": "x", **assertion}).status in {
            400,
            401,
            429,
        }
        token = forged.encode("ascii", "ignore").decode().replace("\0", "")
        assert visitor.userinfo(token).status == 401, kind
        assert visitor.post("/oauth/userinfo", {"access_token": forged}).status == 401, kind
    assert visitor.get("/account").status == 200, "nobody was logged out"
    target.forgive()


@pytest.mark.parametrize("size", [10_000, 60_000])
@pytest.mark.parametrize("sign", [".", "a", "e30.", "\xff"])
def test_jw11_a_huge_token_is_refused(intruder: Intruder, lunch: Registered, size: int, sign: str) -> None:
    huge = sign * (size // len(sign))

    assert intruder.post("/oauth/userinfo", {"access_token": huge}).status in {401, 413}
    assert intruder.post("/logout", {"id_token_hint": huge}).status in {303, 413}
    if size < 20_000 and sign != "\xff":
        assert intruder.userinfo(huge).status == 401
        assert intruder.authorize(lunch, id_token_hint=huge).query["error"] == "invalid_request"


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        str.swapcase,
        str.lower,
        lambda token: f" {token}x",
        lambda token: token + "=",
        lambda token: token.replace(token[0], "%41"),
        lambda token: f"{token},{token}",
        lambda token: f"{token} {token}",
    ],
)
def test_jw14_an_access_token_has_one_spelling(visitor: Intruder, lunch: Registered, change: Any) -> None:
    token = _tokens(visitor, lunch)["access_token"]

    assert visitor.userinfo(change(token)).status in {400, 401}
    assert visitor.post("/oauth/userinfo", {"access_token": change(token)}).status in {400, 401}
    for query in ({"access_token": token}, {"Authorization": f"Bearer {token}"}):
        assert visitor.get("/oauth/userinfo", query).status == 401, "never from an address"
    both = visitor.post("/oauth/userinfo", {"access_token": token}, headers={"Authorization": f"Bearer {token}"})
    assert both.status == 400


def test_jw9_ro3_what_is_published_is_public_and_true(target: Target, intruder: Intruder, lunch: Registered) -> None:
    keys = json.loads(intruder.get("/oauth/jwks").body)["keys"]
    told = json.loads(intruder.get("/.well-known/openid-configuration").body)

    assert not [key for key in keys if {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)]
    assert len({key["kid"] for key in keys}) == len(keys)
    assert all(key["use"] == "sig" and key["alg"] for key in keys)
    assert told["request_parameter_supported"] is False
    assert told["request_uri_parameter_supported"] is False
    assert "none" not in json.dumps([value for name, value in told.items() if name.endswith("alg_values_supported")])
    for name in (
        "registration_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "device_authorization_endpoint",
    ):
        assert name not in told, "what has no door is not listed"
    for name, address in told.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            path = address.removeprefix(target.origin)
            reply = intruder.get(path, headers=basic(lunch.client_id, "x"))
            assert reply.status != 404, name
