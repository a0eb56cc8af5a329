"""The team takes a security email away that somebody else has put on a family's account (PR9, R11)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from idp import clock
from idp.accounts import security_emails
from idp.accounts import service as accounts
from idp.accounts.security_emails import Status
from idp.database import db
from tests.factories import Person
from tests.pages import Browser, Page
from tests.recovery.conftest import Mail, enter, mails, verify
from tests.recovery.forgetting import NEW, ask, ask_for_username, work
from tests.support.team import at_desk, events

ON_FILE, STRANGER, OTHER = "ewa@families.example", "stranger@example.net", "other@example.net"
NewBrowser = Callable[[], Browser]


@pytest.fixture
def family(account: Callable[..., Person]) -> Person:
    """Somebody whose account a stranger had for a while, and verified an address of theirs."""
    return account(email=ON_FILE, locale="en", security_email=STRANGER)


def test_the_page_says_when_to_use_it_and_what_else_to_do(desk: Browser, family: Person) -> None:
    desk.open(f"/desk/people/{family.id}")
    page = desk.click("Remove the security email")

    assert "s***@example.net" in page.words
    assert "Use this when somebody else had the account." in page.words
    assert "send a new temporary password, too" in page.words
    assert ON_FILE in page.words


def test_the_address_is_gone_and_the_button_with_it(desk: Browser, family: Person) -> None:
    page = _remove(desk, family)

    assert "The security email is removed" in page.words
    assert "Security email | None yet. It is asked for at the next log-in." in page.words
    assert "Remove the security email" not in page.links
    assert _status(family) == Status(None, None)


def test_an_address_that_waits_goes_too_and_its_link_verifies_nothing(
    desk: Browser, family: Person, new_browser: NewBrowser
) -> None:
    link = _change(new_browser(), family).link
    assert _status(family) == Status(STRANGER, OTHER)

    _remove(desk, family)

    assert new_browser().open(link, follow=True).status == 410
    assert _status(family) == Status(None, None)


def test_a_page_that_was_open_verifies_nothing_either(desk: Browser, family: Person, new_browser: NewBrowser) -> None:
    stranger = new_browser()
    stranger.open(_change(new_browser(), family).link, follow=True)

    _remove(desk, family)

    assert stranger.press("Verify", follow=True).status == 410
    assert _status(family) == Status(None, None)


def test_pr9_this_was_not_me_takes_the_account_back_for_nobody(
    desk: Browser, family: Person, new_browser: NewBrowser
) -> None:
    _change(new_browser(), family)
    objections = [mail.link for mail in mails(STRANGER) if mail.kind == "recovery/change_asked"]
    assert len(objections) == 1

    _remove(desk, family)

    assert new_browser().open(objections[0], follow=True).status == 410
    assert _status(family) == Status(None, None)
    assert new_browser().log_in(family.username, family.password).status == 303, "the password works on"


def test_pr9_a_link_to_a_new_password_that_was_mailed_there_opens_nothing(
    desk: Browser, family: Person, new_browser: NewBrowser
) -> None:
    ask(new_browser(), family.username)
    work()
    (mail,) = mails(STRANGER)
    stranger = new_browser()
    stranger.open(mail.link, follow=True)

    _remove(desk, family)

    assert new_browser().open(mail.link, follow=True).status == 410
    assert stranger.fill("New Password", NEW).press("Save").status == 410, "a page that was open saves nothing"
    assert new_browser().log_in(family.username, NEW).status == 422


def test_pr9_forgot_password_and_forgot_username_send_nothing_there(
    desk: Browser, family: Person, new_browser: NewBrowser
) -> None:
    ask(new_browser(), family.username)  # and this one waits for the worker until the address is gone
    _remove(desk, family)

    ask(new_browser(), family.username)
    ask(new_browser(), STRANGER)
    ask_for_username(new_browser(), STRANGER)

    assert work() == 4
    assert mails(STRANGER) == []


def test_another_guardian_keeps_the_same_address(
    desk: Browser, family: Person, account: Callable[..., Person], new_browser: NewBrowser
) -> None:
    other = account("zosia.nowak", security_email=STRANGER)
    ask(new_browser(), other.username)
    work()

    _remove(desk, family)

    assert _status(other) == Status(STRANGER, None)
    assert new_browser().open(mails(STRANGER)[0].link, follow=True).status == 200


def test_r11_the_next_log_in_asks_for_an_address_again(desk: Browser, family: Person, new_browser: NewBrowser) -> None:
    _remove(desk, family)

    browser = new_browser()
    assert browser.log_in(family.username, family.password).status == 303
    assert browser.follow().path == "/setup/security-email"
    enter(browser, family, "ewa.own@example.org")
    verify(browser, mails("ewa.own@example.org")[0].link)
    assert _status(family) == Status("ewa.own@example.org", None)


def test_it_ends_neither_sessions_nor_the_password(desk: Browser, family: Person, new_browser: NewBrowser) -> None:
    inside = new_browser()
    inside.log_in(family.username, family.password)

    _remove(desk, family)

    assert inside.open("/account/settings").status == 200
    assert "The support team removed the security email" in inside.open("/account/history").words


def test_with_a_new_temporary_password_nothing_of_the_stranger_is_left(
    desk: Browser, family: Person, new_browser: NewBrowser
) -> None:
    stranger = new_browser()
    _change(stranger, family)
    objection = next(mail.link for mail in mails(STRANGER) if mail.kind == "recovery/change_asked")
    _remove(desk, family)
    desk.open(f"/desk/people/{family.id}/temporary-password")
    desk.fill("Why?", "Somebody else had it.").press("Send", follow=True)

    assert stranger.open("/account/settings").status == 303
    assert new_browser().log_in(family.username, family.password).status == 422
    assert new_browser().open(objection, follow=True).status == 410
    assert _status(family) == Status(None, None)
    kinds = [mail.kind for mail in mails(ON_FILE)]
    assert kinds == ["support/security_email_removed", "recovery/temporary_password"]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "The next time you log in, you are asked for a new one."), ("es", "La próxima vez que inicie sesión")],
)
def test_the_address_on_file_is_told_in_the_persons_language_and_the_removed_one_is_not(
    desk: Browser, family: Person, language: str, words: str
) -> None:
    accounts.get(family.id).locale = language
    db.session.commit()

    page = _remove(desk, family)

    (told,) = mails()
    assert (told.kind, told.to, told.language) == ("support/security_email_removed", ON_FILE, language)
    assert words in told.text
    assert words in told.html
    assert family.username in told.text
    assert STRANGER not in told.text + told.html
    assert "A notice that the security email was removed" in page.words


def test_a_family_that_is_helped_by_phone_is_not_told_that_it_is_asked(desk: Browser, family: Person) -> None:
    accounts.get(family.id).recovery_by = "phone"
    db.session.commit()
    assert "Nobody asks this family for a new one." in desk.open(f"/desk/people/{family.id}/security-email").words

    _remove(desk, family)

    assert "asked for a new one" not in mails()[0].text


@pytest.mark.parametrize("on_file", [None, "ewa at families.example"])
def test_without_an_address_on_file_it_is_removed_all_the_same(
    desk: Browser, family: Person, on_file: str | None
) -> None:
    accounts.get(family.id).email = on_file
    db.session.commit()

    page = _remove(desk, family)

    assert "The security email is removed" in page.words
    assert (_status(family), mails()) == (Status(None, None), [])


def test_where_none_was_entered_the_team_is_told_so(desk: Browser, account: Callable[..., Person]) -> None:
    person = account(security_email=None)
    assert "Remove the security email" not in desk.open(f"/desk/people/{person.id}").links
    before = accounts.get(person.id).updated_at

    page = _remove(desk, person)

    assert page.status == 422
    assert "No security email was entered." in page.words
    assert (mails(), events("security_email_removed")) == ([], [])
    db.session.rollback()
    assert accounts.get(person.id).updated_at == before


def test_a_page_that_was_open_already_removes_no_address_that_came_since(desk: Browser, family: Person) -> None:
    tab = replace(desk)
    tab.open(f"/desk/people/{family.id}/security-email")
    tab.fill("Why?", "Asked.")
    _remove(desk, family)
    security_emails.set_verified(family.id, "ewa.own@example.org", clock.now())
    db.session.commit()

    assert tab.press("Remove the security email").status == 409
    assert _status(family) == Status("ewa.own@example.org", None)
    assert len(events("security_email_removed")) == 1


def test_an_admin_removes_it_from_the_staff_and_support_does_not(
    desk: Browser, account: Callable[..., Person], admin: Person, new_browser: NewBrowser
) -> None:
    colleague = account(role="support", security_email=STRANGER)
    assert "Remove the security email" not in desk.open(f"/desk/people/{colleague.id}").links
    assert desk.open(f"/desk/people/{colleague.id}/security-email").status == 403

    _remove(at_desk(new_browser(), admin), colleague)

    assert _status(colleague) == Status(None, None)


def _change(browser: Browser, person: Person) -> Mail:
    """Let somebody who knows the password enter another address; return the mail that verifies it."""
    browser.log_in(person.username, person.password)
    browser.open("/account/security-email")
    enter(browser, person, OTHER)
    (mail,) = mails(OTHER)
    return mail


def _remove(desk: Browser, person: Person) -> Page:
    desk.open(f"/desk/people/{person.id}/security-email")
    return desk.fill("Why?", "Request 12345678.").press("Remove the security email", follow=True)


def _status(person: Person) -> Status:
    db.session.rollback()
    return security_emails.status(person.id)
