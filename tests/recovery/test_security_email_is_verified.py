"""A security email counts once the link that was mailed to it was opened and a button pressed, or its code typed."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp import clock, sealing
from idp.accounts import security_emails
from idp.accounts.security_emails import Status
from idp.database import db
from idp.recovery import tokens, verification
from idp.recovery.models import OBJECTION, RESET, VERIFICATION
from idp.recovery.verification import Verified
from tests.factories import Person
from tests.login.conftest import events
from tests.oidc.conftest import Application
from tests.pages import Browser
from tests.recovery.conftest import ADDRESS, OTHER, SENT, Travel, enter, form_token, mails, set_up, verify

REFUSAL = "This Link Does Not Work"
_ODD = (
    "victim@x.example,evil@x.example",
    "victim@x.example\r\nBcc: evil@x.example",
    "<victim@x.example>",
    "victim@x.example;evil@x.example",
    "a" * 5000 + "@x.example",
    "\0@x.example",
    "x@x.example\u202e",
)
WAIT = timedelta(minutes=2)


def status(person: Person) -> Status:
    db.session.rollback()
    return security_emails.status(person.id)


@pytest.fixture
def link(browser: Browser, newcomer: Person) -> str:
    """The link that somebody was mailed who has just entered their first address."""
    set_up(browser, newcomer)
    return mails(ADDRESS)[-1].link


def test_r17_the_link_works_in_another_browser_without_a_session_and_not_by_being_opened_alone(
    new_browser: Callable[[], Browser], newcomer: Person, link: str
) -> None:
    elsewhere = new_browser()
    for _scanner in range(3):
        assert new_browser().open(link, follow=True).status == 200
        assert new_browser().send("HEAD", link).status == 303
    page = elsewhere.open(link, follow=True)

    assert status(newcomer) == Status(None, ADDRESS)
    assert ADDRESS not in page.words
    assert elsewhere.press("Verify", follow=True).title.startswith("Your Security Email Is Verified")
    assert status(newcomer) == Status(ADDRESS, None)
    assert len(events("security_email_verified")) == 1


def test_r17_the_mail_has_the_bare_address_unbroken_in_both_parts(link: str) -> None:
    (mail,) = mails(ADDRESS)

    assert re.fullmatch(r"/verify-email\?token=[A-Za-z0-9_-]{43}", link)
    assert f"\nhttp://localhost:5000{link}\n" in mail.text


def test_pr1_the_link_has_the_configured_origin_whatever_host_was_sent(browser: Browser, newcomer: Person) -> None:
    browser.log_in(newcomer.username, newcomer.password)
    browser.follow()
    browser.headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Host": "evil.example"}
    enter(browser, newcomer)

    assert all("evil.example" not in mail.text + mail.html for mail in mails())


def test_r19_r20_until_then_nobody_is_found_by_the_address(browser: Browser, newcomer: Person, link: str) -> None:
    assert security_emails.find_accounts(ADDRESS) == []
    assert "Not verified" in browser.open("/account/settings").words
    verify(browser, link)

    assert [found.id for found in security_emails.find_accounts(ADDRESS)] == [newcomer.id]
    words = browser.open("/account/settings").words
    assert "Not verified" not in words
    assert "Verified" in words


def test_r43_a_spouse_s_address_does_nothing_for_mine(
    new_browser: Callable[[], Browser], newcomer: Person, account: Callable[..., Person], link: str
) -> None:
    spouse = account(security_email=None)
    set_up(new_browser(), spouse)
    verify(new_browser(), link)

    assert status(newcomer) == Status(ADDRESS, None)
    assert status(spouse) == Status(None, ADDRESS)


@pytest.mark.parametrize("why", ["used", "expired", "replaced", "garbage", "empty", "other case", "longer"])
def test_pr5_pr7_a_link_that_is_not_good_gives_one_and_the_same_page(
    browser: Browser, new_browser: Callable[[], Browser], newcomer: Person, link: str, travel: Travel, why: str
) -> None:
    ahead = timedelta(0)
    match why:
        case "used":
            verify(new_browser(), link)
        case "expired":
            ahead = timedelta(hours=24, seconds=1)
        case "replaced":
            with travel(WAIT):
                browser.open(SENT)
                assert browser.press("Resend Verification Email").location == f"{SENT}?again=1"
    sent = {"garbage": "/verify-email?token=" + "A" * 43, "empty": "/verify-email?token=", "longer": link + "x"}
    sent["other case"] = link.swapcase().replace("/VERIFY-EMAIL?TOKEN", "/verify-email?token")
    with travel(ahead):
        page = new_browser().open(sent.get(why, link), follow=True)
        plain = new_browser().open("/verify-email")

    assert page.status == 410
    assert REFUSAL in page.title
    assert "Resend Verification Email" in page.words
    assert page.body == plain.body
    assert status(newcomer) == (Status(ADDRESS, None) if why == "used" else Status(None, ADDRESS))


def test_pr5_a_link_that_went_stale_while_its_page_lay_open_verifies_nothing(
    browser: Browser, newcomer: Person, link: str, travel: Travel
) -> None:
    browser.open(link, follow=True)
    with travel(timedelta(hours=24, seconds=1)):
        assert browser.press("Verify").status == 410
    assert status(newcomer) == Status(None, ADDRESS)


def test_pr5_of_many_who_press_the_button_at_once_one_wins(app: Flask, newcomer: Person, link: str) -> None:
    token = link.partition("token=")[2]

    def press(_number: int) -> bool:
        with app.app_context():
            return isinstance(verification.verify(token, clock.now()), Verified)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(press, range(12))) == 1
    assert status(newcomer) == Status(ADDRESS, None)
    assert len(mails(newcomer.email)) == 1


def test_pr11_however_the_address_is_sent_at_most_one_mail_goes_to_one_address(
    browser: Browser, newcomer: Person
) -> None:
    browser.log_in(newcomer.username, newcomer.password)
    page = browser.follow()
    form = {"csrf_token": form_token(page), "current_password": newcomer.password}
    for odd in _ODD:
        assert browser.send("POST", page.path, data=form | {"email": odd}).status == 422
    assert browser.send("POST", page.path, data=form | {"email[]": ADDRESS}).status == 422
    browser.send("POST", page.path, data=form | {"email": ["one@x.example", "two@x.example"]})

    assert [mail.to for mail in mails()] == ["one@x.example"]


def test_pr13_the_token_leaves_the_address_and_nobody_else_learns_it(
    new_browser: Callable[[], Browser], link: str
) -> None:
    browser, token = new_browser(), link.partition("token=")[2]
    hop = browser.open(link)
    page = browser.follow()

    assert (hop.status, hop.location) == (303, "/verify-email")
    assert hop.body.decode().count(token) == 0
    for answer in (hop, page, browser.press("Verify"), browser.follow()):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert token not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert token not in str(browser.cookies)


def test_pr13_the_picker_of_languages_does_not_repeat_it(
    app: Flask, new_browser: Callable[[], Browser], link: str
) -> None:
    speaking = replace(app.config["IDP"].district, languages=("en", "es"))
    app.config["IDP"] = replace(app.config["IDP"], district=speaking)

    assert "/verify-email?language=es" in new_browser().open(link, follow=True).links.values()


@pytest.mark.parametrize("purpose", [RESET, OBJECTION])
def test_pr15_a_token_of_another_role_is_refused(
    new_browser: Callable[[], Browser], newcomer: Person, link: str, purpose: str
) -> None:
    issued = tokens.issue(purpose, newcomer.id, ADDRESS, clock.now())
    db.session.commit()
    assert new_browser().open(f"/verify-email?token={issued.token}", follow=True).status == 410
    assert new_browser().open(f"/not-me?{link.partition('?')[2]}", follow=True).status == 410

    assert status(newcomer) == Status(None, ADDRESS)


def test_pr15_a_link_verifies_the_address_that_it_was_mailed_to_and_no_other(
    new_browser: Callable[[], Browser], newcomer: Person
) -> None:
    """A token that outlived its address, as if nothing had revoked it, while its page lay open."""
    security_emails.set_pending(newcomer.id, ADDRESS, clock.now())
    issued = tokens.issue(VERIFICATION, newcomer.id, ADDRESS, clock.now())
    db.session.commit()
    browser = new_browser()
    browser.open(f"/verify-email?token={issued.token}", follow=True)
    security_emails.set_pending(newcomer.id, OTHER, clock.now())
    db.session.commit()

    assert browser.press("Verify").status == 410
    assert status(newcomer) == Status(None, OTHER)


@pytest.mark.parametrize("pending", [OTHER, None], ids=["another waits", "none waits"])
def test_a_link_to_an_address_that_waits_no_more_is_refused_when_it_is_opened(
    new_browser: Callable[[], Browser], newcomer: Person, link: str, pending: str | None
) -> None:
    """A new password takes it away, and the link goes on being good for nothing."""
    security_emails.drop_pending(newcomer.id)
    if pending:
        security_emails.set_pending(newcomer.id, pending, clock.now())
    db.session.commit()
    page = new_browser().open(link, follow=True)

    assert page.status == 410
    assert REFUSAL in page.title
    assert status(newcomer) == Status(None, pending)


def test_pr21_wrong_links_make_their_network_wait_and_no_other(
    new_browser: Callable[[], Browser], newcomer: Person, link: str, travel: Travel
) -> None:
    attacker = new_browser()
    attacker.address = "203.0.113.7"
    answers = [attacker.open(f"/verify-email?token={sealing.random_token()}", follow=True).status for _ in range(25)]
    elsewhere = new_browser()

    assert answers == [410] * 20 + [429] * 5
    assert "Retry-After" in attacker.page.headers
    assert attacker.open("/not-me?token=" + "A" * 43, follow=True).status == 429
    assert attacker.open("/reset-password?token=" + "A" * 43, follow=True).status == 429, "one budget for all links"
    assert elsewhere.open("/not-me?token=" + "A" * 43, follow=True).status == 410
    assert attacker.open(link, follow=True).status == 200, "a right one opens from the same network"
    with travel(timedelta(hours=1, seconds=1)):
        assert attacker.open("/not-me?token=" + "A" * 43, follow=True).status == 410
    assert status(newcomer) == Status(None, ADDRESS)


def test_pr21_tokens_have_no_structure(newcomer: Person) -> None:
    made = [tokens.issue(VERIFICATION, newcomer.id, ADDRESS, clock.now()) for _ in range(200)]

    assert len({one.token for one in made}) == 200
    assert {len(one.token) for one in made} == {43}
    assert all(len({one.token[place] for one in made}) > 16 for place in range(42))


def test_the_code_can_be_typed_instead_and_with_it_the_link_is_used_up(
    browser: Browser, new_browser: Callable[[], Browser], newcomer: Person, link: str
) -> None:
    code = mails(ADDRESS)[-1].code
    browser.follow()
    wrong = browser.fill("Code", f"{(int(code.replace(' ', '')) + 1) % 10**8:08}").press("Verify")
    assert (wrong.status, "wrong or too old" in wrong.error("Code")) == (422, True)

    assert browser.fill("Code", f"{code[:4]} {code[4:]}").press("Verify").location == "/"
    assert status(newcomer) == Status(ADDRESS, None)
    assert new_browser().open(link, follow=True).status == 410


def test_a_code_is_good_for_ten_minutes_and_five_tries(
    browser: Browser, newcomer: Person, link: str, travel: Travel
) -> None:
    code = mails(ADDRESS)[-1].code
    browser.open(SENT)
    with travel(timedelta(minutes=10, seconds=1)):
        assert browser.fill("Code", code).press("Verify").status == 422
    for number in range(5):
        assert (
            browser.fill("Code", f"{(int(code.replace(' ', '')) + number + 1) % 10**8:08}").press("Verify").status
            == 422
        )
    assert browser.fill("Code", code).press("Verify").status == 422
    assert status(newcomer) == Status(None, ADDRESS)

    verify(browser, link)
    assert status(newcomer) == Status(ADDRESS, None), "the link still works"


def test_the_family_hears_of_a_first_address_that_is_not_the_one_on_file(
    browser: Browser, newcomer: Person, link: str
) -> None:
    assert newcomer.email is not None
    assert mails(newcomer.email) == []
    verify(browser, link)

    (notice,) = mails(newcomer.email)
    assert notice.subject == "A security email was added to your account"
    assert ADDRESS not in notice.text + notice.html
    assert "example.net" not in notice.text
    assert len(mails()) == 2


def test_the_address_on_file_needs_no_such_notice(browser: Browser, newcomer: Person) -> None:
    set_up(browser, newcomer, newcomer.email or "")
    verify(browser, mails(newcomer.email)[-1].link)

    assert len(mails()) == 1


@pytest.mark.usefixtures("link")
def test_r39_r40_a_fresh_link_is_sent_and_the_older_one_no_longer_works(
    browser: Browser, new_browser: Callable[[], Browser], newcomer: Person, travel: Travel
) -> None:
    with travel(WAIT):
        browser.open("/account/settings")
        page = browser.press("Resend Verification Email", follow=True)

    assert "We sent you a new mail" in page.words
    assert "Spam" in page.words
    first, second = mails(ADDRESS)
    assert first.link != second.link
    assert new_browser().open(first.link, follow=True).status == 410
    verify(new_browser(), second.link)
    assert status(newcomer) == Status(ADDRESS, None)
    assert "Resend Verification Email" not in browser.open("/account/settings").buttons


@pytest.mark.usefixtures("link")
def test_r40_once_a_minute_and_three_times_in_six_hours_with_clear_words(browser: Browser, travel: Travel) -> None:
    browser.open("/account/settings")
    soon = browser.press("Resend Verification Email")
    assert soon.status == 429
    assert "Please wait 1 minute before you ask for another" in soon.words or "seconds before" in soon.words
    for minutes in (2, 4):
        with travel(timedelta(minutes=minutes)):
            browser.open("/account/settings")
            assert browser.press("Resend Verification Email").status == 303
    with travel(timedelta(minutes=6)):
        browser.open("/account/settings")
        late = browser.press("Resend Verification Email")
        assert (late.status, "Please wait 6 hours" in late.words) == (429, True), late.words
    assert len(mails(ADDRESS)) == 3


def test_it_needs_something_to_verify(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, parent.password)
    page = browser.open("/account/settings")
    form = {"csrf_token": form_token(page)}

    assert browser.send("POST", "/account/security-email/resend", data=form).location == "/account/settings"
    assert browser.open(SENT).location == "/account/settings"
    assert mails() == []


def test_no_application_is_ever_told_the_address(
    application: Application, visitor: FlaskClient, parent: Person
) -> None:
    security_emails.set_verified(parent.id, ADDRESS, clock.now())
    security_emails.set_pending(parent.id, OTHER, clock.now())
    db.session.commit()
    given = application.tokens(visitor)
    told = [application.claims(given["id_token"]), application.userinfo(given["access_token"]).get_json()]
    document = visitor.get("/.well-known/openid-configuration").get_json()

    assert told[1]["email"] == parent.email
    assert ADDRESS not in str(told)
    assert OTHER not in str(told)
    assert not [claim for claim in document["claims_supported"] if "security" in claim or "recovery" in claim]
