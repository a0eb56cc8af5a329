"""An admin at the console."""

import pytest

from tests.factories import Person
from tests.pages import Browser

URI = "https://lunch.example/callback"


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    """A browser in which an admin has just logged in."""
    browser.log_in(admin.username, admin.password)
    return browser
