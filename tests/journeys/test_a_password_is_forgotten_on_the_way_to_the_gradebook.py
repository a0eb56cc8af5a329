"""R18: "Forgot Password?" on the way to the gradebook ends in the gradebook; the mail is a real server's."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.factories import Person
from tests.journeys.district import GRADEBOOK, District, LogIn, expect_inside, log_in, open_application
from tests.journeys.post import Mailing, link, plain
from tests.windows import DESK, PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

NEW = "a lantern over the pond"


def forget(page: Page, district: District, who: Person) -> None:
    """Come from the gradebook, and say that the password is forgotten."""
    open_application(page, district.applications[GRADEBOOK])
    page.get_by_role("link", name="Forgot Password?", exact=True).click()
    page.get_by_label("Username or security email", exact=True).fill(who.username)
    page.get_by_role("button", name="Send Email", exact=True).click()
    expect(page.get_by_role("heading", name="Check Your Email")).to_be_visible()


def choose(page: Page, password: str) -> None:
    """Type a new password, and press Save."""
    expect(page).to_have_url(re.compile("/reset-password$"))
    page.get_by_label("New Password", exact=True).fill(password)
    page.get_by_role("button", name="Save", exact=True).click()


@pytest.mark.parametrize(
    ("width", "javascript"), [(PHONE, True), (DESK, False)], ids=["phone", "desk without JavaScript"]
)
def test_r18_in_the_same_browser_it_ends_in_the_gradebook(
    mailing: Mailing, chromium: Chromium, width: int, *, javascript: bool
) -> None:
    who, gradebook = _family(mailing, f"same{width}"), mailing.district.applications[GRADEBOOK]
    with chromium.window(width, javascript=javascript) as page:
        forget(page, mailing.district, who)
        page.goto(link(mailing.office.wait_for("Choose a new password", naming=who.username)))
        choose(page, NEW)
        expect_inside(page, gradebook, who.name)

    with chromium.window(width, javascript=javascript) as page:
        open_application(page, gradebook)
        log_in(page, LogIn(who.username, NEW))
        expect_inside(page, gradebook, who.name)


def test_r18_in_another_browser_it_ends_in_the_gradebook_by_its_start_page(
    mailing: Mailing, chromium: Chromium
) -> None:
    who = _family(mailing, "elsewhere")
    with chromium.window() as page, chromium.window(PHONE) as phone:
        forget(page, mailing.district, who)
        phone.goto(link(mailing.office.wait_for("Choose a new password", naming=who.username)))
        choose(phone, NEW)
        expect_inside(phone, mailing.district.applications[GRADEBOOK], who.name)


def test_r18_a_forgotten_username_is_in_the_mail(mailing: Mailing, chromium: Chromium) -> None:
    who = _family(mailing, "nameless")
    with chromium.window(PHONE, javascript=False) as page:
        page.goto(f"{mailing.district.issuer}/login")
        page.get_by_role("link", name="Forgot Username?", exact=True).click()
        page.get_by_label("Security email", exact=True).fill("nameless@recovers.example.org")
        page.get_by_role("button", name="Send Email", exact=True).click()
        expect(page.get_by_role("heading", name="Check Your Email")).to_be_visible()

    mail = mailing.office.wait_for("Your username", naming=who.username)
    assert who.username in plain(mail).splitlines()


def _family(mailing: Mailing, username: str) -> Person:
    return mailing.district.add(f"forgot.{username}", f"{username}@recovers.example.org")
