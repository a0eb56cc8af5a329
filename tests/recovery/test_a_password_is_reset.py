"""R18, PR9: the mailed link leads to a new password, and what was before it ends."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp import clock
from idp.accounts import service as accounts
from idp.admin import people
from idp.audit.models import AuditEvent
from idp.database import db
from idp.recovery import first_password, tokens
from idp.recovery.models import FIRST_PASSWORD, OBJECTION, RESET, VERIFICATION
from idp.sessions.models import BrowserSession
from tests.factories import Person
from tests.ladders import fail
from tests.pages import Browser
from tests.recovery.forgetting import ADDRESS, NEW, ask, choose, family, letter_for, verify, work
from tests.recovery.letters import letters

__all__ = ["family"]

Travel = Callable[[timedelta], AbstractContextManager[None]]


def test_r18_the_link_leads_to_a_new_password_and_into_the_portal(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    letter = letter_for(browser, family.username)

    assert letter.to == ADDRESS
    assert letter.subject == "Choose a new password"
    assert f"Username: {family.username}\n" in letter.text
    assert "for 30 minutes" in letter.text
    assert f'href="{letter.link}"' in letter.html
    assert choose(browser, letter).location == "/"
    assert browser.open("/account").status == 200
    assert new_browser().log_in(family.username, family.password).status == 422
    assert new_browser().log_in(family.username, NEW).location == "/"


def test_r18_the_username_may_be_typed_as_at_the_log_in_page(browser: Browser, family: Person) -> None:
    assert letter_for(browser, f"  {family.username.upper()} ").to == ADDRESS


def test_pr5_only_the_newest_link_works_and_only_once(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    older, newer = letter_for(browser, family.username), letter_for(browser, family.username)

    assert browser.open(older.path, follow=True).status == 410
    for _look in range(3):
        assert new_browser().open(newer.path, follow=True).status == 200, "looking spends nothing"
    assert choose(browser, newer).status == 303
    assert new_browser().open(newer.path, follow=True).status == 410


def test_pr7_used_expired_and_garbage_are_refused_alike(
    new_browser: Callable[[], Browser], family: Person, travel: Travel
) -> None:
    browser, pages = new_browser(), set[str]()
    used = letter_for(browser, family.username)
    choose(browser, used)
    pages.add(new_browser().open(used.path, follow=True).text)
    late = letter_for(new_browser(), family.username)
    with travel(timedelta(minutes=29)):
        assert new_browser().open(late.path, follow=True).status == 200
    with travel(timedelta(minutes=30, seconds=1)):
        refused = new_browser().open(late.path, follow=True)
        assert refused.status == 410
        pages.add(refused.text)
    for garbage in ("", "x", "x" * 43, used.path.partition("=")[2].swapcase(), used.path.partition("=")[2] + "x"):
        refused = new_browser().open(f"/reset-password?token={garbage}", follow=True)
        assert refused.status == 410, garbage
        pages.add(refused.text)
    pages.add(new_browser().open("/reset-password").text)

    assert len(pages) == 1
    assert refused.links["Ask for a new link"] == "/forgot-password"


def test_pr7_a_link_that_runs_out_while_the_page_is_open_is_refused(
    browser: Browser, family: Person, travel: Travel
) -> None:
    browser.open(letter_for(browser, family.username).path, follow=True)
    with travel(timedelta(minutes=30, seconds=1)):
        assert browser.fill("New Password", NEW).press("Save").status == 410
    assert accounts.get_with_credentials(family.id).password_changed_at


def test_the_thirty_minutes_begin_when_the_mail_is_written(browser: Browser, family: Person, travel: Travel) -> None:
    ask(browser, family.username)
    with travel(timedelta(hours=2)):
        assert work() == 1
        assert browser.open(letters()[-1].path, follow=True).status == 200


def test_pr9_sessions_links_temporary_password_and_waits_end_and_a_notice_is_mailed(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    elsewhere = new_browser()
    elsewhere.log_in(family.username, family.password)
    letter, now = letter_for(browser, family.username), clock.now()
    pending = tokens.issue(VERIFICATION, family.id, "other@example.org", now)
    objection = tokens.issue(OBJECTION, family.id, "old@example.org", now)
    first = tokens.issue(FIRST_PASSWORD, family.id, "old@example.org", now)
    db.session.commit()
    stranger = new_browser()
    fail(family.username)
    assert stranger.log_in(family.username, "wrong", path="/login").status == 429

    choose(browser, letter)

    now = clock.now()
    assert elsewhere.open("/account").status == 303
    assert tokens.find(VERIFICATION, pending.token, now) is None
    assert tokens.find(FIRST_PASSWORD, first.token, now) is None
    assert tokens.find(OBJECTION, objection.token, now), "whoever objects to a new address still can"
    assert new_browser().log_in(family.username, NEW).status == 303, "nobody waits for what a stranger typed"
    assert letters()[-1].subject == "Your password was changed"
    changed = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "password_change")).one()
    assert (changed.account_id, changed.details) == (family.id, {"reason": "reset"})
    assert db.session.query(BrowserSession).filter(BrowserSession.ended_at.is_(None)).count() == 2


def test_pr9_a_temporary_password_is_spent_by_a_reset(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    temporary = accounts.issue_temporary_password(accounts.get(family.id), clock.now())
    db.session.commit()
    choose(browser, letter_for(browser, family.username))

    assert new_browser().log_in(family.username, temporary).status == 422


def test_pr9_a_new_password_by_other_means_ends_the_link(
    browser: Browser, new_browser: Callable[[], Browser], family: Person, travel: Travel
) -> None:
    letter = letter_for(browser, family.username)
    with travel(timedelta(minutes=1)):
        accounts.set_password(accounts.get(family.id), "another long password", clock.now())
        db.session.commit()
        assert new_browser().open(letter.path, follow=True).status == 410


@pytest.mark.parametrize("by_mail", [True, False])
def test_pr9_a_temporary_password_ends_the_link(browser: Browser, family: Person, *, by_mail: bool) -> None:
    letter = letter_for(browser, family.username)
    if by_mail:
        first_password.send(accounts.get(family.id), clock.now())
        db.session.commit()
    else:
        people.issue_temporary_password(family.username, actor_id=None, now=clock.now())

    assert browser.open(letter.path, follow=True).status == 410


def test_a_closed_account_s_link_is_refused_like_garbage(browser: Browser, family: Person) -> None:
    browser.open(letter_for(browser, family.username).path, follow=True)
    people.disable(family.username, actor_id=None, now=clock.now())

    assert browser.fill("New Password", NEW).press("Save").status == 410
    assert browser.open("/reset-password").status == 410


def test_a_password_that_breaks_the_rules_spends_nothing(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)

    assert choose(browser, letter, "short").status == 422
    assert "too short" in browser.words
    assert "Enter a new password." in choose(browser, letter, "").words
    assert "contains your username" in choose(browser, letter, f"{family.username} {family.username}!").words
    assert choose(browser, letter).status == 303


def test_pr13_the_token_leaves_the_address_and_is_on_no_page(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)
    token = letter.link.partition("=")[2]
    first = browser.open(letter.path)

    assert (first.status, first.location) == (303, "/reset-password")
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert first.headers["Cache-Control"] == "no-store"
    assert "HttpOnly" in first.headers["Set-Cookie"]
    page = browser.follow()
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert token not in page.text
    assert "http://" not in page.text.replace("http://localhost:5000", "").replace("http://www.w3.org", "")
    browser.fill("New Password", NEW).press("Save")
    assert "idp_reset" not in browser.cookies


@pytest.mark.parametrize("purpose", [VERIFICATION, OBJECTION, FIRST_PASSWORD])
def test_pr15_a_link_of_another_purpose_resets_nothing(browser: Browser, family: Person, purpose: str) -> None:
    token = tokens.issue(purpose, family.id, ADDRESS, clock.now()).token
    db.session.commit()

    assert browser.open(f"/reset-password?token={token}", follow=True).status == 410


def test_pr15_a_link_changes_its_own_account_alone(
    browser: Browser, new_browser: Callable[[], Browser], family: Person, account: Callable[..., Person]
) -> None:
    other = account()
    browser.open(letter_for(browser, family.username).path, follow=True)
    browser.fill("Username", other.username).fill("New Password", NEW).press("Save")

    assert browser.status == 303
    assert new_browser().log_in(other.username, other.password).status == 303
    assert new_browser().log_in(family.username, NEW).status == 303


def test_pr21_wrong_links_of_one_network_are_refused_after_twenty(
    new_browser: Callable[[], Browser], family: Person
) -> None:
    good = letter_for(new_browser(), family.username)
    statuses = [new_browser().open(f"/reset-password?token={number:043}", follow=True).status for number in range(100)]

    assert statuses == [410] * 20 + [429] * 80
    assert new_browser().open(good.path, follow=True).status == 200, "a right one opens from the same network"


def test_pr21_tokens_are_random_and_exact(family: Person) -> None:
    made = {tokens.issue(RESET, family.id, ADDRESS, clock.now()).token for _number in range(200)}
    db.session.rollback()

    assert len(made) == 200
    assert {len(token) for token in made} == {43}, "256 bits"
    assert all(len({token[place] for token in made}) > 20 for place in range(42)), "no place of it is the same"


def test_logged_in_as_somebody_else_one_is_then_who_the_link_is_for(
    browser: Browser, family: Person, account: Callable[..., Person]
) -> None:
    other = account()
    browser.log_in(other.username, other.password)
    choose(browser, letter_for(browser, family.username))

    assert family.username in browser.open("/account/settings").words
    assert other.username not in browser.words


def test_r8_a_first_password_can_be_a_link_of_its_own_page(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    verify(parent)
    token = tokens.issue(FIRST_PASSWORD, parent.id, "x@example.org", clock.now()).token
    db.session.commit()

    assert browser.open(f"/first-password?token={token}", follow=True).status == 200
    assert "Choose Your Password" in browser.words
    assert browser.fill("New Password", NEW).press("Save").location == "/"
    assert new_browser().open(f"/first-password?token={token}", follow=True).status == 410
    assert new_browser().log_in(parent.username, NEW).status == 303
