"""What may be registered as a redirect URI (ATTACKS RU9; AUTHLIB-35), and what then matches (RU1, RU3)."""

import pytest
from flask import Flask

from idp.clients.addresses import LONGEST, redirect_uri_matches
from idp.clients.validation import ClientMetadata, Problem, validate

REFUSED = [
    "javascript://x/%0aalert(1)",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "vbscript:msgbox(1)",
    "file://h/",
    "file:///etc/passwd",
    "blob:https://rp.example/1",
    "about:blank",
    "ftp://rp.example/cb",
    "ws://rp.example/cb",
    "//rp.example/cb",
    "/cb",
    "rp.example/cb",
    "https:rp.example/cb",
    "https:/rp.example/cb",
    "https:///cb",
    "https://",
    "https://:443/cb",
    "*",
    "https://*.rp.example/cb",
    "https://rp.example/*",
    "https://rp.example/cb#fragment",
    "https://rp.example/cb#",
    "https://user@rp.example/cb",
    "https://user:secret@rp.example/cb",
    "https://rp.example@evil.example/cb",
    "https://evil\\@rp.example/cb",
    "https://rp.example%2eevil/",
    "https://rp.example\\cb",
    "https://rp.example/cb\r\nSet-Cookie: a=b",
    "https://rp.example/cb\n",
    "https://rp.example/\tcb",
    "https://rp.example/c b",
    " https://rp.example/cb",
    "https://rp.example/cb\x00",
    "https://rp.example/cb%0d%0aSet-Cookie:a=b",
    "https://rp.example/cb?x=%0a",
    "https://rp.example/cb%7f",
    "https://rp.example/cb%zz",
    "https://rp.example/cb%",
    "https://rp.example/\u200bcb",
    "https://schule-größe.example/cb",
    "https://rp.example/\uff43\uff42",
    "https://xn--99999999999.example/cb",
    "https://RP.example/cb",
    "HTTPS://rp.example/cb",
    "https://rp.example./cb",
    "https://rp..example/cb",
    "https://-rp.example/cb",
    "https://rp_1.example/cb",
    "https://" + "a" * 64 + ".example/cb",
    "https://rp.example:0/cb",
    "https://rp.example:65536/cb",
    "https://rp.example:x/cb",
    "https://rp.example:/cb",
    "https://rp.example:443:443/cb",
    "https://192.0.2.7/cb",
    "https://2130706433/cb",
    "https://0x7f.1/cb",
    "https://0x7f000001/cb",
    "https://0177.0.0.1/cb",
    "https://127.1/cb",
    "https://[2001:db8::1]/cb",
    "https://[::ffff:127.0.0.1]/cb",
    "https://[::1/cb",
    "https://rp.example/a/../cb",
    "https://rp.example/a/./cb",
    "https://rp.example/..",
    "https://rp.example/a/%2e%2e/cb",
    "https://rp.example/a%2fcb",
    "https://rp.example/a%5ccb",
    "https://rp.example/cb?code=1",
    "https://rp.example/cb?a=b&state=1",
    "https://rp.example/cb?iss=https://evil.example",
    "https://rp.example/cb?%63ode=1",
    'https://rp.example/"onload="x',
    "https://rp.example/<script>",
    "https://rp.example/" + "a" * LONGEST,
    "",
]
ACCEPTED = [
    "https://rp.example/cb",
    "https://rp.example",
    "https://rp.example/",
    "https://rp.example:8443/cb",
    "https://localhost.rp.example:8443/test/a/x/callback",
    "https://rp.example/cb?bar=foo",
    "https://rp.example/cb?dummy1=lorem&dummy2=ipsum",
    "https://rp.example/cb?next=%2Fhome",
    "https://rp.example/~school/(a)/b;c=1,2/$x!'",
    "https://xn--schule-gre-57a1t.example/cb",
    "https://gradebook/cb",
    "https://3m.example/cb",
]
LOOPBACK = ["http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", "http://[::1]:5/cb", "http://localhost:5001/cb"]
PLAIN_HTTP = ["http://rp.example/cb", "http://127.0.0.2/cb", "http://0.0.0.0/cb", "http://localhost.example/cb"]
PRIVATE_USE = ["com.example.app:/callback", "com.example.app:/", "org.district-207.app:/a/b?c=d"]
BAD_PRIVATE_USE = [
    "com.example.app://callback",
    "com.example.app:callback",
    "com.example.app:",
    "com.example.app:/callback#x",
    "Com.Example.App:/callback",
    ".example:/callback",
    "com..example:/callback",
    "com.example.app:/../x",
    "myapp:/callback",
]


