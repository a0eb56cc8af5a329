"""FAQ: "I did not receive the security email verification message. What should I do?"

It is sent again; and where the mail server refuses the address, the form and the team's desk say what it said.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from idp import clock
from idp.accounts import security_emails
from tests.factories import Person
from tests.journeys.district import District, log_in
from tests.journeys.post import Mailing, link
from tests.journeys.visit import ENGLISH, SPANISH, Tongue, Visit
from tests.windows import PHONE, Chromium, taken

pytestmark = [pytest.mark.journey, pytest.mark.one_database]


@pytest.mark.parametrize(("say", "javascript"), [(ENGLISH, False), (SPANISH, True)], ids=["no scripts", "Spanish"])
def test_r39_r40_r41_it_is_sent_again_and_the_page_says_where_to_look(
    mailing: Mailing, chromium: Chromium, say: Tongue, javascript: bool
) -> None:
    address = f"again.{say.code}@recovers.example.org"
    who = _waiting(mailing.district, f"again.{say.code}", address)
    with chromium.window(PHONE, javascript=javascript, language=say.locale) as page:
        visit = Visit(page, mailing.district, say)
        visit.ask("no-verification-email").get_by_role("link").first.click()
        visit.log_in(who)
        visit.open_account_settings()
        visit.reads("Not verified")
        visit.press("Resend Verification Email")
        visit.reads("Spam or Junk folder")
        visit.reads("Verify your security email")
        expect(visit.main).to_contain_text("portal@localhost")
        visit.verify(link(mailing.office.wait_for(say("Verify your security email"), naming=who.username)))
        visit.open("/account/settings")
        visit.reads("Verified")


def test_r42_where_it_is_refused_the_form_knows_the_topic_and_the_team_sees_why(
    mailing: Mailing, chromium: Chromium
) -> None:
    who = _waiting(mailing.district, "never.comes", "nobody@recovers.example.org", email="never@families.example")
    with chromium.window(PHONE, javascript=False) as page:
        visit = Visit(page, mailing.district)
        visit.open("/login")
        visit.log_in(who)
        visit.open_account_settings()
        visit.press("Resend Verification Email")
        page.get_by_role("link", name=re.compile("that it does not come$")).click()
        number = visit.fill_in_the_form("verification-email", who.name, "never@families.example")

    with chromium.window(PHONE) as page:
        page.goto(f"{mailing.district.issuer}/desk/requests/{number}")
        log_in(page, mailing.district.support)
        expect(page.get_by_text("Topic: Verification email not received")).to_be_visible()
        page.get_by_role("main").get_by_role("link", name=who.name, exact=True).first.click()
        _expect_after_a_while(page, "550 5.1.1 No such mailbox")
        assert taken(page) <= PHONE


def _waiting(district: District, username: str, address: str, **columns: str) -> Person:
    """Add somebody whose address was entered some time ago, and never verified."""
    who = district.add(username, **columns)
    with district.inside():
        security_emails.set_pending(who.id, address, clock.now())
    return who


def _expect_after_a_while(page: Page, words: str) -> None:
    """Load a page until it says something: a worker needs a moment."""
    for _ in range(100):
        if words in page.get_by_role("main").inner_text():
            return
        page.wait_for_timeout(200)
        page.reload()
    raise AssertionError(page.get_by_role("main").inner_text())
