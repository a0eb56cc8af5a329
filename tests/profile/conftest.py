"""What the tests of Settings share."""

import pytest

from tests.factories import Person
from tests.oidc.conftest import new_application  # noqa: F401  a fixture
from tests.pages import Browser


@pytest.fixture
def logged_in(browser: Browser, parent: Person) -> Browser:
    """A browser in which the parent is logged in."""
    browser.log_in(parent.username, parent.password)
    return browser
