"""Whoever has no security email is asked for one after the right password, before anything else opens (R11 to R16)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import clock
from idp.accounts import security_emails
from idp.accounts import service as accounts
from idp.accounts.models import ADMIN, GUARDIAN, SUPPORT, Account
from idp.accounts.security_emails import Status
from idp.admin import people
from idp.admin.people import WithTemporaryPassword
from idp.database import db
from idp.sessions.models import BrowserSession
from idp.settings import Settings
from tests.counted import counted
from tests.databases import AppBuilder, with_database
from tests.factories import Person, Registered
from tests.ladders import without_robot_checks
from tests.login.conftest import events, request_of
from tests.pages import Browser
from tests.recovery.conftest import ADDRESS, SENT, SETUP, Travel, enter, form_token, mails, set_up


def sessions() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(BrowserSession)) or 0


def status(person: Person) -> Status:
    db.session.rollback()
    return security_emails.status(person.id)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wrong passwords bring waits here; the robot checks before them are tested elsewhere."""
    return without_robot_checks(settings)


def test_r11_r44_the_page_opens_after_the_right_password_and_nothing_else_does(
    browser: Browser, newcomer: Person, gradebook: Registered
) -> None:
    browser.open(request_of(gradebook), follow=True)
    assert browser.log_in(newcomer.username, "a wrong password").status == 422
    browser.log_in(newcomer.username, newcomer.password)
    assert (browser.location or "").startswith(f"{SETUP}?continue=")
    other_tab = Browser(browser.client, browser.origin)

    assert (other_tab.open(request_of(gradebook)).location or "").startswith("/login?continue=")
    for path in ("/", "/account/settings", "/account/security-email", SENT, "/reauthenticate?next=/"):
        assert (other_tab.open(path).location or "").startswith("/login"), path
    assert sessions() == 0
    browser.follow()
    enter(browser, newcomer)
    browser.follow()
    assert (browser.click("Continue", follow=True).location or "").startswith(
        "https://gradebook.example/callback?code="
    )


@pytest.mark.parametrize("role", [GUARDIAN, SUPPORT, ADMIN])
def test_r11_it_opens_at_each_log_in_until_it_is_done(
    account: Callable[..., Person], new_browser: Callable[[], Browser], role: str
) -> None:
    person = account(security_email=None, role=role)
    for _ in range(2):
        assert new_browser().log_in(person.username, person.password).location == SETUP
    set_up(new_browser(), person)

    assert new_browser().log_in(person.username, person.password).location == "/"


def test_r11_the_page_of_a_new_password_is_no_way_round_it(browser: Browser, newcomer: Person) -> None:
    """Somebody whose password is no temporary one changes nothing by the page that replaces one."""
    browser.log_in(newcomer.username, newcomer.password)
    page = browser.follow()
    form = {"csrf_token": form_token(page), "new_password": "a lantern over the pond"}

    assert browser.open("/setup/password").location == SETUP
    assert browser.send("POST", "/setup/password", data=form).location == SETUP
    assert sessions() == 0
    assert events("password_change") == []


def test_r11_the_new_password_comes_first(browser: Browser, newcomer: Person) -> None:
    issued = people.issue_temporary_password(newcomer.username, actor_id=None, now=clock.now())
    assert isinstance(issued, WithTemporaryPassword)
    browser.open("/account/history", follow=True)
    browser.log_in(newcomer.username, issued.temporary_password)

    assert browser.location == "/setup/password?next=/account/history"
    assert browser.open(f"{SETUP}?next=/account/history").location == "/setup/password?next=/account/history"
    browser.follow()
    browser.fill("New Password", "a lantern over the pond").press("Save")
    assert browser.location == f"{SETUP}?next=/account/history"
    assert sessions() == 0
    browser.follow()
    assert enter(browser, newcomer, password="a lantern over the pond").location == f"{SENT}?next=/account/history"
    browser.follow()
    assert browser.click("Continue").path == "/account/history"
    assert browser.status == 200


