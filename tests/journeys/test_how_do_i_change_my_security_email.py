"""FAQ: "How do I change my security email?" Click by click; the old address is told, and works until then."""

import pytest
from playwright.sync_api import expect

from tests.journeys.post import Mailing, link
from tests.journeys.visit import ENGLISH, SPANISH, Tongue, Visit
from tests.windows import PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]


@pytest.mark.parametrize(("say", "javascript"), [(ENGLISH, False), (SPANISH, True)], ids=["no scripts", "Spanish"])
def test_r32_r33_r34_r35_r36_r37_r38_it_is_changed_as_the_answer_says(
    mailing: Mailing, chromium: Chromium, say: Tongue, javascript: bool
) -> None:
    username, office = f"change.{say.code}", mailing.office
    old, new = f"old.{username}@recovers.example.org", f"new.{username}@recovers.example.org"
    who = mailing.district.add(username, old)
    with (
        chromium.window(PHONE, javascript=javascript, language=say.locale) as page,
        chromium.window(PHONE, javascript=javascript, language=say.locale) as elsewhere,
    ):
        visit, other = Visit(page, mailing.district, say), Visit(elsewhere, mailing.district, say)
        visit.ask("change-security-email").get_by_role("link").first.click()
        visit.log_in(who)
        visit.open_account_settings()
        page.get_by_role("link", name=say("Update Security email")).click()
        visit.reads("Entering an address is not enough.")
        visit.enter_address(new, who.password)
        visit.is_at("Verify Your Security Email")
        office.wait_for(say("Your security email is about to change"), naming=username)
        other.forget_password(username)
        office.wait_for(say("Choose a new password"), naming=username)

        other.verify(link(office.wait_for(say("Verify your security email"), naming=username)))
        visit.open("/account/settings")
        expect(visit.main).to_contain_text(new)
        expect(visit.main).not_to_contain_text(old)

        other.forget_username(new)
        office.wait_for(say("Your username"), naming=username)
    told = ["Your security email is about to change", "Choose a new password"]
    assert office.subjects(old) == [say(one) for one in told], "it works until the new one is verified"
    assert office.subjects(new) == [say("Verify your security email"), say("Your username")]
