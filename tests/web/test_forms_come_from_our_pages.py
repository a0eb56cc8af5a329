"""A form counts only when a page of ours, in this browser, sent it."""

from collections.abc import Callable

from flask import Flask

from tests.factories import Person
from tests.pages import Browser, Page


def test_a_form_without_its_token_changes_nothing(browser: Browser, parent: Person) -> None:
    browser.open("/login")

    answer = _post(browser, parent, token=None)

    assert answer.status == 400
    assert "This page was open for too long" in answer.words
    assert "idp_session" not in browser.cookies


def test_a_form_with_the_token_of_another_browser_changes_nothing(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    browser.open("/login")
    stolen = _token(new_browser().open("/login"))

    answer = _post(browser, parent, token=stolen)

    assert answer.status == 400
    assert "idp_session" not in browser.cookies


def test_a_form_that_another_site_sends_is_refused_though_its_token_is_right(browser: Browser, parent: Person) -> None:
    token = _token(browser.open("/login"))

    for site in ("cross-site", "same-site"):
        assert _post(browser, parent, token=token, headers={"Sec-Fetch-Site": site}).status == 403
        assert "idp_session" not in browser.cookies


def test_a_browser_that_refuses_cookies_is_told_so_at_once(new_browser: Callable[[], Browser], parent: Person) -> None:
    token = _token(new_browser().open("/login"))

    answer = _post(new_browser(), parent, token=token)

    assert answer.status == 400
    assert answer.title.startswith("Your browser refuses cookies")
    assert answer.location is None


def test_each_page_has_a_token_of_its_own_and_all_of_them_work(browser: Browser, parent: Person) -> None:
    first = _token(browser.open("/login"))
    second = _token(browser.open("/login"))

    assert first != second
    assert _post(browser, parent, token=first).status == 303


def test_a_form_that_is_too_old_leads_back_to_its_page(plain_app: Flask) -> None:
    plain_app.add_url_rule("/change", "change", lambda: "changed", methods=["POST"])
    browser = Browser(plain_app.test_client(), "http://localhost:5000")
    browser.open("/login")

    answer = browser.send("POST", "/change", data={"csrf_token": "k1.AAAA"})

    assert answer.status == 400
    assert answer.title.startswith("This page is too old")
    assert answer.links["Try Again"] == ""


def test_a_method_that_nobody_serves_is_no_way_around(browser: Browser) -> None:
    browser.open("/login")

    assert browser.send("PUT", "/login").status == 405
    assert browser.send("DELETE", "/account").status == 405


def _token(page: Page) -> str:
    return next(item.get("value") or "" for item in page.root.all("input") if item.get("name") == "csrf_token")


def _post(browser: Browser, person: Person, token: str | None, headers: dict[str, str] | None = None) -> Page:
    data = {"username": person.username, "password": person.password}
    if token is not None:
        data["csrf_token"] = token
    return browser.send("POST", "/login", data=data, headers=headers or {})
