"""Rows CP1 to CP11, CA1 to CA9, HP1 and HP3: a code and a secret are good in one way, for one application, once."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from idp import clock, sealing
from idp.accounts.models import Account
from idp.admin import people
from idp.clients.models import ClientSecret
from idp.database import db
from idp.sessions import store as sessions
from tests.answers import Answer
from tests.attacks.over_http.conftest import CALLBACK, VERIFIER, Intruder, Target, basic
from tests.attacks.over_http.spellings import OTHER_SPELLINGS, spellings
from tests.factories import Registered
from tests.oidc.conftest import challenge_of, issued

CodeOf = Callable[[Intruder], str]


def _error(reply: Answer) -> str:
    assert reply.header("cache-control") == "no-store"
    assert "access_token" not in reply.text
    return str(json.loads(reply.body)["error"])


def _tokens(reply: Answer) -> dict[str, Any]:
    assert reply.status == 200, reply
    given: dict[str, Any] = json.loads(reply.body)
    return given


@pytest.mark.parametrize("again", ["at once", "by another connection's hand", "with a wrong verifier", "ten at once"])
def test_cp1_a_code_that_comes_twice_takes_back_what_it_gave(
    target: Target, visitor: Intruder, lunch: Registered, code_of: CodeOf, again: str
) -> None:
    code = code_of(visitor)
    first = _tokens(visitor.redeem(lunch, code))
    assert visitor.userinfo(first["access_token"]).status == 200
    if again == "ten at once":
        with ThreadPoolExecutor(10) as pool:
            replies = list(pool.map(lambda _: target.intruder().redeem(lunch, code), range(10)))
        assert {_error(reply) for reply in replies} == {"invalid_grant"}
    else:
        changes = {"code_verifier": "w" * 43} if again == "with a wrong verifier" else {}
        assert _error(target.intruder().redeem(lunch, code, **changes)) == "invalid_grant"

    assert visitor.userinfo(first["access_token"]).status == 401


@pytest.mark.parametrize("spelling", sorted(set(OTHER_SPELLINGS) - {"percent twice"}))  # which changes no letter
def test_cp1_a_code_has_one_spelling(visitor: Intruder, lunch: Registered, code_of: CodeOf, spelling: str) -> None:
    code = code_of(visitor)
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    sent = urlencode(form).encode() + b"&code=" + spellings(code)[spelling]
    reply = visitor.post("/oauth/token", sent, headers=basic(lunch.client_id, lunch.secret or ""))

    # A form that is not UTF-8 is no form at all.
    assert _error(reply) == ("unsupported_grant_type" if spelling == "raw bytes" else "invalid_grant")
    assert visitor.redeem(lunch, code).status == 200, "it was not spent by that"


@pytest.mark.parametrize("metadata", [{}, {"first_party": False}, {"token_endpoint_auth_method": "none"}], ids=str)
def test_cp3_another_application_gets_nothing_for_a_code(
    target: Target, visitor: Intruder, lunch: Registered, code_of: CodeOf, metadata: dict[str, Any]
) -> None:
    other, code = target.make_client("Other", **metadata), code_of(visitor)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    if other.secret is None:
        replies = [visitor.post("/oauth/token", form | {"client_id": other.client_id})]
    else:
        replies = [visitor.redeem(other, code), visitor.redeem(other, code, client_id=other.client_id)]
        muddled = visitor.redeem(other, code, client_id=lunch.client_id)
        assert _error(muddled) == "invalid_request"

    assert {_error(reply) for reply in replies} == {"invalid_grant"}
    assert visitor.redeem(lunch, code).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S256 "},
        {"code_challenge": ""},
        {"code_challenge": "a" * 42},
        {"code_challenge": "a" * 44},
        {"code_challenge": "ż" * 43},
        {"code_challenge": challenge_of(VERIFIER) + "="},
        {"code_challenge": challenge_of(VERIFIER) + "\n"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["none", "client_secret_basic"])
def test_cp5_no_log_in_page_without_a_right_challenge(
    target: Target, intruder: Intruder, changes: dict[str, str | None], method: str
) -> None:
    client = target.make_client(token_endpoint_auth_method=method)
    reply = intruder.authorize(client, **changes)

    assert reply.query["error"] == "invalid_request", reply.location
    assert reply.query["state"] == "a state"


@pytest.mark.parametrize(
    "verifier",
    [
        None,
        "",
        "w" * 43,
        "v" * 42,
        "v" * 44,
        "v" * 128,
        "v" * 129,
        challenge_of(VERIFIER),
        VERIFIER.upper(),
        VERIFIER + "\0",
        VERIFIER + "\n",
        " " + VERIFIER,
        VERIFIER[:-1] + "\uff56",
        "v" * 100_0,
    ],
    ids=lambda verifier: repr(verifier)[:30],
)
def test_cp7_a_wrong_verifier_burns_the_code(
    visitor: Intruder, lunch: Registered, code_of: CodeOf, verifier: str | None
) -> None:
    code = code_of(visitor)

    assert _error(visitor.redeem(lunch, code, code_verifier=verifier)) in {"invalid_grant", "invalid_request"}
    assert _error(visitor.redeem(lunch, code)) == "invalid_grant"


@pytest.mark.parametrize("verifier", [VERIFIER, "", "x"])
def test_cp9_a_verifier_without_a_challenge(target: Target, visitor: Intruder, verifier: str) -> None:
    client = target.make_client(require_pkce=False)
    code = visitor.authorize(client, code_challenge=None, code_challenge_method=None).query["code"]
    reply = visitor.redeem(client, code, code_verifier=verifier)

    if verifier:
        assert _error(reply) in {"invalid_grant", "invalid_request"}
    else:  # an empty field is none
        assert reply.status in {200, 400}


@pytest.mark.parametrize("how", ["disabled", "temporary password", "password changed", "logged out", "address"])
def test_cp11_what_ends_the_person_ends_the_code(target: Target, lunch: Registered, how: str) -> None:
    person = target.make_account()
    browser = target.visitor(person)
    code = browser.authorize(lunch).query["code"]
    changes: dict[str, str] = {}
    with target.app.app_context():
        now = clock.now()
        match how:
            case "disabled":
                people.disable(person.username, actor_id=None, now=now)
            case "temporary password":
                people.issue_temporary_password(person.username, actor_id=None, now=now)
            case "password changed":
                db.session.execute(update(Account).where(Account.id == person.id).values(password_changed_at=now))
                db.session.commit()
            case "address":
                changes = {"redirect_uri": CALLBACK + "?"}
    if how == "logged out":
        page = browser.get("/logout")
        browser.post("/logout", {"csrf_token": page.hidden("csrf_token")})

    assert _error(target.intruder().redeem(lunch, code, **changes)) == "invalid_grant"


@pytest.mark.parametrize(("age", "is_good"), [(50, True), (61, False)])
def test_cp11_a_code_ends_with_its_minute(target: Target, lunch: Registered, age: int, *, is_good: bool) -> None:
    person = target.make_account()
    cookie, now = target.visitor(person).jar["idp_session"], clock.now()
    with target.app.app_context():
        long_ago = update(Account).where(Account.id == person.id).values(password_changed_at=now - timedelta(hours=1))
        db.session.execute(long_ago)
        session = sessions.find(sealing.digest(cookie), now)
        assert session is not None
        code = issued(lunch, session, now - timedelta(seconds=age), VERIFIER)
    reply = target.intruder().redeem(lunch, code)

    assert reply.status == 200 if is_good else _error(reply) == "invalid_grant"


@pytest.mark.parametrize("change", ["last sign", "first sign", "key's name", "a sign more", "a sign less", "empty box"])
def test_cp11_a_code_that_was_changed_is_none(
    visitor: Intruder, lunch: Registered, code_of: CodeOf, change: str
) -> None:
    code = code_of(visitor)
    name, _, box = code.partition(".")
    changed = {
        "last sign": code[:-1] + ("A" if code[-1] != "A" else "Q"),
        "first sign": f"{name}.{'A' if box[0] != 'A' else 'B'}{box[1:]}",
        "key's name": f"{name}x.{box}",
        "a sign more": code + "A",
        "a sign less": code[:-1],
        "empty box": f"{name}.",
    }[change]

    assert _error(visitor.redeem(lunch, changed)) == "invalid_grant"
    assert visitor.redeem(lunch, code).status == 200, "it was not spent by that"


_WRONG_SECRETS: dict[str, Callable[[str, str], dict[str, str]]] = {
    "another": lambda name, secret: basic(name, "x" * 43),
    "empty": lambda name, secret: basic(name, ""),
    "a sign short": lambda name, secret: basic(name, secret[:-1]),
    "a sign more": lambda name, secret: basic(name, secret + "A"),
    "in capitals": lambda name, secret: basic(name, secret.swapcase()),
    "a NUL behind": lambda name, secret: basic(name, secret + "%00"),
    "escaped twice": lambda name, secret: basic(name, "".join(f"%25{ord(sign):02x}" for sign in secret)),
    "no colon": lambda name, secret: {"Authorization": "Basic " + base64.b64encode(name.encode()).decode()},
    "not Base64": lambda name, secret: {"Authorization": f"Basic {name}:{secret}"},
    "not UTF-8": lambda name, secret: {"Authorization": "Basic " + base64.b64encode(b"\xff:\xfe").decode()},
    "UTF-16": lambda name, secret: {
        "Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode("utf-16")).decode()
    },
    "another scheme": lambda name, secret: {"Authorization": f"Bearer {secret}"},
    "huge": lambda name, secret: basic(name, "x" * 20_000),
    "nothing": lambda name, secret: {"Authorization": ""},
}


@pytest.mark.parametrize("kind", _WRONG_SECRETS)
def test_ca1_a_wrong_secret_and_an_unknown_application_look_alike(
    target: Target, intruder: Intruder, kind: str
) -> None:
    target.forgive()
    client = target.make_client()
    form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    replies = [
        intruder.post("/oauth/token", form, headers=_WRONG_SECRETS[kind](name, client.secret or ""))
        for name in (client.client_id, "u" * len(client.client_id))
    ]

    assert [reply.status for reply in replies] == [401, 401]
    assert replies[0].body == replies[1].body
    assert _error(replies[0]) == "invalid_client"
    assert {(reply.header("www-authenticate") or "").split()[0] for reply in replies} == {"Basic"}


@pytest.mark.parametrize(
    "way", ["id alone", "query", "post for basic", "both", "assertion", "public's method", "array", "JSON"]
)
def test_ca3_a_confidential_application_proves_itself_in_its_own_way(
    target: Target, visitor: Intruder, lunch: Registered, code_of: CodeOf, way: str
) -> None:
    target.forgive()
    code, secret = code_of(visitor), lunch.secret or ""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    named = form | {"client_id": lunch.client_id}
    match way:
        case "id alone":
            reply = visitor.post("/oauth/token", named)
        case "query":
            reply = visitor.send("POST", "/oauth/token", {"client_id": lunch.client_id, "client_secret": secret}, form)
        case "post for basic":
            reply = visitor.post("/oauth/token", named | {"client_secret": secret})
        case "both":
            reply = visitor.post(
                "/oauth/token", named | {"client_secret": secret}, headers=basic(lunch.client_id, secret)
            )
        case "assertion":
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            reply = visitor.post("/oauth/token", named | {"client_assertion_type": kind, "client_assertion": "x.y.z"})
        case "public's method":
            reply = visitor.post("/oauth/token", named | {"token_endpoint_auth_method": "none"})
        case "array":
            reply = visitor.post("/oauth/token", named | {"client_secret[]": secret})
        case _:
            reply = visitor.send(
                "POST",
                "/oauth/token",
                form=json.dumps(named | {"client_secret": secret}).encode(),
                kind="application/json",
            )
    assert reply.status in {400, 401}
    assert _error(reply) in {"invalid_client", "invalid_request", "unsupported_grant_type"}
    assert visitor.redeem(lunch, code).status == 200, "the code was not touched"


def test_ca5_a_secret_ends_with_its_time(target: Target, visitor: Intruder) -> None:
    client = target.make_client()
    code = visitor.authorize(client).query["code"]
    with target.app.app_context():
        mine = update(ClientSecret).where(ClientSecret.client_pk == client.id)
        db.session.execute(mine.values(expires_at=clock.now() - timedelta(seconds=1)))
        db.session.commit()

    assert _error(visitor.redeem(client, code)) == "invalid_client"


@pytest.mark.parametrize("parallel", [1, 8])
def test_ca7_wrong_secrets_spend_the_budget_of_one_pair_alone(target: Target, visitor: Intruder, parallel: int) -> None:
    client, neighbour = target.make_client(), target.make_client()

    def wrong(_number: int) -> Answer:
        return target.intruder().redeem(Registered(client.id, client.client_id, "x" * 43, CALLBACK, ""), "x")

    with ThreadPoolExecutor(parallel) as pool:
        statuses = [reply.status for reply in pool.map(wrong, range(24))]
    refused = wrong(0)

    assert statuses.count(401) <= 10
    assert refused.status == 429
    assert 0 < int(refused.header("retry-after") or 0) <= 60
    assert client.client_id not in refused.text
    assert visitor.redeem(neighbour, visitor.authorize(neighbour).query["code"]).status == 200
    assert visitor.redeem(client, visitor.authorize(client).query["code"]).status == 200, (
        "a right secret is never slowed"
    )


@pytest.mark.parametrize(
    "grant",
    [
        "password",
        "implicit",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:openid:params:grant-type:ciba",
        "AUTHORIZATION_CODE",
        "authorization_code ",
        "authorization_code\0",
        "",
        "\ufeffauthorization_code",
    ],
)
def test_ca9_there_is_one_grant(visitor: Intruder, lunch: Registered, code_of: CodeOf, grant: str) -> None:
    code = code_of(visitor)
    more = {"username": "x", "password": "y", "assertion": "a.b.c", "subject_token": "x", "device_code": "x"}
    more |= {"refresh_token": "x", "scope": "openid"}
    reply = visitor.redeem(lunch, code, grant_type=grant, **more)

    assert _error(reply) in {"unsupported_grant_type", "invalid_request", "unauthorized_client"}
    assert visitor.redeem(lunch, code).status == 200


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret"])
@pytest.mark.parametrize("second", ["the same", "another", "empty"])
def test_hp1_a_field_of_a_token_request_comes_once(
    visitor: Intruder, lunch: Registered, code_of: CodeOf, name: str, second: str
) -> None:
    code = code_of(visitor)
    form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
    first = dict(form).get(name, lunch.client_id)
    pairs = [pair for pair in form if pair[0] != name]
    pairs += [(name, first), (name, {"the same": first, "another": "x", "empty": ""}[second])]
    reply = visitor.post("/oauth/token", pairs, headers=basic(lunch.client_id, lunch.secret or ""))

    assert _error(reply) == "invalid_request"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE", "PROPFIND", "BREW"])
def test_hp3_the_token_endpoint_takes_post_and_nothing_that_says_it_is(
    visitor: Intruder, lunch: Registered, code_of: CodeOf, method: str
) -> None:
    code = code_of(visitor)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    headers = basic(lunch.client_id, lunch.secret or "") | {"X-HTTP-Method-Override": "POST"}
    reply = visitor.send(method, "/oauth/token", form | {"_method": "POST"}, form, headers=headers)

    assert reply.status in {400, 405}
    assert visitor.redeem(lunch, code).status == 200
