"""FAQ: "I am having trouble logging into the Parent Portal. The Forgot Password? and/or the Forgot Username? links did
not work?" They were set up by one's spouse only; the next log-in that succeeds asks, and then they work.
"""

import pytest
from playwright.sync_api import expect

from tests.journeys.post import Mailing, link
from tests.journeys.visit import ENGLISH, SPANISH, Tongue, Visit
from tests.windows import PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]


@pytest.mark.parametrize(("say", "javascript"), [(ENGLISH, False), (SPANISH, True)], ids=["no scripts", "Spanish"])
def test_r13_r43_r44_r45_each_guardian_sets_them_up_and_the_next_log_in_asks(
    mailing: Mailing, chromium: Chromium, say: Tongue, javascript: bool
) -> None:
    district, office, address = mailing.district, mailing.office, f"both.{say.code}@recovers.example.org"
    district.add(f"spouse.{say.code}", address, family_name="Nowak")
    mine = district.add(f"mine.{say.code}", family_name="Nowak")
    with chromium.window(PHONE, javascript=javascript, language=say.locale) as page:
        visit = Visit(page, district, say)
        answer = visit.ask("forgot")
        answer.locator("a[href='#security-email']").click()
        expect(page.locator("#security-email")).to_be_in_viewport()
        visit.forget_password_in_vain(mine.username, office)

        visit.open("/login")
        visit.log_in(mine, password="not my password at all")
        expect(page.get_by_role("alert")).to_be_visible()
        visit.open("/setup/security-email")
        expect(page.get_by_label(say("Username"), exact=True)).to_be_editable()
        visit.open("/login")
        visit.log_in(mine)
        visit.is_at("Your Security Email")
        visit.enter_address(address, mine.password)
        visit.is_at("Verify Your Security Email")
        visit.verify(link(office.wait_for(say("Verify your security email"), naming=mine.username)))

    with chromium.window(PHONE, javascript=javascript, language=say.locale) as page:
        Visit(page, district, say).forget_username(address)
        office.wait_for(say("Your username"), naming=mine.username)
    assert office.subjects(address) == [say("Verify your security email"), say("Your username")], "none before"
