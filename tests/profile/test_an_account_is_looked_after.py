"""Where somebody is logged in, what happened on the account, and which applications know it."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from idp.database import db
from idp.profile import user_agents
from idp.sessions.models import BrowserSession
from tests.factories import Person
from tests.oidc.conftest import Application
from tests.pages import Browser

ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def test_one_other_browser_is_logged_out(
    logged_in: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    elsewhere = new_browser()
    elsewhere.headers["User-Agent"] = ANDROID
    elsewhere.log_in(parent.username, parent.password)

    page = logged_in.open("/account/sessions")
    assert page.words.count("Logged in ") == 2
    assert page.words.count("(this browser)") == 1
    assert logged_in.press("Log Out: Chrome on Android").location == "/account/sessions?done=ended"

    assert elsewhere.open("/account").status == 303
    assert "You are logged in nowhere else." in logged_in.follow().words


def test_all_other_browsers_are_logged_out_at_once(
    logged_in: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    others = [new_browser() for _ in range(3)]
    for other in others:
        other.log_in(parent.username, parent.password)

    logged_in.open("/account/sessions")
    logged_in.press("Log out everywhere else")

    assert [other.open("/account").status for other in others] == [303, 303, 303]
    assert logged_in.open("/account").status == 200


def test_nobody_ends_a_session_of_somebody_else(
    app: Flask, logged_in: Browser, account: Callable[..., Person], new_browser: Callable[[], Browser]
) -> None:
    somebody = account()
    elsewhere = new_browser()
    elsewhere.log_in(somebody.username, somebody.password)
    page = elsewhere.open("/account/sessions")
    assert "You are logged in nowhere else." in page.words
    (theirs,) = db.session.scalars(select(BrowserSession.id).where(BrowserSession.account_id == somebody.id))

    for chosen, status in ((str(theirs), 303), ("", 404), ("x", 404), ("all ", 404), ("0" * 32, 303)):
        fields = logged_in.open("/account/sessions").root.all("input")
        protection = {field.get("name"): field.get("value") for field in fields if field.get("type") == "hidden"}
        sent = logged_in.send("POST", "/account/sessions/end", data=protection | {"session": chosen})
        assert sent.status == status

    assert elsewhere.open("/account").status == 200


def test_r22_a_guardian_sees_that_somebody_tried(
    logged_in: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    new_browser().log_in(parent.username, "a wrong password")

    page = logged_in.open("/account/history")

    assert "A try to log in" in page.words
    assert "Logged in" in page.words
    assert page.words.index("A try to log in") < page.words.index("Logged in"), "the newest first"


def test_what_an_application_was_allowed_is_taken_back(
    logged_in: Browser, new_application: Callable[..., Application]
) -> None:
    """Its token dies at once, and does not live again when the person consents anew."""
    asking = new_application("Book Fair", first_party=False)
    token = _token(logged_in, asking)
    assert asking.userinfo(token).status_code == 200

    page = logged_in.open("/account/applications")
    assert "Book Fair" in page.words
    logged_in.press("Take it back: Book Fair")
    assert "has to ask you again" in logged_in.follow().words
    assert asking.userinfo(token).status_code == 401

    again = _token(logged_in, asking)
    assert asking.userinfo(again).status_code == 200
    assert asking.userinfo(token).status_code == 401


def _token(browser: Browser, application: Application) -> str:
    """Consent, and return the access token that the application gets."""
    browser.open(f"/oauth/authorize?{urlencode(application.parameters())}")
    browser.follow_all()
    browser.press("Allow")
    code = parse_qs(urlsplit(browser.follow_all().location or "").query)["code"][0]
    token: str = json.loads(application.redeem(code).get_data())["access_token"]
    return token


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (ANDROID, "Chrome on Android"),
        (IPHONE, "Safari on iPhone"),
        (WINDOWS, "Edge on Windows"),
        (LINUX, "Firefox on Linux"),
        ("<script>", "A browser that does not say what it is"),
        ("", "A browser that does not say what it is"),
    ],
)
def test_a_browser_is_called_by_the_name_that_people_know(app: Flask, user_agent: str, words: str) -> None:
    with app.test_request_context():
        assert user_agents.describe(user_agent) == words
