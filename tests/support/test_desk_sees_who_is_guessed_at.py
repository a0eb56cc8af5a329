"""The team sees at whom passwords are guessed just now, and unlocks; the ledger's names stay what they are: digests."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from idp import clock
from idp.accounts.models import SUPPORT
from idp.captcha import vouching
from idp.captcha.models import LOG_IN
from idp.database import db
from tests.factories import Person
from tests.pages import Browser, Page
from tests.support.team import at_desk

WRONG = "a password that is wrong"
PAGE = "/desk/wrong-passwords"


def fail(browser: Browser, username: str, times: int = 1, address: str = "203.0.113.9") -> None:
    """Type wrong passwords at the log-in page, with the box checked."""
    browser.address = address
    for _ in range(times):
        page = browser.open("/login")
        token = next(item.get("value") for item in page.root.all("input") if item.get("name") == "csrf_token")
        vouched = vouching.vouch(LOG_IN, browser=browser.cookies["idp_browser"], now=clock.now())
        db.session.commit()
        typed = {"username": username, "password": WRONG, "robot": "yes", "robot_answer": vouched.answer}
        assert browser.send("POST", "/login", data=typed | {"csrf_token": token}).status == 422


@pytest.fixture
def team(new_browser: Callable[[], Browser], account: Callable[..., Person]) -> Browser:
    """The desk, open in the browser of somebody of the support team."""
    return at_desk(new_browser(), account(role=SUPPORT))


@pytest.fixture
def admin_desk(new_browser: Callable[[], Browser], admin: Person) -> Browser:
    """The desk in an admin's browser."""
    return at_desk(new_browser(), admin)


def shown(page: Page) -> list[str]:
    """Return the people on the page, in its order."""
    return [name for name, address in page.links.items() if "/desk/people/" in address and "Unlock" not in name]


def test_nobody_is_there_while_no_password_is_wrong(team: Browser) -> None:
    page = team.open(PAGE)

    assert page.status == 200
    assert "Nobody: no wrong password counts just now." in page.words


def test_the_most_guessed_at_come_first_with_what_follows(
    team: Browser, new_browser: Callable[[], Browser], account: Callable[..., Person]
) -> None:
    once, often, waiting = (account(given_name=name, family_name="Nowak") for name in ("Anna", "Bartosz", "Celina"))
    fail(new_browser(), once.username)
    fail(new_browser(), often.username, 3)
    fail(new_browser(), waiting.username, 5)

    page = team.open(PAGE)

    assert shown(page) == ["Celina Nowak", "Bartosz Nowak", "Anna Nowak"]
    assert "5 wrong passwords in a row" in page.words
    assert "1 wrong password in a row" in page.words
    assert page.words.count("Has to show to be no robot") == 1
    assert page.words.count("Waits until") == 1


def test_whoever_logs_in_is_no_longer_there(team: Browser, new_browser: Callable[[], Browser], parent: Person) -> None:
    browser = new_browser()
    fail(browser, parent.username, 2)
    assert shown(team.open(PAGE)) == [parent.name]

    browser.log_in(parent.username, parent.password)

    assert shown(team.open(PAGE)) == []


def test_what_is_forgotten_by_time_is_no_longer_there(
    new_browser: Callable[[], Browser], account: Callable[..., Person], parent: Person
) -> None:
    fail(new_browser(), parent.username, 2)

    with clock.shifted(timedelta(hours=13)):
        assert shown(at_desk(new_browser(), account(role=SUPPORT), PAGE).page) == []


def test_the_way_to_unlock_leads_there_and_empties_the_list(
    team: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    fail(new_browser(), parent.username, 5)
    page = team.open(PAGE)
    team.click(f"Unlock {parent.name}")
    team.fill("Why?", "The father called.").press("Unlock")

    assert shown(team.open(PAGE)) == []
    assert page.words.count("Unlock") == 1


def test_support_sees_staff_and_can_not_unlock_it(
    team: Browser, new_browser: Callable[[], Browser], admin: Person
) -> None:
    fail(new_browser(), admin.username, 2)

    page = team.open(PAGE)

    assert shown(page) == [admin.name]
    assert not [name for name in page.links if name.startswith("Unlock")]


def test_networks_are_for_admins_alone(
    team: Browser, admin_desk: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    fail(new_browser(), parent.username, 2, address="203.0.113.9")
    fail(new_browser(), parent.username, 1, address="2001:db8:1:2:3::4")

    assert "203.0.113.9" not in team.open(PAGE).words
    words = admin_desk.open(PAGE).words
    assert "203.0.113.9 | 2 wrong passwords in an hour" in words
    assert "2001:db8:1:2::/64 | 1 wrong password in an hour" in words
    assert "2001:db8:1:2:3::4" not in words


def test_a_username_that_nobody_has_is_a_number_and_nothing_else(
    admin_desk: Browser, new_browser: Callable[[], Browser]
) -> None:
    """People type passwords into the wrong field."""
    fail(new_browser(), "my-secret-password", 2)

    page = admin_desk.open(PAGE)

    assert "my-secret-password" not in page.text
    assert "No such username | 2 lately" in page.words
    assert "Everywhere | 2 in about five minutes" in page.words


def test_families_and_strangers_do_not_see_it(
    browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    assert browser.open(PAGE).status in {303, 404}
    guardian = new_browser()
    guardian.log_in(parent.username, parent.password)
    assert guardian.open(PAGE).status == 403


def test_the_console_leads_there(admin_desk: Browser) -> None:
    admin_desk.open("/admin")

    assert admin_desk.click("Wrong Passwords").status == 200
