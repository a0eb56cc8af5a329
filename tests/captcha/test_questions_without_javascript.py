"""Without JavaScript the questions come by plain forms, before a username and a password are typed."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from idp.captcha import rounds
from idp.captcha.models import RobotCheck
from idp.captcha.pictures import TILES
from idp.captcha.rounds import Spoken, Squares
from idp.database import db
from idp.settings import Settings
from idp.throttle.ladder import Level
from tests.captcha.conftest import NOW  # noqa: F401  the fixtures beside it
from tests.factories import Person
from tests.pages import Browser, Page


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of a district with two languages."""
    return replace(settings, district=replace(settings.district, languages=("en", "es")))


def newest() -> RobotCheck:
    """Return the check that was begun last."""
    db.session.rollback()
    return db.session.scalars(select(RobotCheck).order_by(RobotCheck.begun_at.desc())).first() or RobotCheck()


def solve(browser: Browser) -> Page:
    """Select what is right on the page that is open, and press Verify."""
    task = rounds.read(newest().task)
    assert isinstance(task, Squares)
    for square in task.right:
        browser.tick(f"Square {square + 1} of {TILES}")
    return browser.press("Verify")


def begin(browser: Browser, query: str = "purpose=log_in", button: str = "Show Pictures") -> Page:
    """Open the page, and press a button."""
    browser.open(f"/robot?{query}")
    return browser.press(button)


def test_r25_r26_r28_the_rounds_lead_back_to_the_log_in_page(browser: Browser) -> None:
    first = begin(browser, "purpose=log_in&next=/help")
    assert first.status == 200
    assert "Question 1 of 2" in first.words
    assert "Select all squares with" in first.words
    assert "OpenMoji" in first.words
    assert "Question 2 of 2" in solve(browser).words
    done = solve(browser)

    assert (done.status, done.location) == (303, "/login?next=/help")
    assert newest().level == Level.PICTURES
    assert len(browser.cookies["idp_robot"]) == 43


def test_r26_a_wrong_answer_is_told_and_gives_a_new_question(browser: Browser) -> None:
    begin(browser)
    again = browser.press("Verify")

    assert again.status == 422
    assert "That was not right. Here is a new question." in again.words
    assert again.title.startswith("Error:")
    assert "Question 1 of 2" in again.words


def test_r25_it_can_be_listened_to(browser: Browser) -> None:
    begin(browser, button="Listen Instead")
    for _ in range(2):
        task = rounds.read(newest().task)
        assert isinstance(task, Spoken)
        assert "media-src data:" in browser.page.headers["Content-Security-Policy"]
        browser.fill("The digits that you hear", task.answer)
        done = browser.press("Verify")

    assert (done.status, done.location) == (303, "/login")


def test_there_are_other_questions_for_whoever_cannot_answer_one(browser: Browser) -> None:
    begin(browser)
    assert "The digits that you hear" in browser.press("Listen Instead").fields
    assert f"Square 1 of {TILES}" in browser.press("Show Pictures").fields
    assert newest().tasks == 3


def test_whoever_goes_on_too_late_begins_anew(browser: Browser) -> None:
    begin(browser)
    row = newest()
    row.expires_at = row.begun_at
    db.session.commit()
    late = browser.press("Verify")

    assert late.status == 410
    assert "This check is over" in late.words
    assert browser.press("Show Pictures").status == 200


def test_what_leads_on_is_carried_along_and_no_other_address(browser: Browser) -> None:
    sealed = "k1." + "a" * 2000
    begin(browser, f"purpose=log_in&continue={sealed}")
    solve(browser)
    done = solve(browser)
    assert parse_qs(urlsplit(done.location or "").query) == {"continue": [sealed]}

    begin(browser, "purpose=log_in&next=https://evil.example/")
    solve(browser)
    assert solve(browser).location == "/login"


def test_for_a_password_that_is_asked_again_it_leads_back_to_that_page(browser: Browser) -> None:
    begin(browser, "purpose=reauthentication&next=/account/password")
    solve(browser)

    assert solve(browser).location == "/account/password"
    assert newest().purpose == "reauthentication"


def test_the_box_is_checked_then_on_the_page_that_it_was_for(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, parent.password)
    for purpose, page in (("reauthentication", "/account/password"), ("log_in", "/login")):
        begin(browser, f"purpose={purpose}&next={page}")
        solve(browser)
        solve(browser)
        assert browser.open("/account/password").fields.count("I'm not a robot") == (purpose == "reauthentication")
    browser.open("/logout")
    browser.press("Log Out")

    assert browser.open("/login").field("I'm not a robot").get("checked") is not None
    assert browser.log_in(parent.username, parent.password).status == 303


def test_it_is_asked_in_spanish(browser: Browser) -> None:
    browser.headers = {"Accept-Language": "es"}
    browser.open("/robot?purpose=log_in")
    page = browser.press("Mostrar imágenes")

    assert "Seleccione todos los cuadros con" in page.words
    assert "Pregunta 1 de 2" in page.words
