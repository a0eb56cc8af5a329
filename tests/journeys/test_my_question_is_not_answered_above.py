"""FAQ: "My question is not answered above. How do I get more help?" Other FAQs, and then the form."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.district import District
from tests.journeys.post import Mailing, plain
from tests.journeys.visit import ENGLISH, SPANISH, Tongue, Visit
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


@pytest.mark.parametrize(("say", "javascript"), [(ENGLISH, False), (SPANISH, True)], ids=["no scripts", "Spanish"])
def test_r58_r59_a_brief_summary_is_asked_for_and_a_mail_has_the_number(
    mailing: Mailing, chromium: Chromium, say: Tongue, javascript: bool
) -> None:
    address = f"question.{say.code}@families.example"
    with chromium.window(PHONE, javascript=javascript, language=say.locale) as page:
        visit = Visit(page, mailing.district, say)
        visit.ask("more-help").locator("a[href='/support?topic=other']").click()
        page.wait_for_timeout(1100)  # as a person needs
        visit.press("Send")
        expect(page.get_by_role("alert")).to_contain_text(say("Tell us in a few words what you need."))
        number = visit.fill_in_the_form("other", "Rosa Núñez", address, "¿Dónde veo el menú de la cafetería?")

        mail = mailing.office.wait_for(f"{say('Your request for support: number')} {number}", naming=number)
        assert mail["To"] == address
        page.goto(next(line for line in plain(mail).splitlines() if line.startswith("http")))
        visit.fill("Number of your request", number)
        visit.fill("Your email address or phone number", address)
        visit.press("Show")
        visit.reads("We have it, and will contact you.")
