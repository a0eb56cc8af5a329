"""A POST that no page of ours sent changes nothing, but for the doors that programs and other sites knock at."""

from collections.abc import Callable, Iterator

from flask import Flask
from werkzeug.routing import Rule

from tests.factories import Person
from tests.pages import Browser

_FOR_PROGRAMS = {"/oauth/authorize", "/oauth/token", "/oauth/userinfo", "/logout"}
"""POST to these comes from other sites or programs: each checks what it was sent, and none acts on a cookie alone."""


def _changing(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            yield rule, method


def test_only_the_known_doors_are_exempt(app: Flask) -> None:
    exempt = {
        str(rule) for rule, _ in _changing(app) if getattr(app.view_functions[rule.endpoint], "csrf_exempt", False)
    }

    assert exempt <= _FOR_PROGRAMS


def test_every_other_door_refuses_a_form_without_our_token(app: Flask, browser: Browser, admin: Person) -> None:
    adapter = app.url_map.bind("localhost")
    doors = [
        (adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, "0" * 32), method=method), method)
        for rule, method in _changing(app)
        if str(rule) not in _FOR_PROGRAMS
    ]
    browser.log_in(admin.username, admin.password)

    assert len(doors) > 3
    for path, method in doors:
        assert browser.send(method, path, data={}).status == 400, path
        assert browser.send(method, path, headers={"Sec-Fetch-Site": "cross-site"}).status == 403, path


def test_every_other_door_tells_a_browser_without_cookies_so(new_browser: Callable[[], Browser]) -> None:
    page = new_browser().send("POST", "/login", data={"username": "x", "password": "x"})

    assert page.status == 400
    assert "refuses cookies" in page.words
