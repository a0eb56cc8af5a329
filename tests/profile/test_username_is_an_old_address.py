"""Whose username is an email address that the district no longer has hears of it, and keeps it until they ask (R46)."""

from collections.abc import Callable

import pytest

from tests.factories import Person
from tests.pages import Browser
from tests.programs import Commands

WORDS = "Your username is still the old one"
OLD, NEW = "Ewa.Kowalska@old.example", "ewa@new.example"


@pytest.fixture
def by_address(account: Callable[..., Person], browser: Browser) -> Person:
    """Somebody whose username is the address on file, and who is logged in."""
    who = account(OLD, email=OLD.lower())
    browser.log_in(who.username, who.password)
    return who


def test_r46_a_new_address_on_file_is_told_and_the_username_stays(
    by_address: Person, idp: Commands, browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    before = browser.open("/account/settings").words

    done = idp("account", "email", OLD, NEW)
    page = browser.open("/account/settings")

    assert WORDS not in before
    assert done.stdout == f"The address on file for {OLD} is now {NEW}.\n"
    assert WORDS in page.words
    assert NEW in page.words
    assert page.links["Change my username"] == "/support?topic=change-username"
    assert new_browser().log_in(OLD, by_address.password).status == 303
    assert "The district noted a new email address for you" in browser.open("/account/history").words


def test_r46_nothing_is_said_once_the_username_is_changed(by_address: Person, idp: Commands, browser: Browser) -> None:
    idp("account", "email", OLD, NEW)
    idp("account", "rename", OLD, NEW)

    assert WORDS not in browser.open("/account/settings").words


@pytest.mark.usefixtures("by_address")
def test_the_address_before_is_said_nothing_of(idp: Commands, browser: Browser) -> None:
    idp("account", "email", OLD, NEW)
    idp("account", "email", OLD, OLD)

    assert WORDS not in browser.open("/account/settings").words


def test_a_username_that_is_no_address_is_as_good_as_before(browser: Browser, parent: Person, idp: Commands) -> None:
    browser.log_in(parent.username, parent.password)
    idp("account", "email", parent.username, NEW)

    assert WORDS not in browser.open("/account/settings").words


@pytest.mark.parametrize(
    ("username", "address", "says"),
    [
        (OLD, "no address", "This is no email address. It looks like name@example.org."),
        ("nobody", NEW, "there is no account 'nobody'; `idp account list` shows them."),
    ],
)
@pytest.mark.usefixtures("by_address")
def test_what_cant_be_noted_is_refused_in_one_line(
    idp: Commands, browser: Browser, username: str, address: str, says: str
) -> None:
    done = idp("account", "email", username, address)

    assert done.exit_code != 0
    assert done.stderr == f"idp: {says}\n"
    assert WORDS not in browser.open("/account/settings").words
