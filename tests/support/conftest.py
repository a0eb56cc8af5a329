"""What the tests of support share: the form as a family fills it in, and what became of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.accounts.models import SUPPORT
from idp.database import db
from idp.mail import service as mail
from idp.mail.models import OutboxMessage
from idp.settings import Settings
from idp.support.models import Ticket
from tests.factories import Person
from tests.pages import Browser, Page
from tests.support.team import at_desk

TOPIC, SUMMARY = "What do you need help with? (required)", "Your question, in a few words"
FILLED_IN = {
    TOPIC: "I have no account",
    "Your name (required)": "Ewa Kowalska",
    "Who are you to the student? (required)": "Parent",
    "The student\u2019s name (required)": "Jan Kowalski",
    "The student\u2019s school (required)": "Maine East High School",
    "Phone": "(847) 555-0199",
    "Email": "ewa@example.org",
}

Send = Callable[..., Page]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings of a district with two languages."""
    return replace(settings, district=replace(settings.district, languages=("en", "es")))


@pytest.fixture
def send(browser: Browser, travel: Callable[[timedelta], AbstractContextManager[None]]) -> Send:
    """Fill in the form as a family does, in a minute, and send it; what is given stands in place of what is usual."""

    def filled_in_and_sent(
        given: dict[str, str] | None = None, *, who: Browser | None = None, path: str = "/support"
    ) -> Page:
        window = who or browser
        window.open(path)
        for label, value in (FILLED_IN | (given or {})).items():
            window.fill(label, value)
        with travel(timedelta(minutes=1)):
            return window.press("Send", follow=True)

    return filled_in_and_sent


def tickets() -> list[Ticket]:
    """Return the requests that are kept, in their order."""
    db.session.rollback()
    return list(db.session.scalars(select(Ticket).order_by(Ticket.id)))


def number_on(page: Page) -> str:
    """Return the number that the page of thanks shows."""
    return next(item.words for item in page.root.all("p") if item.get("class") == "ticket-number").replace(" ", "")


def mails() -> list[tuple[str, str, str]]:
    """Return what is on its way: to whom, the subject, and the plain text."""
    db.session.rollback()
    found = []
    for message in db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)):
        content = mail.opened(message)
        assert content is not None
        assert content.subject == message.subject
        found.append((message.recipient, content.subject, content.text))
    return found


@pytest.fixture
def secretary(account: Callable[..., Person]) -> Person:
    """Somebody of the support team."""
    return account(role=SUPPORT, given_name="Sam", family_name="Support")


@pytest.fixture
def desk(browser: Browser, secretary: Person) -> Browser:
    """A browser in which the secretary has just opened the desk."""
    return at_desk(browser, secretary)
