"""FAQ: "I do not have a Parent Portal account. What should I do?" From the log-in page to the mail and the desk."""

import pytest
from playwright.sync_api import expect

from tests.journeys.district import log_in
from tests.journeys.post import Mailing, plain
from tests.journeys.visit import ENGLISH, SPANISH, Tongue, Visit
from tests.windows import PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]


@pytest.mark.parametrize(
    ("say", "javascript"), [(ENGLISH, True), (ENGLISH, False), (SPANISH, True)], ids=["", "no scripts", "Spanish"]
)
def test_r53_r54_r55_r59_a_number_a_mail_the_state_and_the_desk(
    mailing: Mailing, chromium: Chromium, say: Tongue, javascript: bool
) -> None:
    address = f"account.{say.code}.{javascript}@families.example".lower()
    with chromium.window(PHONE, javascript=javascript, language=say.locale) as page:
        visit = Visit(page, mailing.district, say)
        form = visit.ask("no-account").get_by_role("link").get_attribute("href")
        visit.open("/login")
        expect(page.get_by_role("link", name=say("I do not have an account"))).to_have_attribute("href", str(form))
        visit.follow("I do not have an account")
        number = visit.fill_in_the_form("no-account", "Ewa Kowalska", address, "We moved here last week.")

        mail = mailing.office.wait_for(f"{say('Your request for support: number')} {number}", naming=number)
        assert mail["To"] == address
        assert "We moved here" not in plain(mail)

        page.goto(next(line for line in plain(mail).splitlines() if line.startswith("http")))
        visit.fill("Number of your request", number)
        visit.fill("Your email address or phone number", address)
        visit.press("Show")
        visit.reads("We have it, and will contact you.")
        visit.reads("I have no account")

    with chromium.window(PHONE) as desk:
        desk.goto(f"{mailing.district.issuer}/desk/requests/{number}")
        log_in(desk, mailing.district.support)
        expect(desk.get_by_text("Topic: I have no account")).to_be_visible()
        expect(desk.get_by_text("Nobody has said yet whose it is.")).to_be_visible()
