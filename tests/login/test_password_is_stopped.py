"""After a hundred wrong passwords in a row the password works in known browsers only, and its owner is told once."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from idp import clock
from idp.accounts import usernames
from idp.accounts.models import SUPPORT
from idp.admin import people
from idp.database import db
from idp.settings import Settings
from idp.throttle import tries
from idp.throttle.models import Counter
from idp.throttle.store import ACCOUNT
from tests.factories import Person
from tests.ladders import fail, without_robot_checks
from tests.login.conftest import events
from tests.pages import Browser
from tests.recovery.forgetting import NEW, choose, family, letter_for
from tests.recovery.letters import Letter, letters

__all__ = ["family"]

WRONG = "a password that is wrong"
STOPPED = "it no longer works in this browser"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wrong passwords are looked at here without a robot check; those are tested elsewhere."""
    return without_robot_checks(settings)


def fail_almost(username: str) -> None:
    """Let all but the last of the tries fail that strange browsers get."""
    fail(username, 1)
    db.session.execute(update(Counter).where(Counter.kind == ACCOUNT).values(failures=99))
    db.session.commit()


def stop(browser: Browser, username: str) -> None:
    fail_almost(username)
    assert browser.log_in(username, WRONG, path="/login").status == 422


def notices() -> list[Letter]:
    return [letter for letter in letters() if letter.kind == "login/password_stopped"]


def is_stopped(person: Person) -> bool:
    db.session.rollback()
    return tries.is_stopped(usernames.key(person.username), clock.now())


def test_the_owner_is_mailed_once(new_browser: Callable[[], Browser], account: Callable[..., Person]) -> None:
    parent = account(security_email="ewa@families.example")
    stop(new_browser(), parent.username)
    for _ in range(3):
        assert STOPPED in new_browser().log_in(parent.username, parent.password, path="/login").words

    (told,) = notices()
    assert told.to == "ewa@families.example"
    assert f"A wrong password was typed for {parent.username} 100 times in a row." in told.text
    assert "Forgot Password?" in told.text
    assert [event.account_id for event in events("password_stopped")] == [parent.id]


def test_nobody_is_mailed_for_a_username_that_nobody_has(browser: Browser) -> None:
    stop(browser, "nobody")

    assert notices() == []
    assert STOPPED in browser.log_in("nobody", WRONG, path="/login").words


def test_the_owner_sees_it_among_what_happened(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    browser.log_in(parent.username, parent.password, path="/login")
    stop(new_browser(), parent.username)

    assert "Too many wrong passwords: it works in known browsers only" in browser.open("/account/history").words


def test_a_password_asked_again_stops_it_likewise_on_a_shared_computer(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, parent.password, shared_computer=True, path="/login")
    fail_almost(parent.username)
    browser.open("/reauthenticate?next=/account")

    assert browser.fill("Password", WRONG).press("Log In").status == 422
    assert len(notices()) == 1
    page = browser.fill("Password", parent.password).press("Log In")
    assert page.status == 403
    assert STOPPED in page.words


def test_forgot_password_opens_it_everywhere(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    stop(new_browser(), family.username)
    choose(browser, letter_for(browser, family.username))

    assert not is_stopped(family)
    assert new_browser().log_in(family.username, NEW, path="/login").status == 303


def test_a_new_password_makes_the_browsers_of_before_strangers(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    browser.log_in(parent.username, parent.password, path="/login")
    people.issue_temporary_password(parent.username, actor_id=None, now=clock.now())
    stop(new_browser(), parent.username)

    assert STOPPED in browser.log_in(parent.username, parent.password, path="/login").words


def test_the_team_sees_it_and_unlocks(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person, account: Callable[..., Person]
) -> None:
    stop(new_browser(), parent.username)
    secretary = account(role=SUPPORT)
    browser.log_in(secretary.username, secretary.password, path="/login")

    page = browser.open(f"/desk/people/{parent.id}")
    assert "Too many wrong passwords in a row: the password works only in browsers" in page.words
    browser.open(f"/desk/people/{parent.id}/unlock")
    browser.fill("Why?", "Called from the number on file.").press("Unlock", follow=True)
    assert not is_stopped(parent)
    assert new_browser().log_in(parent.username, parent.password, path="/login").status == 303
