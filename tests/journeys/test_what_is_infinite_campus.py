"""FAQ: "What is Infinite Campus? Why would I use it?" From the log-in page to the answer, on a phone."""

import pytest
from playwright.sync_api import expect

from tests.journeys.district import District
from tests.windows import PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

_QUESTION = "What is Infinite Campus? Why would I use it?"


@pytest.mark.parametrize("javascript", [True, False], ids=["", "no scripts"])
def test_r1_r2_r3_the_answer_is_found_without_a_log_in(
    district: District, chromium: Chromium, javascript: bool
) -> None:
    with chromium.window(PHONE, javascript=javascript) as page:
        page.goto(f"{district.issuer}/login")
        page.get_by_role("link", name="Help", exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Help")
        questions = page.get_by_role("navigation", name="Questions").get_by_role("link")
        expect(questions).to_have_count(11)

        page.get_by_role("link", name=_QUESTION).click()

        expect(page.get_by_role("heading", name=_QUESTION)).to_be_in_viewport()
        answer = page.get_by_role("region", name=_QUESTION)
        faq = answer.get_by_role("link", name="Infinite Campus Parent Portal FAQ")
        expect(faq).to_have_attribute("href", "https://district207.example/parent-portal-faq")


def test_r2_the_answers_are_there_in_spanish(district: District, chromium: Chromium) -> None:
    with chromium.window(PHONE, language="es-MX") as page:
        page.goto(f"{district.issuer}/help")
        expect(page.get_by_role("navigation", name="Preguntas").get_by_role("link")).to_have_count(11)
        page.get_by_role("link", name="¿Qué es Infinite Campus?").click()

        expect(page.get_by_role("heading", name="¿Qué es Infinite Campus?")).to_be_in_viewport()
