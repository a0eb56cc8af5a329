"""Rows RU1 to RU9, SE9 and LO1: no spelling, place or company of an address makes a redirect to a stranger."""

import json
from urllib.parse import quote, urlencode

import pytest

from tests.answers import Answer
from tests.attacks.over_http.conftest import AFTER, CALLBACK, Intruder, Target, right_request
from tests.attacks.over_http.spellings import OTHER_SPELLINGS, spellings
from tests.factories import Registered

_STRANGERS = {
    "RU1 another host": "https://evil.example/",
    "RU1 the registered one inside": "https://evil.example/?u=https://lunch.example/callback",
    "RU1 a path beside": "https://lunch.example/callback/",
    "RU1 a path above": "https://lunch.example/callback/../steal",
    "RU1 a query more": "https://lunch.example/callback?x=1",
    "RU1 a fragment": "https://lunch.example/callback#x",
    "RU1 plain HTTP": "http://lunch.example/callback",
    "RU1 a port": "https://lunch.example:444/callback",
    "RU1 the default port": "https://lunch.example:443/callback",
    "RU1 the host in capitals": "https://LUNCH.example/callback",
    "RU1 the host with a dot": "https://lunch.example./callback",
    "RU1 a script": "javascript:alert(1)//https://lunch.example/callback",
    "RU1 data": "data:text/html,https://lunch.example/callback",
    "RU1 a host below": "https://evil.lunch.example/callback",
    "RU1 a host behind": "https://lunch.example.evil.example/callback",
    "RU1 no scheme": "//lunch.example/callback",
    "RU1 nothing": "",
    "RU1 too long": "https://lunch.example/callback?" + "a" * 5000,
    "RU3 userinfo": "https://lunch.example@evil.example/callback",
    "RU3 userinfo of ours": "https://evil@lunch.example/callback",
    "RU3 a backslash": "https://evil.example\\@lunch.example/callback",
    "RU3 a dot in escape": "https://lunch.example%2eevil.example/callback",
    "RU3 a slash in escape": "https://lunch.example%2f.evil.example/callback",
    "RU3 a wide slash": "https://evil.example\uff0flunch.example/callback",
    "RU3 a wide dot": "https://lunch\u3002example/callback",
    "RU3 another alphabet": "https://lunch.ex\u0430mple/callback",
    "RU3 a tab": "https://lunch.example/call\tback",
    "RU3 a line break": "https://lunch.example/callback\r\nLocation: https://evil.example",
    "RU3 a NUL": "https://lunch.example/callback\0.evil.example",
    "RU3 a semicolon": "https://lunch.example/callback;x",
}


def _refused(reply: Answer) -> None:
    assert reply.status == 400, reply
    assert reply.location == ""
    assert "Authorization request failed" in reply.text


@pytest.mark.parametrize("kind", _STRANGERS)
def test_ru1_ru3_an_address_that_is_not_registered_to_the_letter(
    visitor: Intruder, intruder: Intruder, lunch: Registered, kind: str
) -> None:
    pairs = right_request(lunch, redirect_uri=_STRANGERS[kind])
    other = [(name, value) for name, value in pairs.items() if name != "redirect_uri"]
    for who in (visitor, intruder):
        _refused(who.get("/oauth/authorize", pairs))
        sent = who.post("/oauth/authorize", pairs)
        _refused(who.follow(sent) if sent.location else sent)
        for doubled in ((CALLBACK, _STRANGERS[kind]), (_STRANGERS[kind], CALLBACK), (CALLBACK, CALLBACK)):
            _refused(who.get("/oauth/authorize", [*other, *(("redirect_uri", one) for one in doubled)]))