@pytest.mark.parametrize("way", ["phone", "letter"])
def test_r11_a_family_without_email_passes(browser: Browser, account: Callable[..., Person], way: str) -> None:
    person = account(security_email=None, recovery_by=way)

    assert browser.log_in(person.username, person.password).location == "/"


def test_r12_r13_r15_the_page_says_what_it_is_for_and_offers_the_address_on_file(
    browser: Browser, newcomer: Person
) -> None:
    browser.log_in(newcomer.username, newcomer.password)
    page = browser.follow()
    field = page.field("Email Address")

    assert "if you forget your" in page.words
    assert "username or password" in page.words
    assert "“Forgot Password?” and “Forgot Username?” work for you only after" in page.words
    assert "This does not change your password." in page.error("Current Password")
    assert (field.get("type"), field.get("autocomplete")) == ("email", "email")
    assert page.value("Email Address") == newcomer.email
    assert page.field("Current Password").get("autocomplete") == "current-password"
    assert page.buttons == ["Save"]


def test_r13_it_may_be_the_one_on_file_and_another_guardian_s_and_the_file_stays_as_it_is(
    new_browser: Callable[[], Browser], newcomer: Person, account: Callable[..., Person]
) -> None:
    other = account(security_email=None)
    for person in (newcomer, other):
        assert set_up(new_browser(), person, "shared@example.net").status == 303
    assert newcomer.email is not None
    third = account(security_email=None)
    assert set_up(new_browser(), third, third.email or "").status == 303

    assert status(newcomer) == status(other) == Status(None, "shared@example.net")
    assert status(third) == Status(None, third.email)
    assert accounts.get(newcomer.id).email == newcomer.email
    assert not accounts.get(newcomer.id).email_verified


def test_r14_a_wrong_password_stores_nothing_mails_nothing_and_counts(browser: Browser, newcomer: Person) -> None:
    browser.log_in(newcomer.username, newcomer.password)
    browser.follow()
    refused = [enter(browser, newcomer, password="a wrong password").status for _ in range(6)]

    assert refused == [422] * 5 + [429]
    assert enter(browser, newcomer).status == 429
    assert status(newcomer) == Status(None, None)
    assert mails() == []
    assert [event.details["reason"] for event in events("security_email_set")] == ["wrong_password"] * 5
    assert sessions() == 0


def test_r14_a_refused_page_keeps_the_address_and_says_what_is_wrong(browser: Browser, newcomer: Person) -> None:
    browser.log_in(newcomer.username, newcomer.password)
    browser.follow()
    refused = enter(browser, newcomer, password="a wrong password")

    assert "This is not your current password" in refused.error("Current Password")
    assert refused.value("Email Address") == ADDRESS
    missing = browser.fill("Email Address", "no address").press("Save")
    assert missing.status == 422
    assert "This is no email address" in missing.error("Email Address")
    assert "Enter your current password" in missing.error("Current Password")


def test_r14_a_slip_is_pointed_out_and_accepted_when_it_is_sent_again(browser: Browser, newcomer: Person) -> None:
    browser.log_in(newcomer.username, newcomer.password)
    browser.follow()
    pointed_out = enter(browser, newcomer, "ewa@gmial.com")

    assert "Did you mean ewa@gmail.com?" in pointed_out.error("Email Address")
    assert status(newcomer) == Status(None, None)
    assert enter(browser, newcomer, "ewa@gmial.com").status == 303
    assert status(newcomer) == Status(None, "ewa@gmial.com")


def test_r15_the_old_password_still_works(
    browser: Browser, new_browser: Callable[[], Browser], newcomer: Person
) -> None:
    before = accounts.get_with_credentials(newcomer.id).password_hash
    set_up(browser, newcomer)
    db.session.rollback()

    assert accounts.get_with_credentials(newcomer.id).password_hash == before
    assert new_browser().log_in(newcomer.username, newcomer.password).status == 303


