"""FAQ: "How do I change my username?" By the form; a secretary changes it, and one stays logged in."""

import pytest
from playwright.sync_api import expect

from tests.journeys.district import LogIn, log_in
from tests.journeys.post import Mailing, plain
from tests.journeys.visit import ENGLISH, SPANISH, Tongue, Visit
from tests.windows import PHONE, Chromium, taken

pytestmark = [pytest.mark.journey, pytest.mark.one_database]


@pytest.mark.parametrize(("say", "javascript"), [(ENGLISH, False), (SPANISH, True)], ids=["no scripts", "Spanish"])
def test_r47_the_form_is_answered_by_a_new_username_and_nobody_is_logged_out(
    mailing: Mailing, chromium: Chromium, say: Tongue, javascript: bool
) -> None:
    district, office, new = mailing.district, mailing.office, f"renamed.{say.code}"
    own, on_file = f"{new}@recovers.example.org", f"{new}@families.example"
    who = district.add(f"before.{say.code}", own, email=on_file, family_name="Zielinska")
    with (
        chromium.window(PHONE, javascript=javascript, language=say.locale) as page,
        chromium.window(PHONE) as desk,
    ):
        visit = Visit(page, district, say)
        visit.open("/login")
        visit.log_in(who)
        form = visit.ask("change-username").get_by_role("link").get_attribute("href")
        visit.open_account_settings()
        expect(page.get_by_role("link", name=say("Change my username"))).to_have_attribute("href", str(form))
        visit.follow("Change my username")
        number = visit.fill_in_the_form("change-username", who.name, on_file)

        desk.goto(f"{district.issuer}/desk/requests/{number}")
        log_in(desk, district.support)
        desk.get_by_role("main").get_by_role("link", name=who.name, exact=True).first.click()
        desk.get_by_role("link", name="Change the username", exact=True).click()
        desk.get_by_label("New username", exact=True).fill(new)
        desk.get_by_label("Why?").fill(f"Request {number}: called back, and knew the student’s number.")
        desk.get_by_role("button", name="Change the username", exact=True).click()
        expect(desk.get_by_text("The username is changed.")).to_be_visible()
        assert taken(desk) <= PHONE

        visit.open_account_settings()
        expect(visit.main).to_contain_text(new)
        mail = office.wait_for(say("Your username was changed"), naming=new)
        assert who.username in plain(mail)

    with chromium.window(PHONE, javascript=javascript, language=say.locale) as page:
        visit = Visit(page, district, say)
        visit.open("/login")
        visit.log_in(LogIn(new, who.password))
        expect(page.get_by_role("button", name=say("Profile"), exact=True)).to_be_visible()
    told = [to for to, message in office.got if message["Subject"] == say("Your username was changed")]
    assert sorted(told) == sorted([own, on_file])
