"""Where `next` leads stays on this site (SE9)."""

import pytest
from flask import Flask

from idp.web import redirects
from tests.factories import Person
from tests.pages import Browser

_LOCAL = ["/", "/account", "/help?topic=login", "/admin/clients?page=2&sort=name", "/a/b/c#part", "/account?q=a%20b"]

_ELSEWHERE = [
    "",
    "evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2e%2e",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:\\\\evil.example",
    "http://localhost:5000@evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "/\tevil",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "\n//evil.example",
    " //evil.example",
    "\x00//evil.example",
    "/%09/evil.example",
    "/%0d%0aSet-Cookie:x=1",
    "/%2f/evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/account//evil.example",
    "/./\\evil.example",
    "/\r\nLocation: https://evil.example",
    "/é",
    "/\u2028/evil.example",
    "/\uff0fevil.example",
    "//evil.example:443/\\@localhost",
    "/account\x7f",
    ".",
    "..//evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "@evil.example",
    ":8000/",
    "/" + "a" * 500,
]


@pytest.mark.parametrize("target", _LOCAL)
def test_a_plain_path_of_this_site_is_local(target: str) -> None:
    assert redirects.is_local(target)


@pytest.mark.parametrize("target", _ELSEWHERE)
def test_se9_what_a_browser_could_take_for_another_place_is_not_local(target: str) -> None:
    assert not redirects.is_local(target)


@pytest.mark.parametrize("target", _ELSEWHERE)
def test_se9_next_falls_back_to_the_default(plain_app: Flask, target: str) -> None:
    with plain_app.test_request_context("/login", query_string={"next": target}):
        assert redirects.next_path("/") == "/"


def test_next_leads_to_the_local_page_it_names(plain_app: Flask) -> None:
    with plain_app.test_request_context("/login", query_string={"next": "/account?show=menu"}):
        assert redirects.next_path("/") == "/account?show=menu"


def test_the_first_of_two_nexts_counts(plain_app: Flask) -> None:
    with plain_app.test_request_context("/login?next=/account&next=//evil.example"):
        assert redirects.next_path("/") == "/account"


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https:evil.example", "/%09/evil.example"])
def test_se9_a_log_in_ends_on_this_site_whatever_next_says(browser: Browser, parent: Person, target: str) -> None:
    browser.send("GET", "/login", query_string={"next": target})

    browser.log_in(parent.username, parent.password)

    assert (browser.status, browser.location) == (303, "/")