@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
@pytest.mark.parametrize("name", ["redirect_uri", "client_id"])
def test_ru3_an_address_or_application_in_another_spelling(
    visitor: Intruder, lunch: Registered, name: str, spelling: str
) -> None:
    pairs = right_request(lunch)
    odd = spellings(pairs[name])[spelling]
    if odd == pairs.pop(name).encode():
        return  # an application's id has nothing to escape
    if spelling == "raw bytes":  # a target that is no URI is the server's to refuse (RFC 9112 section 3.2)
        assert visitor.get("/oauth/authorize", urlencode(pairs).encode() + f"&{name}=".encode() + odd).status == 400
        return

    _refused(visitor.get("/oauth/authorize", urlencode(pairs).encode() + f"&{name}=".encode() + odd))


@pytest.mark.parametrize(
    "place", ["body of a GET", "query of a POST", "header", "array", "index", "JSON", "multipart", "a cookie"]
)
def test_ru5_an_address_in_the_wrong_place_was_not_sent(
    target: Target, visitor: Intruder, lunch: Registered, place: str
) -> None:
    pairs = right_request(lunch, redirect_uri=None)
    address = {"redirect_uri": CALLBACK}
    match place:
        case "body of a GET":
            reply = visitor.send("GET", "/oauth/authorize", pairs, address)
        case "query of a POST":
            reply = visitor.send("POST", "/oauth/authorize", address, pairs)
        case "header":
            reply = visitor.get("/oauth/authorize", pairs, headers={"redirect_uri": CALLBACK, "Redirect-Uri": CALLBACK})
        case "array":
            reply = visitor.get("/oauth/authorize", pairs | {"redirect_uri[]": CALLBACK})
        case "index":
            reply = visitor.get("/oauth/authorize", pairs | {"redirect_uri[0]": CALLBACK, "redirect_uri.0": CALLBACK})
        case "JSON":
            text = f'{{"redirect_uri": "{CALLBACK}", "client_id": "{lunch.client_id}"}}'
            reply = visitor.send("POST", "/oauth/authorize", pairs, text.encode(), kind="application/json")
        case "multipart":
            text = (
                f'--b\r\nContent-Disposition: form-data; name="redirect_uri"; filename="x"\r\n\r\n{CALLBACK}\r\n--b--'
            )
            reply = visitor.send(
                "POST", "/oauth/authorize", pairs, text.encode(), kind="multipart/form-data; boundary=b"
            )
        case _:
            jar = target.intruder()
            jar.jar = visitor.jar | {"redirect_uri": CALLBACK}
            reply = jar.get("/oauth/authorize", pairs)
    _refused(visitor.follow(reply) if reply.location else reply)


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_type": "token"},
        {"response_type": "code id_token"},
        {"response_type": None},
        {"scope": "nothing"},
        {"prompt": "none"},
        {"prompt": "none login"},
        {"prompt": "bogus"},
        {"request": "x.y.z"},
        {"request_uri": "https://lunch.example/request"},
        {"registration": "{}"},
        {"max_age": "-1"},
        {"response_mode": "form_post"},
        {"response_mode": "fragment"},
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"state": "s" * 5000},
        {"id_token_hint": "x"},
        {"display": "popup"},
        {"claims": "{"},
    ],
    ids=str,
)
def test_ru7_whatever_else_is_wrong_the_address_comes_first(
    visitor: Intruder, intruder: Intruder, lunch: Registered, wrong: dict[str, str | None]
) -> None:
    for who in (visitor, intruder):
        for stranger in ("https://evil.example/", None):
            _refused(who.authorize(lunch, **{"redirect_uri": stranger, **wrong}))
        _refused(who.authorize(lunch, **{"client_id": "unknown", **wrong}))
        twice = (
            urlencode(right_request(lunch, redirect_uri="https://evil.example/", **wrong)) + "&state=1&state=2&scope=x"
        )
        _refused(who.get("/oauth/authorize", twice.encode()))


