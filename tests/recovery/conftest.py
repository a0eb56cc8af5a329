"""What the tests of recovery share: somebody without a security email, and the mail that was written to a family."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.database import db
from idp.mail import service
from idp.mail.models import OutboxMessage
from tests.factories import Person
from tests.login.conftest import gradebook  # noqa: F401  a fixture
from tests.oidc.conftest import application, log_in, new_application, visitor  # noqa: F401  fixtures
from tests.pages import Browser, Page

ADDRESS, OTHER = "ewa.private@example.net", "ewa.new@example.com"
SETUP, SENT = "/setup/security-email", "/account/security-email/sent"
Travel = Callable[[timedelta], AbstractContextManager[None]]


@dataclass(frozen=True)
class Mail:
    """A message as its reader has it."""

    to: str
    kind: str
    subject: str
    text: str
    html: str
    language: str

    @property
    def link(self) -> str:
        """The path of the link in it, which stands alone in its line and is the same in both parts."""
        (found,) = re.findall(r"^http://localhost:5000(/\S+)$", self.text, re.MULTILINE)
        assert f'"http://localhost:5000{found}"' in self.html
        assert f">http://localhost:5000{found}<" in self.html
        return str(found)

    @property
    def token(self) -> str:
        """The token in the link."""
        return self.link.partition("token=")[2]

    @property
    def code(self) -> str:
        """The code that can be typed instead."""
        (found,) = re.findall(r"^\d{4} \d{4}$", self.text, re.MULTILINE)
        return str(found)


def mails(to: str | None = None) -> list[Mail]:
    """Return what was written, to one address or to all, in its order."""
    db.session.rollback()
    chosen = select(OutboxMessage).order_by(OutboxMessage.id)
    if to is not None:
        chosen = chosen.where(OutboxMessage.recipient == to)
    return [_opened(message) for message in db.session.scalars(chosen)]


def _opened(message: OutboxMessage) -> Mail:
    content = service.opened(message)
    assert content is not None
    return Mail(message.recipient, message.kind, content.subject, content.text, content.html, message.language)


@pytest.fixture
def newcomer(account: Callable[..., Person]) -> Person:
    """Somebody with a password and no security email."""
    return account(security_email=None)


def enter(browser: Browser, person: Person, address: str = ADDRESS, password: str | None = None) -> Page:
    """Fill in the page that asks for an address, which has to be open, and press its button."""
    browser.fill("Email Address", address).fill("Current Password", password or person.password)
    return browser.press("Save")


def set_up(browser: Browser, person: Person, address: str = ADDRESS) -> Page:
    """Log in and enter the first address."""
    browser.log_in(person.username, person.password)
    browser.follow()
    return enter(browser, person, address)


def verify(browser: Browser, link: str) -> Page:
    """Open a link and press its button."""
    browser.open(link, follow=True)
    return browser.press("Verify", follow=True)


def form_token(page: Page) -> str:
    """Return the hidden token of the page's forms."""
    return next(item.get("value") or "" for item in page.root.all("input") if item.get("name") == "csrf_token")
