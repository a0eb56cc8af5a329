"""A security email is changed in Account Settings, and its owner can stop a change that somebody else made."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.accounts import security_emails
from idp.accounts import service as accounts
from idp.accounts.security_emails import Status
from idp.database import db
from idp.recovery import security_email, tokens
from idp.recovery.models import RESET
from idp.recovery.security_email import NothingPending, Sent
from idp.settings import Settings
from tests.factories import Person
from tests.ladders import without_robot_checks
from tests.login.conftest import events
from tests.pages import Browser, Page
from tests.recovery.conftest import ADDRESS, OTHER, SENT, Travel, enter, mails, verify
from tests.recovery.forgetting import NEW, choose, letter_for

CHANGE = "/account/security-email"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wrong passwords bring waits here; the robot checks before them are tested elsewhere."""
    return without_robot_checks(settings)


@pytest.fixture
def owner(account: Callable[..., Person]) -> Person:
    """Somebody whose security email is verified, and is not the address on file."""
    return account(security_email=ADDRESS)


@pytest.fixture
def inside(browser: Browser, owner: Person) -> Browser:
    """The browser in which they are logged in."""
    browser.log_in(owner.username, owner.password)
    return browser


def status(person: Person) -> Status:
    db.session.rollback()
    return security_emails.status(person.id)


def change(browser: Browser, person: Person, address: str = OTHER) -> Page:
    browser.open(CHANGE)
    return enter(browser, person, address)


def test_r32_r33_r34_r35_the_way_there_is_the_faq_s(inside: Browser) -> None:
    inside.open("/?show=profile")
    inside.click("Settings")
    inside.click("Account Settings")
    page = inside.click("Update Security email")

    assert page.path == CHANGE


def test_r35_the_button_reads_add_while_there_is_none(browser: Browser, account: Callable[..., Person]) -> None:
    person = account(security_email=None, recovery_by="phone")
    browser.log_in(person.username, person.password)
    page = browser.open("/account/settings")

    assert "No address yet" in page.words
    assert "Update Security email" not in page.links
    page = browser.click("Add Security email")
    assert page.value("Email Address") == person.email
    assert enter(browser, person).location == SENT
    assert "Update Security email" in browser.open("/account/settings").links


def test_r36_both_fields_are_required_and_the_note_stands_there_again(inside: Browser, owner: Person) -> None:
    page = inside.open(CHANGE)
    assert page.field("Email Address").get("type") == "email"
    assert "“Forgot Password?” and “Forgot Username?” work for you only after" in page.words, "R38"
    refused = inside.press("Save")

    assert refused.status == 422
    assert "Enter an email address" in refused.error("Email Address")
    assert "Enter your current password" in refused.error("Current Password")
    assert "This does not change your password" in refused.error("Current Password")
    same = enter(inside, owner, ADDRESS.upper())
    assert "your security email already" in same.error("Email Address")
    assert mails() == []


def test_r37_r38_the_new_one_is_pending_and_the_old_one_works_until_it_is_verified(
    inside: Browser, owner: Person, new_browser: Callable[[], Browser]
) -> None:
    assert change(inside, owner).location == SENT
    assert "e***@example.com" in inside.follow().words
    assert status(owner) == Status(ADDRESS, OTHER)
    assert [found.id for found in security_emails.find_accounts(ADDRESS)] == [owner.id]
    assert security_emails.find_accounts(OTHER) == []
    words = inside.open("/account/settings").words
    assert f"{ADDRESS} Verified" in words.replace(" | ", " ")
    assert f"{OTHER} Not verified" in words.replace(" | ", " ")
    verify(new_browser(), mails(OTHER)[-1].link)

    assert status(owner) == Status(OTHER, None)
    assert security_emails.find_accounts(ADDRESS) == []
    assert len(events("security_email_changed")) == 1


def test_what_was_mailed_to_the_old_address_opens_nothing_after_the_change(
    inside: Browser, owner: Person, new_browser: Callable[[], Browser]
) -> None:
    reset = tokens.issue(RESET, owner.id, ADDRESS, clock.now())
    db.session.commit()
    change(inside, owner)
    assert tokens.find(RESET, reset.token, clock.now())
    verify(new_browser(), mails(OTHER)[-1].link)
    db.session.rollback()

    assert tokens.find(RESET, reset.token, clock.now()) is None


def test_pr19_an_address_that_waits_ends_with_the_password_that_entered_it(
    inside: Browser, owner: Person, new_browser: Callable[[], Browser]
) -> None:
    """Else a stranger who had the old password could still make it theirs, and have a new one mailed there."""
    change(inside, owner)
    (link,) = [mail.link for mail in mails(OTHER)]
    stranger = new_browser()
    stranger.open(link, follow=True)
    inside.open("/account/password")
    inside.fill("Current Password", owner.password).fill("New Password", NEW).press("Save")
    page = inside.follow()

    assert "which was not verified yet, was removed" in page.words
    assert OTHER not in page.words
    assert stranger.press("Verify").status == 410
    assert new_browser().open(link, follow=True).status == 410
    assert status(owner) == Status(ADDRESS, None)


def test_pr19_a_change_needs_the_password_of_this_very_account_and_a_session(
    inside: Browser, owner: Person, account: Callable[..., Person], travel: Travel
) -> None:
    other = account(password="harbour violin plum sketch")
    wrong = [
        inside.open(CHANGE) and enter(inside, owner, OTHER, password).status for password in ("wrong", other.password)
    ]
    assert wrong == [422, 422]
    assert (status(owner), mails()) == (Status(ADDRESS, None), [])
    assert [event.account_id for event in events("security_email_set")] == [owner.id] * 2
    stolen = inside.cookies["idp_session"]
    change(inside, owner)
    assert inside.cookies["idp_session"] != stolen
    with travel(timedelta(hours=13)):
        inside.open("/login")
        assert (inside.open(CHANGE).location or "").startswith("/login")
    assert [mail.kind for mail in mails(ADDRESS)] == ["recovery/change_asked"], "the notice"


