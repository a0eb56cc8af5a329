"""FAQ: "My question is not answered above. How do I get more help?" Other FAQs, and then the form."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.district import District
from tests.windows import PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]


@pytest.mark.parametrize("javascript", [True, False], ids=["", "no scripts"])
@pytest.mark.parametrize(
    ("language", "question", "others", "listed", "form"),
    [
        (
            "en-US",
            "My question is not answered above. How do I get more help?",
            "other FAQs",
            "https://district207.example/infinite-campus-faq",
            "Parent Portal Support Form",
        ),
        (
            "es-MX",
            "Mi pregunta no tiene respuesta aquí. ¿Cómo obtengo más ayuda?",
            "otras preguntas frecuentes",
            "https://district207.example/infinite-campus-faq-es",
            "formulario",
        ),
    ],
    ids=["English", "Spanish"],
)
def test_r56_r57_the_answer_leads_to_other_faqs_and_to_the_support_form(
    district: District,
    chromium: Chromium,
    language: str,
    question: str,
    others: str,
    listed: str,
    form: str,
    javascript: bool,
) -> None:
    with chromium.window(PHONE, language=language, javascript=javascript) as page:
        page.goto(f"{district.issuer}/help")
        page.get_by_role("link", name=question).click()
        answer = page.get_by_role("region", name=question)
        answer.get_by_role("link", name=others).click()
        expect(page).to_have_url(re.compile(r"#other-faqs$"))
        expect(page.locator("#other-faqs")).to_be_in_viewport()
        expect(page.locator(f'section a[href="{listed}"]')).to_be_visible()

        page.go_back()
        answer.get_by_role("link", name=form).click()
        expect(page).to_have_url(f"{district.issuer}/support?topic=other")
        expect(page.get_by_role("main")).to_contain_text("District 207")
