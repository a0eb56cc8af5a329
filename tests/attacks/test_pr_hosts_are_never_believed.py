"""Rows PR1 and TH3: whom a request says it is for, and whom it says it is from, changes nothing."""

from collections.abc import Callable

import pytest
from flask import Flask

from idp.database import db
from idp.sessions.models import BrowserSession
from tests.attacks.conftest import CALLBACK, ISSUER, Door, checked, leads_to_us_or_an_application
from tests.factories import Person
from tests.pages import Browser

_HOSTS = ["evil.example", "localhost:5000.evil.example", "localhost:5000@evil.example", "evil.example/x?", "a b",
          "[::1", "x" * 3000, "evil.example:99999999", "\xe9.example", "..", "-", ""]  # fmt: skip
_PATHS = ["/login", "/", "/static//theme.css", "//evil.example/login", "/admin", "/logout", "/nowhere", "*",
          "/.well-known/openid-configuration"]  # fmt: skip


@pytest.mark.one_database
@pytest.mark.parametrize("host", _HOSTS)
def test_pr1_no_answer_is_made_from_the_host_that_was_sent(app: Flask, host: str) -> None:
    for path in _PATHS:
        environ = {
            "PATH_INFO": path,
            "HTTP_HOST": host,
            "HTTP_X_FORWARDED_HOST": "evil.example",
            "HTTP_X_FORWARDED_PROTO": "gopher",
            "HTTP_FORWARDED": "for=127.0.0.1;host=evil.example;proto=gopher",
        }
        answer = checked(app.test_client().get("/", environ_overrides=environ), (host, path))

        assert "evil.example" not in str(answer.headers)
        assert "evil.example" not in answer.get_data(as_text=True)


@pytest.mark.one_database
def test_pr1_the_discovery_document_names_the_issuer_alone(app: Flask) -> None:
    document = app.test_client().get("/.well-known/openid-configuration", headers={"Host": "evil.example"}).get_json()

    assert document["issuer"] == ISSUER
    assert all(
        value.startswith(f"{ISSUER}/") for name, value in document.items() if name.endswith(("_endpoint", "_uri"))
    )


@pytest.mark.one_database
@pytest.mark.parametrize("name", ["X-Forwarded-For", "X_Forwarded_For", "X-Real-IP", "Forwarded", "CF-Connecting-IP",
                                  "True-Client-IP", "X-Client-IP", "Client-IP"])  # fmt: skip
@pytest.mark.parametrize("value", ["203.0.113.9", "127.0.0.1, 10.0.0.1", "a", "\xff", "for=10.0.0.1", "x" * 5000])
def test_th3_without_a_configured_proxy_the_peer_is_who_it_is(
    browser: Browser, parent: Person, name: str, value: str
) -> None:
    browser.headers, browser.address = {name: value}, "198.51.100.7"
    browser.log_in(parent.username, parent.password)

    assert browser.location == "/"
    assert db.session.query(BrowserSession).one().address == "198.51.100.7"


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
     f"{CALLBACK}.evil.example", f"{CALLBACK}/../x", "javascript:alert(1)", "/\t/evil.example", "http://localhost:5000@evil.example/"],
)  # fmt: skip
def test_ru1_the_sweeps_know_a_stranger_when_they_see_one(location: str) -> None:
    assert not leads_to_us_or_an_application(location)


@pytest.mark.one_database
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://lunch.example.evil.example", "http://localhost"]
)
def test_hd3_no_door_lets_another_site_read_what_a_cookie_opens(
    doors: list[Door], new_insider: Callable[[Person], object], parent: Person, app: Flask, origin: str
) -> None:
    for door in doors:
        for method in ("GET", "OPTIONS"):
            answer = checked(
                app.test_client().open(
                    door.path,
                    method=method,
                    headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
                )
            )
            allowed = answer.headers.get("Access-Control-Allow-Origin")

            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert allowed is None or (allowed == "*" and door.endpoint.startswith("protocol.")), door
