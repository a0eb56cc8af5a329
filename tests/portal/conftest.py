"""The tools of a district with three schools."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from idp.settings import School, Settings
from tests.factories import Person, Registered
from tests.pages import Browser

SCHOOLS = (
    School("maine-east", "Maine East High School", "#1b4aa0"),
    School("maine-south", "Maine South High School", "#a3192e"),
    School("maine-west", "Maine West High School", "#14633c"),
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with three schools."""
    return replace(settings, district=replace(settings.district, schools=SCHOOLS))


@pytest.fixture
def tools(client: Callable[..., Registered]) -> list[Registered]:
    """The gradebook and two dashboards, which the district runs itself."""
    return [
        client(name, first_party=True, initiate_login_uri=f"https://{host}.example/login", description=description)
        for name, host, description in (
            ("Maine West Parent Dashboard", "west", "News, calendar and lunch."),
            ("Maine East Parent Dashboard", "east", "News, calendar and lunch."),
            ("Gradebook", "gradebook", "Marks, attendance and timetable."),
        )
    ]


@pytest.fixture
def logged_in(browser: Browser, parent: Person) -> Browser:
    """A browser in which a guardian is logged in."""
    browser.log_in(parent.username, parent.password)
    return browser
