"""TP3: a temporary password that has run out is refused, and whoever typed it may have a new one mailed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from sqlalchemy import select

from idp import clock
from idp.accounts import service as accounts
from idp.admin import people
from idp.audit.models import AuditEvent
from idp.database import db
from tests.factories import Person
from tests.pages import Browser
from tests.recovery.forgetting import NEW, work
from tests.recovery.letters import letters

Travel = Callable[[timedelta], AbstractContextManager[None]]

LATER = timedelta(days=14, seconds=1)


def issue(person: Person) -> str:
    """Give somebody a temporary password."""
    temporary = accounts.issue_temporary_password(accounts.get(person.id), clock.now())
    db.session.commit()
    return temporary


def test_tp3_after_its_time_it_is_refused_and_a_new_one_is_mailed_on_request(
    browser: Browser, parent: Person, travel: Travel
) -> None:
    temporary = issue(parent)
    with travel(LATER):
        page = browser.log_in(parent.username, temporary)
        assert page.status == 422
        assert "idp_session" not in browser.cookies
        assert "Your temporary password is too old" in page.words
        failed = select(AuditEvent).where(AuditEvent.event == "log_in", AuditEvent.outcome == "failure")
        assert db.session.scalars(failed).one().details == {"reason": "temporary_password_expired"}
        assert browser.press("Send Email").status == 200
        assert work() == 1
        (letter,) = letters()
        assert letter.to == parent.email
        assert browser.log_in(parent.username, temporary, path="/login").status == 422
        assert "too old" not in browser.words, "the older one is nothing any more"
        assert browser.log_in(parent.username, letter.temporary_password, path="/login").location == "/setup/password"


def test_tp3_who_does_not_know_it_is_told_what_everybody_is_told(
    new_browser: Callable[[], Browser], parent: Person, travel: Travel
) -> None:
    issue(parent)
    with travel(LATER):
        expired = new_browser().log_in(parent.username, "wrong").words.replace(parent.username, "x")
        unknown = new_browser().log_in("nobody", "wrong").words.replace("nobody", "x")

    assert expired == unknown


def test_tp3_after_use_and_after_re_issue_it_is_wrong_like_any_other(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    older = issue(parent)
    newer = issue(parent)
    refused = browser.log_in(parent.username, older)
    assert (refused.status, "too old" in refused.words) == (422, False)
    browser.log_in(parent.username, newer, path="/login")
    browser.follow()
    assert browser.fill("New Password", NEW).press("Save").status == 303
    again = new_browser().log_in(parent.username, newer)

    assert (again.status, "too old" in again.words) == (422, False)


def test_tp3_an_offer_is_good_once_and_not_for_a_closed_account(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person, travel: Travel
) -> None:
    temporary = issue(parent)
    with travel(LATER):
        for window in (browser, twice := new_browser()):
            window.log_in(parent.username, temporary)
        browser.press("Send Email")
        twice.press("Send Email")
        assert work() == 2
        assert len(letters()) == 1
        people.disable(parent.username, actor_id=None, now=clock.now())
        closed = new_browser().log_in(parent.username, letters()[0].temporary_password)
        assert closed.status == 422


def test_tp3_an_offer_opens_in_its_own_browser_for_half_an_hour(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person, travel: Travel
) -> None:
    temporary = issue(parent)
    with travel(LATER):
        browser.log_in(parent.username, temporary)
        offer = next(one for one in browser.page.root.all("input") if one.get("name") == "offer").get("value") or ""
        other = new_browser()
        other.open("/login")
        token = next(one for one in other.page.root.all("input") if one.get("name") == "csrf_token").get("value") or ""
        other.send("POST", "/forgot-password/temporary", data={"csrf_token": token, "offer": offer})
        assert other.location == "/login"
    with travel(LATER + timedelta(minutes=31)):
        assert browser.press("Send Email").location == "/login"
    assert work() == 0


def test_tp3_without_an_address_on_file_the_answer_is_the_same(
    browser: Browser, parent: Person, travel: Travel
) -> None:
    temporary = issue(parent)
    accounts.get(parent.id).email = None
    db.session.commit()
    with travel(LATER):
        browser.log_in(parent.username, temporary)
        assert "If we have an email address of yours on file" in browser.press("Send Email").words
        assert work() == 1
    assert letters() == []


def test_tp3_its_mails_have_the_account_s_limit(
    new_browser: Callable[[], Browser], parent: Person, travel: Travel
) -> None:
    for number in range(1, 6):
        temporary = issue(parent)
        with travel(number * timedelta(minutes=1) + LATER):
            browser = new_browser()
            browser.log_in(parent.username, temporary)
            browser.press("Send Email")
            work()

    assert len(letters()) == 3