@pytest.mark.parametrize(("language", "subject"), [("en", "Verify your security email"), ("es", "Verifique su correo")])
def test_r16_r41_r42_one_mail_goes_out_and_the_page_says_where_to_and_what_to_look_for(
    app: Flask, browser: Browser, newcomer: Person, language: str, subject: str
) -> None:
    district = replace(app.config["IDP"].district, languages=("en", "es"))
    sender = replace(app.config["IDP"].mail, sender="portal@d207.example")
    app.config["IDP"] = replace(app.config["IDP"], district=district, mail=sender)
    db.session.get_one(Account, newcomer.id).locale = language
    db.session.commit()
    set_up(browser, newcomer)
    browser.headers = {"Accept-Language": "en"}
    page = browser.follow()

    (mail,) = mails()
    assert (mail.to, mail.language) == (ADDRESS, language)
    assert mail.subject.startswith(subject)
    assert newcomer.username in mail.text
    assert ADDRESS not in page.words
    assert "e***@example.net" in page.words
    assert "portal@d207.example" in page.words
    assert mail.subject in page.words
    assert "Spam" in page.words
    assert "/support?topic=verification-email" in page.links.values()


def test_a_page_that_lay_open_or_was_sent_twice_enters_nothing(
    browser: Browser, newcomer: Person, travel: Travel
) -> None:
    browser.log_in(newcomer.username, newcomer.password)
    browser.follow()
    with travel(timedelta(minutes=31)):
        assert enter(browser, newcomer).location == "/login"
    steps = browser.cookies["idp_steps"]
    browser.open(SETUP)
    second_tab = Browser(browser.client, browser.origin)
    second_tab.open(SETUP)
    assert enter(browser, newcomer).status == 303
    browser.client.set_cookie("idp_steps", steps)

    assert enter(second_tab, newcomer, "other@example.net").location == "/login"
    assert status(newcomer) == Status(None, ADDRESS)
    assert len(mails()) == 1


def test_whoever_used_up_the_mails_is_let_in_and_asks_for_one_later(
    browser: Browser, newcomer: Person, new_browser: Callable[[], Browser]
) -> None:
    for _ in range(4):
        security_emails.drop_pending(newcomer.id)
        db.session.commit()
        page = set_up(new_browser(), newcomer)
        assert page.status == 303

    assert len(mails()) == 3
    assert status(newcomer) == Status(None, ADDRESS)


class TestPutOff:
    """How often the page may be put off is a setting (R11)."""

    @pytest.fixture
    def app(self, settings: Settings, database_url: str, build_app: AppBuilder) -> Iterator[Flask]:
        """A district that lets a guardian put it off twice."""
        chosen = replace(settings, recovery=replace(settings.recovery, setup_postponements=2))
        app = build_app(with_database(chosen, database_url))
        with app.app_context():
            yield app

    def test_r11_it_may_be_put_off_as_often_as_the_setting_says(
        self, new_browser: Callable[[], Browser], newcomer: Person
    ) -> None:
        for _ in range(2):
            browser = new_browser()
            browser.log_in(newcomer.username, newcomer.password, path="/login?next=/account/history")
            assert "Not Now" in browser.follow().buttons
            assert browser.press("Not Now").location == "/account/history"
            assert browser.follow().status == 200
        browser = new_browser()
        browser.log_in(newcomer.username, newcomer.password)
        page = browser.follow()
        forged = {"csrf_token": form_token(page), "later": "yes"}

        assert page.buttons == ["Save"]
        assert browser.send("POST", SETUP, data=forged).location == SETUP
        assert len(events("security_email_put_off")) == 2
        assert mails() == []


def test_asking_whether_there_is_one_costs_a_log_in_no_statement(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    with counted() as spent:
        browser.log_in(parent.username, parent.password)

    asking = [text for text in spent.statements if "security_emails" in text]
    assert len(asking) == 1
    assert "accounts.password_hash" in asking[0]
