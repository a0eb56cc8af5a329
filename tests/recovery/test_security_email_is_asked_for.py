"""Whoever has no security email is asked for one after the right password, before anything else opens (R11 to R16)."""

from sqlalchemy import func, select

from idp.database import db
from idp.sessions.models import BrowserSession
from tests.factories import Person, Registered
from tests.login.conftest import request_of
from tests.pages import Browser
from tests.recovery.conftest import SENT, SETUP, enter


def sessions() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(BrowserSession)) or 0


def test_r11_the_page_opens_after_the_password_and_nothing_else_does(
    browser: Browser, newcomer: Person, gradebook: Registered
) -> None:
    browser.open(request_of(gradebook), follow=True)
    browser.log_in(newcomer.username, newcomer.password)
    assert (browser.location or "").startswith(f"{SETUP}?continue=")
    other_tab = Browser(browser.client, browser.origin)

    assert (other_tab.open(request_of(gradebook)).location or "").startswith("/login?continue=")
    for path in ("/", "/account/settings", "/account/security-email", SENT, "/setup/password"):
        assert not (other_tab.open(path).location or "/").startswith("/account"), path
        assert other_tab.status == 303
    assert sessions() == 0
    browser.follow()
    enter(browser, newcomer)
    browser.follow()
    assert (browser.click("Continue", follow=True).location or "").startswith(
        "https://gradebook.example/callback?code="
    )
