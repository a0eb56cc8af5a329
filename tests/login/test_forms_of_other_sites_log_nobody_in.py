"""Login CSRF: a form that is not ours, or too old, logs nobody in, and loses nobody either."""

from collections.abc import Callable

from tests.factories import Person, Registered
from tests.login.conftest import events, request_of
from tests.pages import Browser


def filled(person: Person, **more: str) -> dict[str, str]:
    return {"username": person.username, "password": person.password} | more


def test_a_form_without_a_token_shows_the_page_anew_and_tries_nothing(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    answer = browser.send("POST", "/login?next=/account", data=filled(parent))

    assert answer.status == 400
    assert "nothing was sent. Please log in again." in answer.words
    assert answer.value("Username") == parent.username
    assert parent.password not in answer.text
    assert "idp_session" not in browser.cookies
    assert events("log_in") == []
    assert browser.log_in(parent.username, parent.password).location == "/account"


def test_a_token_of_another_browser_does_not_count_and_the_way_on_is_kept(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person, gradebook: Registered
) -> None:
    attacker = new_browser()
    token = attacker.open("/login").root.all("input")
    foreign = next(item.get("value") or "" for item in token if item.get("name") == "csrf_token")
    browser.open(request_of(gradebook), follow=True)
    answer = browser.send("POST", browser.page.path, data=filled(parent, csrf_token=foreign))

    assert answer.status == 400
    assert "Log in to go on to Gradebook" in answer.words
    browser.log_in(parent.username, parent.password)
    assert (browser.follow_all().location or "").startswith("https://gradebook.example/callback?code=")


def test_a_browser_without_our_cookie_is_told_to_allow_it(browser: Browser, parent: Person) -> None:
    answer = browser.send("POST", "/login", data=filled(parent))

    assert answer.status == 400
    assert "Your browser refuses cookies" in answer.words


def test_what_another_site_sends_is_forbidden(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    answer = browser.send("POST", "/login", data=filled(parent), headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status == 403


def test_the_other_pages_say_that_nothing_was_changed(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, parent.password)

    for path in ("/reauthenticate", "/setup/password"):
        answer = browser.send("POST", path, data={"password": parent.password})
        assert answer.status == 400
        assert "Nothing was changed." in answer.words


def test_hp3_other_methods_are_refused(browser: Browser) -> None:
    for path in ("/login", "/setup/password", "/reauthenticate"):
        for method in ("PUT", "DELETE", "PATCH"):
            assert browser.send(method, path).status == 405, (method, path)


def test_ds1_a_form_that_is_far_too_large_is_refused(browser: Browser) -> None:
    browser.open("/login")

    assert browser.send("POST", "/login", data={"username": "x" * 100_000}).status == 413