def outcome(uri: str, method: str = "client_secret_basic") -> ClientMetadata | list[Problem]:
    return validate({"client_name": "Lunch", "redirect_uris": [uri], "token_endpoint_auth_method": method})


@pytest.mark.parametrize("uri", REFUSED)
@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
def test_an_odd_redirect_uri_is_refused_with_a_sentence(production: Flask, uri: str, method: str) -> None:
    found = outcome(uri, method)

    assert isinstance(found, list)
    assert [problem.field for problem in found] == ["redirect_uris"]
    assert found[0].message.isprintable()
    assert found[0].message.endswith(".")


@pytest.mark.parametrize("uri", ACCEPTED)
def test_a_plain_https_address_is_kept_as_it_was_typed(production: Flask, uri: str) -> None:
    found = outcome(uri)

    assert isinstance(found, ClientMetadata), found
    assert found.redirect_uris == (uri,)


@pytest.mark.parametrize("uri", LOOPBACK)
def test_the_loopback_interface_is_for_native_applications_in_production(production: Flask, uri: str) -> None:
    assert isinstance(outcome(uri), list)
    assert isinstance(outcome(uri, "none"), ClientMetadata)


@pytest.mark.parametrize("uri", LOOPBACK)
def test_the_loopback_interface_is_for_everybody_in_development(development: Flask, uri: str) -> None:
    assert isinstance(outcome(uri), ClientMetadata)


@pytest.mark.parametrize("uri", PLAIN_HTTP)
@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
def test_plain_http_to_another_machine_is_refused_even_in_development(
    development: Flask, uri: str, method: str
) -> None:
    assert isinstance(outcome(uri, method), list)


@pytest.mark.parametrize("uri", PRIVATE_USE)
def test_a_private_use_scheme_is_for_native_applications(production: Flask, uri: str) -> None:
    assert isinstance(outcome(uri), list)
    assert isinstance(outcome(uri, "none"), ClientMetadata)


@pytest.mark.parametrize("uri", BAD_PRIVATE_USE)
def test_a_private_use_scheme_has_the_form_of_rfc_8252(production: Flask, uri: str) -> None:
    assert isinstance(outcome(uri, "none"), list)


@pytest.mark.parametrize("uri", REFUSED)
def test_a_log_out_address_obeys_the_same_rules(production: Flask, uri: str) -> None:
    given = {"client_name": "Lunch", "redirect_uris": ["https://rp.example/cb"], "post_logout_redirect_uris": [uri]}
    found = validate(given)

    assert isinstance(found, list)
    assert [problem.field for problem in found] == ["post_logout_redirect_uris"]


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("https://rp.example/cb", "https://evil.example/"),
        ("https://rp.example/cb", "https://rp.example/cb/"),
        ("https://rp.example/cb", "https://rp.example/CB"),
        ("https://rp.example/cb", "https://rp.example:443/cb"),
        ("https://rp.example/cb", "https://rp.example/cb?a=b"),
        ("https://rp.example/cb?a=b", "https://rp.example/cb"),
        ("https://rp.example/cb?a=b", "https://rp.example/cb?a=c"),
        ("https://rp.example/cb", "https://rp.example/cb#x"),
        ("https://rp.example/cb", "https://rp.example@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5/other"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5/cb\n"),
        ("http://127.0.0.1/cb", "http://[::1]:5/cb"),
        ("http://127.0.0.1/cb", "https://127.0.0.1:5/cb"),
        ("http://localhost/cb", "http://localhost:5/cb"),
        ("https://127.0.0.1/cb", "https://127.0.0.1:5/cb"),
    ],
)
def test_anything_but_the_registered_text_does_not_match(registered: str, requested: str) -> None:
    assert not redirect_uri_matches(registered, requested, native=True)
    assert not redirect_uri_matches(registered, requested, native=False)


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb"),
        ("http://[::1]/cb?a=b", "http://[::1]:49152/cb?a=b"),
    ],
)
def test_a_native_application_may_listen_on_any_loopback_port(registered: str, requested: str) -> None:
    assert redirect_uri_matches(registered, requested, native=True)
    assert not redirect_uri_matches(registered, requested, native=False)
