"""Somebody who had a family's password, or its browser, for a while gets no way into the account by it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from idp import clock
from idp.accounts import security_emails
from idp.accounts import service as accounts
from idp.accounts.security_emails import Status
from idp.admin import people
from idp.database import db
from tests.factories import Person
from tests.pages import Browser
from tests.recovery.conftest import Travel, enter, mails, set_up, verify
from tests.recovery.forgetting import ADDRESS, NEW, choose, family, letter_for
from tests.recovery.forgetting import verify as give_address

__all__ = ["family"]
STRANGER = "stranger@example.net"


def ask_for_change(browser: Browser, person: Person, address: str) -> None:
    """Enter another address in Account Settings."""
    browser.open("/account/security-email")
    enter(browser, person, address)


def status(person: Person) -> Status:
    db.session.rollback()
    return security_emails.status(person.id)


def test_a_page_saves_a_password_for_nobody_but_whom_it_names(
    browser: Browser, new_browser: Callable[[], Browser], family: Person, account: Callable[..., Person]
) -> None:
    stranger = account("mallory")
    give_address(stranger, STRANGER)
    planted = letter_for(new_browser(), stranger.username)
    browser.open(letter_for(new_browser(), family.username).path, follow=True)
    browser.fill("New Password", NEW)
    replace(browser).open(planted.path)  # in another tab
    browser.press("Save")

    assert browser.status == 422
    assert browser.page.value("Username") == stranger.username
    assert "Another link was opened in this browser" in browser.words
    assert new_browser().log_in(stranger.username, NEW).status == 422
    assert browser.fill("New Password", NEW).press("Save").status == 303


def test_pr9_a_code_opens_nothing_after_the_password_was_changed(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)
    accounts.set_password(accounts.get(family.id), NEW, clock.now())
    db.session.commit()

    assert browser.fill("Code", letter.code).press("Go On").status == 422


def test_pr9_an_address_that_waited_is_gone_after_a_reset(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    stranger = new_browser()
    stranger.log_in(family.username, family.password)
    ask_for_change(stranger, family, STRANGER)
    choose(browser, letter_for(browser, family.username))

    assert status(family) == Status(ADDRESS, None)


@pytest.mark.parametrize("renew", [people.mail_first_password, people.issue_temporary_password])
def test_pr9_an_address_that_waited_is_gone_with_the_password_that_entered_it(
    browser: Browser, newcomer: Person, renew: Callable[..., object]
) -> None:
    set_up(browser, newcomer, STRANGER)
    link = mails(STRANGER)[-1].link
    renew(newcomer.username, actor_id=None, now=clock.now())

    assert status(newcomer) == Status(None, None)
    assert browser.open(link, follow=True).status == 410


def test_r37_a_change_is_told_before_it_counts_even_when_mails_were_used_up(
    browser: Browser, family: Person, travel: Travel
) -> None:
    browser.log_in(family.username, family.password)
    for number in range(6):
        ask_for_change(browser, family, f"own{number}@example.org")
    ask_for_change(browser, family, STRANGER)
    told = len(mails(ADDRESS))
    assert mails(STRANGER) == []

    with travel(timedelta(hours=7)):
        browser.log_in(family.username, family.password)
        for _twice in range(2):
            browser.open("/account/security-email/sent")
            browser.press("Resend Verification Email")

        assert len(mails(STRANGER)) == 1
        assert len(mails(ADDRESS)) == told + 1
        verify(browser, mails(STRANGER)[0].link)
        assert browser.open(mails(ADDRESS)[-1].link, follow=True).status == 200


@pytest.mark.parametrize("on_file", ["ewa at example.org", "ewa@example.org, x@example.net"])
def test_an_address_on_file_that_is_none_keeps_nobody_from_verifying_or_from_a_new_password(
    browser: Browser, newcomer: Person, on_file: str
) -> None:
    accounts.get(newcomer.id).email = on_file
    db.session.commit()
    set_up(browser, newcomer, ADDRESS)
    browser.open("/account/password")
    browser.fill("Current Password", newcomer.password).fill("New Password", NEW)
    assert browser.press("Save").status == 303
    browser.open("/account/security-email")  # the address went with the password that had entered it
    enter(browser, newcomer, ADDRESS, NEW)

    assert verify(browser, mails(ADDRESS)[-1].link).status == 200
    assert status(newcomer) == Status(ADDRESS, None)
