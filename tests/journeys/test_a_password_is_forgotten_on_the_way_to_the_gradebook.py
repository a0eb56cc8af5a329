"""R18: "Forgot Password?" on the way to the gradebook ends in the gradebook; the mail is a real server's."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.district import GRADEBOOK, District, LogIn, expect_inside, log_in, open_application
from tests.mail.conftest import MailServer
from tests.windows import DESK, PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

NEW = "a lantern over the pond"


def mail(server: MailServer, recipient: str, subject: str) -> str:
    """Return what the newest message with this subject to an address says, once the server has it."""
    for _ in range(200):
        for got in reversed(server.got):
            if got["To"] == recipient and got["Subject"] == subject:
                body = got.get_body(("plain",))
                assert body
                return str(body.get_content())
        time.sleep(0.1)
    raise AssertionError(f"no mail {subject!r} to {recipient}: {[(got['To'], got['Subject']) for got in server.got]}")


def forget(page: Page, district: District, who: LogIn) -> None:
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
    mailing_district: District, mail_server: MailServer, chromium: Chromium, width: int, *, javascript: bool
) -> None:
    who, address, password = mailing_district.guardian, f"family{width}@recovers.example.org", f"{NEW} {width}"
    mailing_district.verify(who, address)
    with chromium.window(width, javascript=javascript) as page:
        forget(page, mailing_district, who)
        text = mail(mail_server, address, "Choose a new password")
        page.goto(next(line for line in text.splitlines() if "?token=" in line))
        choose(page, password)
        expect_inside(page, mailing_district.applications[GRADEBOOK], who.name)

    with chromium.window(width, javascript=javascript) as page:
        open_application(page, mailing_district.applications[GRADEBOOK])
        log_in(page, LogIn(who.username, password))
        expect_inside(page, mailing_district.applications[GRADEBOOK], who.name)


def test_r18_in_another_browser_it_ends_in_the_gradebook_by_its_start_page(
    mailing_district: District, mail_server: MailServer, chromium: Chromium
) -> None:
    who, address = mailing_district.other_guardian, "other@recovers.example.org"
    mailing_district.verify(who, address)
    with chromium.window() as page, chromium.window(PHONE) as phone:
        forget(page, mailing_district, who)
        text = mail(mail_server, address, "Choose a new password")
        phone.goto(next(line for line in text.splitlines() if "?token=" in line))
        choose(phone, NEW)
        expect_inside(phone, mailing_district.applications[GRADEBOOK], who.name)


def test_r18_a_forgotten_username_is_in_the_mail(
    mailing_district: District, mail_server: MailServer, chromium: Chromium
) -> None:
    who, address = mailing_district.other_guardian, "username@recovers.example.org"
    mailing_district.verify(who, address)
    with chromium.window(PHONE, javascript=False) as page:
        page.goto(f"{mailing_district.issuer}/login")
        page.get_by_role("link", name="Forgot Username?", exact=True).click()
        page.get_by_label("Security email", exact=True).fill(address)
        page.get_by_role("button", name="Send Email", exact=True).click()
        expect(page.get_by_role("heading", name="Check Your Email")).to_be_visible()

    assert who.username in mail(mail_server, address, "Your username").splitlines()
