"""A guardian changes the password in the portal, in the FAQ's own words."""

import gzip
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from idp import clock
from idp.accounts import security_emails
from idp.accounts.models import Account, SecurityEmail
from idp.database import db
from idp.mail import service as mail
from idp.mail.models import OutboxMessage
from idp.settings import Settings
from tests.factories import Person
from tests.ladders import without_robot_checks
from tests.login.conftest import events
from tests.pages import Browser, Page

NEW = "willow-harbour-29-lantern"
Travel = Callable[[timedelta], AbstractContextManager[None]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wrong passwords bring waits here; the robot checks before them are tested elsewhere."""
    return without_robot_checks(settings)


def _change(browser: Browser, current: str, new: str) -> Page:
    browser.open("/account/password")
    return browser.fill("Current Password", current).fill("New Password", new).press("Save")


def test_r48_r49_the_way_there_is_the_faq_s(logged_in: Browser) -> None:
    """R33, R34, R48, R49: Profile, Settings, Account Settings, Update next to Password."""
    page = logged_in.open("/?show=profile")
    assert "Profile" in page.buttons
    page = logged_in.click("Settings")
    page = logged_in.click("Account Settings")
    assert "Password" in page.words
    page = logged_in.click("Update Password")

    assert page.path == "/account/password"


def test_r50_the_rules_stand_there_before_anything_is_typed(logged_in: Browser) -> None:
    page = logged_in.open("/account/password")

    assert page.fields[:3] == ["Username", "Current Password", "New Password"]
    assert "At least 15 characters" in page.words


def test_r52_the_new_one_works_and_the_old_one_no_longer(
    logged_in: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    changed = _change(logged_in, parent.password, NEW)
    assert (changed.status, changed.location) == (303, "/account/settings?done=password")
    assert "Your password was changed" in logged_in.follow().words

    assert new_browser().log_in(parent.username, parent.password).status == 422
    assert new_browser().log_in(parent.username, NEW).status == 303


def test_se7_other_sessions_end_and_this_one_is_renewed(
    logged_in: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    """SE7: whoever else was logged in is not; this browser's cookie is a new one, and the old one is worthless."""
    elsewhere = new_browser()
    elsewhere.log_in(parent.username, parent.password)
    stolen = logged_in.cookies["idp_session"]

    _change(logged_in, parent.password, NEW)

    assert logged_in.open("/account").status == 200
    assert elsewhere.open("/account").status == 303
    thief = new_browser()
    thief.client.set_cookie("idp_session", stolen)
    assert thief.open("/account").status == 303


@pytest.mark.parametrize("verified", [True, False])
def test_r52_a_notice_is_mailed_to_the_verified_security_email_or_else_to_the_address_on_file(
    logged_in: Browser, parent: Person, *, verified: bool
) -> None:
    db.session.get_one(Account, parent.id).email = "parent@example.org" if not verified else "other@example.org"
    db.session.execute(delete(SecurityEmail))
    security_emails.set_pending(parent.id, "not.verified@example.org", clock.now())
    if verified:
        security_emails.set_verified(parent.id, "parent@example.org", clock.now())
    db.session.commit()

    _change(logged_in, parent.password, NEW)

    (message,) = db.session.scalars(select(OutboxMessage))
    content = mail.opened(message)
    assert content is not None
    assert message.recipient == "parent@example.org"
    assert content.subject == "Your password was changed"
    assert parent.username in content.text
    assert NEW not in content.text + content.html


def test_pw9_twenty_wrong_current_ones_are_refused_and_made_to_wait(
    app: Flask, logged_in: Browser, parent: Person, travel: Travel
) -> None:
    """PW9: the door shares the budget of all that take a password."""
    pages = [_change(logged_in, f"wrong password {number}", NEW) for number in range(20)]

    assert [page.status for page in pages[:5]] == [422] * 5
    assert {page.status for page in pages[5:]} == {429}
    assert "This is not your current password" in pages[0].words
    assert "Retry-After" in pages[-1].headers
    assert _change(logged_in, parent.password, NEW).status == 429
    assert [event.outcome for event in events("password_change")] == ["failure"] * 5


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("short", "too short"),
        ("", "Enter a new password"),
        ("password1234567", "common words"),
        ("aaaaaaaaaaaaaaaa", "repeats the same"),
        ("district207-is-mine", "name of the district"),
    ],
)
def test_pw7_a_password_that_is_guessed_first_is_refused_with_the_reason(
    logged_in: Browser, parent: Person, new: str, words: str
) -> None:
    page = _change(logged_in, parent.password, new)

    assert page.status == 422
    assert words in page.words
    assert not [field for field in page.root.all("input") if new and field.get("value") == new]


def test_the_same_one_again_is_no_change(logged_in: Browser, parent: Person) -> None:
    page = _change(logged_in, parent.password, parent.password)

    assert page.status == 422
    assert "the password that you have" in page.words


def test_nothing_is_said_of_the_new_one_to_somebody_who_does_not_know_the_old_one(
    logged_in: Browser, parent: Person
) -> None:
    assert "the password that you have" not in _change(logged_in, "a wrong password", parent.password).words


def test_a_visitor_is_led_to_the_log_in_page(browser: Browser) -> None:
    for path in ("", "/settings", "/password", "/sessions", "/history", "/applications"):
        assert browser.open(f"/account{path}").location == f"/login?next=/account{path}"


def test_the_list_for_the_meter_is_loaded_once_and_compressed(logged_in: Browser) -> None:
    """R51: its address changes with its content, so a browser keeps it; nothing in it is secret."""
    meter = next(one for one in logged_in.open("/account/password").root.all("div") if one.get("data-meter"))
    address = meter.get("data-list") or ""

    plain = logged_in.open(address)
    compressed = logged_in.send("GET", address, headers={"Accept-Encoding": "gzip"})

    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in logged_in.open("/password-words?v=another").headers["Cache-Control"]
    assert gzip.decompress(compressed.body) == plain.body
    assert len(compressed.body) < 200_000
    assert {"password", "qwerty"} <= set(plain.text.split())


def test_r50_r51_the_rules_are_tied_to_the_field(logged_in: Browser) -> None:
    """R50: the rules are read out with the field, with and without an error."""
    page = logged_in.open("/account/password")
    assert page.field("New Password").get("aria-describedby") == "new_password-rules"

    logged_in.fill("Current Password", "x").fill("New Password", "short")
    page = logged_in.press("Save")
    assert page.field("New Password").get("aria-describedby") == "new_password-error new_password-rules"