def test_pr19_twenty_wrong_passwords_are_made_to_wait(inside: Browser, owner: Person) -> None:
    inside.open(CHANGE)
    answers = [enter(inside, owner, OTHER, "wrong").status for _ in range(8)]

    assert answers == [422] * 5 + [429] * 3
    assert "Retry-After" in inside.page.headers


def test_r37_the_old_address_hears_of_it_and_is_not_told_the_new_one(inside: Browser, owner: Person) -> None:
    change(inside, owner)
    (notice,) = mails(ADDRESS)

    assert notice.link.startswith("/not-me?token=")
    assert OTHER not in notice.text + notice.html
    assert owner.username in notice.text
    assert len(mails()) == 2


@pytest.mark.parametrize("verified", [False, True])
def test_r37_this_was_not_me_stops_the_change_and_locks_out_who_made_it(
    inside: Browser, owner: Person, new_browser: Callable[[], Browser], *, verified: bool
) -> None:
    change(inside, owner)
    if verified:
        verify(new_browser(), mails(OTHER)[-1].link)
    victim, notice = new_browser(), mails(ADDRESS)[0]
    assert "password stops working" in victim.open(notice.link, follow=True).words
    assert inside.open("/account").status == 200, "a link that was opened alone does nothing"
    page = victim.press("This Was Not Me", follow=True)

    assert "/forgot-password" in page.links.values()
    assert status(owner) == Status(ADDRESS, None)
    assert (inside.open("/account").location or "").startswith("/login")
    assert new_browser().log_in(owner.username, owner.password).status == 422
    assert new_browser().open(mails(OTHER)[-1].link, follow=True).status == 410
    assert new_browser().open(notice.link, follow=True).status == 410
    assert len(events("security_email_objection")) == 1


def test_r37_after_an_objection_forgot_password_leads_back_in_by_the_old_address(
    inside: Browser, owner: Person, new_browser: Callable[[], Browser]
) -> None:
    change(inside, owner)
    verify(new_browser(), mails(OTHER)[-1].link)
    victim = new_browser()
    victim.open(mails(ADDRESS)[0].link, follow=True)
    victim.press("This Was Not Me", follow=True)

    letter = letter_for(victim, owner.username)
    assert letter.to == ADDRESS
    assert choose(victim, letter).status == 303

    assert new_browser().log_in(owner.username, NEW).status == 303
    assert victim.open("/account").status == 200


def test_r37_another_change_does_not_take_the_objection_to_the_first_one_away(
    inside: Browser, owner: Person, new_browser: Callable[[], Browser]
) -> None:
    change(inside, owner)
    verify(new_browser(), mails(OTHER)[-1].link)
    change(inside, owner, "third@example.com")
    victim = new_browser()
    victim.open(mails(ADDRESS)[0].link, follow=True)
    victim.press("This Was Not Me")

    assert status(owner) == Status(ADDRESS, None)
    assert new_browser().open(mails(OTHER)[-1].link, follow=True).status == 410, "theirs no longer works"


def test_an_objection_is_good_for_fourteen_days(
    inside: Browser, owner: Person, new_browser: Callable[[], Browser], travel: Travel
) -> None:
    change(inside, owner)
    link = mails(ADDRESS)[0].link
    with travel(timedelta(days=13, hours=23)):
        assert new_browser().open(link, follow=True).status == 200
    with travel(timedelta(days=14, seconds=1)):
        page = new_browser().open(link, follow=True)

    assert page.status == 410
    assert "/forgot-password" in page.links.values()


def test_r40_the_support_team_sends_it_again_and_is_on_record(owner: Person, admin: Person, app: Flask) -> None:
    assert security_email.resend(owner.id, clock.now(), admin.id) == NothingPending()
    security_emails.set_pending(owner.id, OTHER, clock.now())
    db.session.commit()

    assert security_email.resend(owner.id, clock.now(), admin.id) == Sent(OTHER)
    assert [event.actor_id for event in events("security_email_resent")] == [admin.id]
    assert len(mails(OTHER)) == 1


def test_r47_the_username_is_read_only_and_leads_to_the_form(inside: Browser, owner: Person) -> None:
    page = inside.open("/account/settings")

    assert owner.username in page.words
    assert page.links["Change my username"] == "/support?topic=change-username"
    assert page.fields == []


def test_what_happened_is_told_in_words(inside: Browser, owner: Person, new_browser: Callable[[], Browser]) -> None:
    change(inside, owner)
    verify(new_browser(), mails(OTHER)[-1].link)
    words = inside.open("/account/history").words

    assert "A security email was entered" in words
    assert "The security email was changed" in words


def test_a_mail_is_written_to_an_address_of_other_letters(inside: Browser, owner: Person) -> None:
    assert change(inside, owner, "ewa@M\u00dcLLER.example").status == 303

    assert status(owner) == Status(ADDRESS, "ewa@m\u00fcller.example")
    assert len(mails("ewa@m\u00fcller.example")) == 1


def test_a_password_that_was_reset_needs_no_other_address(owner: Person) -> None:
    """The notice of a new password goes to where recovery goes."""
    assert security_emails.notice_address(accounts.get(owner.id)) == ADDRESS
    security_emails.set_pending(owner.id, OTHER, clock.now())
    assert security_emails.notice_address(accounts.get(owner.id)) == ADDRESS