@pytest.mark.parametrize(
    "uri",
    [
        "javascript://x/%0aalert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file://h/",
        "vbscript:x",
        "blob:https://x/y",
        "http://lunch.example/cb",
        "https://*.lunch.example/cb",
        "*",
        "https://lunch.example/cb#x",
        "https://u:p@lunch.example/",
        "https://lunch.example/\tcb",
        "https://",
        "https:lunch.example",
        "//lunch.example/cb",
        "/cb",
        "about:blank",
        "https://lunch.example:0/cb",
        "https://lunch.example:99999/cb",
        "https://[::1/cb",
        "https://lunch.example\\@evil.example/",
        "https://lünch.example/cb",
        "https://lunch.example/\u202ecb",
        "https://lunch.example/" + "a" * 400,
    ],
    ids=lambda uri: uri[:40],
)
@pytest.mark.parametrize("field", ["redirect_uris", "post_logout_redirect_uris", "client_uri", "logo_uri"])
def test_ru9_the_form_takes_no_address_that_nobody_should_open(
    target: Target, console: Intruder, uri: str, field: str
) -> None:
    if field in {"client_uri", "logo_uri"} and uri.startswith(("http://lunch", "https://lunch.example/cb#")):
        return  # which are pages that can be opened
    page = console.get("/admin/clients/new")
    form = {"client_name": "Lunch", "redirect_uris": CALLBACK, "require_pkce": "yes"}
    form |= {name: page.hidden(name) for name in ("csrf_token", "form_token")}
    reply = console.post("/admin/clients/new", form | {field: uri})

    assert reply.status == 422, reply
    assert "is-invalid" in reply.text or "error" in reply.text


_ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example",
    "///evil",
    "/\t/evil.example",
    "/%09/evil.example",
    "/%2f/evil.example",
    "/%5cevil.example",
    "javascript:alert(1)",
    " //evil",
    "/\r\nLocation: https://evil.example",
    "/a/..//evil.example",
    "http:///evil.example",
    "/.//evil",
    "/\u2028/evil",
    "/" + "a" * 600,
    "/\0",
    "?next=//evil",
    ".",
    "",
    "/login/../\\evil",
]


@pytest.mark.parametrize("there", _ELSEWHERE, ids=lambda there: repr(there)[:40])
def test_se9_after_the_log_in_nobody_is_sent_elsewhere(target: Target, there: str) -> None:
    person = target.make_account()
    for query in ({"next": there}, [("next", "/account"), ("next", there)], b"next=" + quote(quote(there)).encode()):
        reply = target.intruder().log_in(person.username, person.password, query)

        assert reply.status == 303, reply
        assert reply.location in {"/", "/account"}, reply.location


_NOT_AFTER = [
    "https://evil.example/",
    f"{AFTER}/",
    f"{AFTER}?x",
    f"{AFTER}#x",
    CALLBACK,
    "javascript:alert(1)",
    "//evil",
    "",
    "https://lunch.example@evil.example/bye",
    f"{AFTER}\r\nX: y",
    f"{AFTER}\0",
    AFTER.upper(),
    " " + AFTER,
]


@pytest.mark.parametrize("address", _NOT_AFTER, ids=lambda address: repr(address)[:40])
def test_lo1_a_log_out_leads_to_no_address_that_is_not_registered(
    target: Target, lunch: Registered, address: str
) -> None:
    browser = target.visitor()
    hint = json.loads(browser.redeem(lunch, browser.authorize(lunch).query["code"]).body)["id_token"]
    for more in ({}, {"id_token_hint": "x.y.z"}, {"id_token_hint": hint}, {"client_id": lunch.client_id}):
        for asked in (
            {"post_logout_redirect_uri": address, **more},
            {**more, "post_logout_redirect_uri": address, "state": "x"},
        ):
            if not address and "id_token_hint" in more and more["id_token_hint"] == hint:
                continue  # an empty address is none, and the hint is good
            reply = browser.get("/logout", asked)
            assert reply.location == "", reply
            page = browser.post("/logout", asked)
            assert (browser.follow(page) if page.location else page).location == ""
    confirmed = {"csrf_token": reply.hidden("csrf_token"), "return_to": reply.hidden("return_to"), "state": "x"}
    if confirmed["csrf_token"]:
        assert browser.post("/logout", confirmed | {"post_logout_redirect_uri": address}).location == ""
