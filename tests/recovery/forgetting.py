"""Families with a verified security email, and what they do who have forgotten something."""

from collections.abc import Callable

import pytest

from idp import clock
from idp.accounts import security_emails
from idp.database import db
from idp.recovery import forgotten_answers
from tests.factories import Person
from tests.pages import Browser, Page
from tests.recovery.letters import Letter, letters

ADDRESS = "ewa.recovers@example.org"
NEW = "a lantern over the pond"


def verify(person: Person, address: str = ADDRESS) -> None:
    """Give somebody a verified security email."""
    security_emails.set_verified(person.id, address, clock.now())
    db.session.commit()


@pytest.fixture
def family(parent: Person) -> Person:
    """A guardian whose security email is verified."""
    verify(parent)
    return parent


@pytest.fixture
def sibling(account: Callable[..., Person]) -> Person:
    """Another guardian with the same security email."""
    other = account("zosia.kowalska")
    verify(other)
    return other


def ask(browser: Browser, typed: str, path: str = "/forgot-password") -> Page:
    """Fill in Forgot Password? and press its button."""
    browser.open(path)
    return browser.fill("Username or security email", typed).press("Send Email")


def ask_for_username(browser: Browser, typed: str) -> Page:
    """Fill in Forgot Username? and press its button."""
    browser.open("/forgot-username")
    return browser.fill("Security email", typed).press("Send Email")


def work() -> int:
    """Let the worker answer what was asked."""
    return forgotten_answers.answer_due()


def letter_for(browser: Browser, typed: str, path: str = "/forgot-password") -> Letter:
    """Ask for a new password, and return the mail that answers."""
    ask(browser, typed, path)
    assert work() == 1
    return letters()[-1]


def choose(browser: Browser, letter: Letter, password: str = NEW) -> Page:
    """Open a mail's link, type a new password, and press Save."""
    browser.open(letter.path, follow=True)
    return browser.fill("New Password", password).press("Save")
