"""The Portal Support Form: open to everybody, told plainly, answered with a number."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from idp.accounts.models import Account
from idp.database import db
from idp.support.models import OPEN, TOPICS
from tests.databases import AppBuilder
from tests.factories import Person
from tests.pages import Browser
from tests.support.conftest import FILLED_IN, SUMMARY, TOPIC, Send, mails, number_on, tickets


def test_r53_the_log_in_page_leads_to_the_form_for_who_has_no_account(browser: Browser) -> None:
    browser.open("/login")

    page = browser.click("I do not have an account")

    assert page.status == 200
    assert page.value(TOPIC) == "no-account"
    assert "I have no account" in page.field(TOPIC).words


@pytest.mark.parametrize("topic", TOPICS)
def test_r42_r47_r57_help_and_settings_lead_to_the_form_with_the_topic_set(browser: Browser, topic: str) -> None:
    links = [link.get("href") for path in ("/help", "/login") for link in browser.open(path).root.all("a")]
    assert f"/support?topic={topic}" in links

    assert browser.open(f"/support?topic={topic}").value(TOPIC) == topic


def test_r42_the_topic_for_a_lost_verification_email_is_named(browser: Browser) -> None:
    page = browser.open("/support?topic=verification-email")

    chosen = [option.words for option in page.field(TOPIC).all("option") if option.get("selected") is not None]
    assert chosen == ["Verification email not received"]


def test_r47_the_username_in_account_settings_leads_to_the_form(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, parent.password)
    page = browser.open("/account/settings")
    assert "Username" not in page.fields, "it can only be read"

    page = browser.click("Change my username")

    assert page.value(TOPIC) == "change-username"


@pytest.mark.parametrize("topic", ["", "nothing", "<script>", "OTHER"])
def test_a_topic_that_does_not_exist_sets_none(browser: Browser, topic: str) -> None:
    assert browser.open("/support", topic=topic).value(TOPIC) == ""


def test_r54_it_asks_for_what_the_team_needs_and_marks_what_is_required(browser: Browser) -> None:
    page = browser.open("/support")

    assert [label for label in page.fields if label != "Leave this field empty"] == [
        "What do you need help with? (required)",
        "Your name (required)",
        "Who are you to the student? (required)",
        "The student\u2019s name (required)",
        "The student\u2019s school (required)",
        "Phone",
        "Email",
        "In which language?",
        "Best time to call you",
        "Your question, in a few words",
    ]
    schools = [option.words for option in page.field("The student\u2019s school (required)").all("option")]
    assert schools == ["Choose\u2026", "Maine East High School", "Another school"]
    languages = [option.words for option in page.field("In which language?").all("option")]
    assert languages == ["English", "Español", "Another language"]


def test_r54_it_says_never_to_send_a_social_security_number_or_a_password(browser: Browser) -> None:
    assert "Never send a Social Security number or a password." in browser.open("/support").words


def test_r54_what_is_missing_is_said_beside_its_field(browser: Browser) -> None:
    browser.open("/support")

    page = browser.press("Send")

    assert page.status == 422
    assert page.title.startswith("Error:")
    for label, words in (
        (TOPIC, "Choose what you need help with."),
        ("Your name (required)", "Enter your name."),
        ("Who are you to the student? (required)", "Choose who you are to the student."),
        ("The student\u2019s name (required)", "Enter the student\u2019s name."),
        ("The student\u2019s school (required)", "Choose the student\u2019s school."),
        ("Phone", "Enter a phone number or an email address."),
    ):
        assert words in page.error(label)
        assert page.links[next(link for link in page.links if link.startswith(words))].startswith("#")
    assert not tickets()


@pytest.mark.parametrize("contact", [{"Phone": "847-555-0199", "Email": ""}, {"Phone": "", "Email": "a@b.example"}])
def test_r54_a_phone_number_or_an_email_address_is_enough(send: Send, contact: dict[str, str]) -> None:
    number_on(send(contact))

    (kept,) = tickets()
    assert (kept.phone, kept.email) == (contact["Phone"], contact["Email"])
    assert len(mails()) == (1 if contact["Email"] else 0)


def test_r54_all_that_was_typed_stays_when_something_is_wrong(send: Send) -> None:
    given = {"Phone": "12", SUMMARY: "We moved here\nlast week.", "Best time to call you": "Around noon"}

    page = send(given)

    assert page.status == 422
    assert "This is no phone number." in page.error("Phone")
    kept = {label: page.value(label) for label in FILLED_IN}
    assert kept["Your name (required)"] == "Ewa Kowalska"
    assert kept[TOPIC] == "no-account"
    assert page.value("Phone") == "12"
    assert page.value(SUMMARY) == "We moved here\nlast week."
    assert page.value("Best time to call you") == "midday"


def test_r55_a_number_and_a_time_are_told_and_no_account_is_made(send: Send) -> None:
    accounts = db.session.scalars(select(Account.id)).all()

    page = send({"The student\u2019s school (required)": "Another school", SUMMARY: "My son is new here."})

    assert page.status == 200
    number = number_on(page)
    assert len(number) == 8
    assert number.isdigit()
    assert "We expect to contact you within 2 school days." in page.words
    assert "No account was made by this." in page.words
    (kept,) = tickets()
    assert (kept.number, kept.state, kept.account_id, kept.school) == (number, OPEN, None, "")
    assert (kept.topic, kept.relationship, kept.language, kept.best_time) == ("no-account", "parent", "en", "any")
    assert (kept.name, kept.name_key) == ("Ewa Kowalska", "kowalska ewa")
    assert (kept.student_name, kept.summary) == ("Jan Kowalski", "My son is new here.")
    assert db.session.scalars(select(Account.id)).all() == accounts


def test_r55_the_time_is_the_districts(build_app: AppBuilder, app: object, browser: Browser) -> None:
    del app
    wanted = replace(browser.client.application.config["IDP"])
    once = build_app(replace(wanted, support=replace(wanted.support, answer_days=1)))

    page = Browser(once.test_client(), browser.origin).open("/support")

    assert "We expect to contact you within 1 school day." in page.words


def test_r55_the_number_is_mailed_and_nothing_that_was_typed(send: Send) -> None:
    number = number_on(send({"Your name (required)": "Buy pills at pills.example", SUMMARY: "Cheap pills"}))

    ((recipient, subject, text),) = mails()
    assert recipient == "ewa@example.org"
    assert subject == f"Your request for support: number {number}"
    assert f"Number: {number}" in text
    assert "Topic: I have no account" in text
    assert "http://localhost:5000/support/ticket" in text
    assert "within 2 school days" in text
    assert "pills" not in text
    assert "Jan" not in text


def test_r55_the_mail_is_in_the_language_that_was_chosen(send: Send) -> None:
    send({"In which language?": "Español"})

    ((_recipient, subject, text),) = mails()
    assert subject.startswith("Su solicitud de ayuda")
    assert "Tema: No tengo una cuenta" in text


def test_r58_a_summary_is_required_for_the_topic_other_alone(send: Send) -> None:
    page = send({TOPIC: "Other"})
    assert page.status == 422
    assert "Tell us in a few words what you need." in page.error(SUMMARY)

    assert send({TOPIC: "Other", SUMMARY: "Dzień dobry, 学校 مدرسة 🎒"}).status == 200
    (kept,) = tickets()
    assert kept.summary == "Dzień dobry, 学校 مدرسة 🎒"


def test_r58_a_summary_has_a_thousand_characters_whatever_its_language(send: Send) -> None:
    page = send({SUMMARY: "学" * 1002})
    assert page.status == 422
    assert "This is too long by 2 characters." in page.error(SUMMARY)
    assert page.value(SUMMARY) == "学" * 1002
    assert "1000" in page.error(SUMMARY)

    assert send({SUMMARY: "a\r\n" * 499 + "学" * 2}).status == 200, "a line's end is one character"
    assert len(tickets()[0].summary) == 1000


def test_whoever_is_logged_in_is_known(browser: Browser, send: Send, parent: Person) -> None:
    browser.log_in(parent.username, parent.password)
    page = browser.open("/support")
    assert page.value("Your name (required)") == parent.name
    assert page.value("Email") == parent.email

    send()

    (kept,) = tickets()
    assert kept.account_id == parent.id


def test_the_form_is_in_spanish(browser: Browser) -> None:
    page = browser.open("/support?language=es&topic=no-account", follow=True)

    assert "¿Con qué necesita ayuda? (obligatorio)" in page.fields
    assert page.value("¿En qué idioma?") == "es"
    assert page.buttons[-1] == "Enviar"
    page = browser.press("Enviar")
    assert "Escriba su nombre." in page.error("Su nombre (obligatorio)")


def test_the_page_of_thanks_is_shown_in_this_browser_alone(send: Send, browser: Browser) -> None:
    page = send()
    number = number_on(page)
    assert number not in page.path

    assert number_on(browser.open(page.path)) == number, "a reload sends nothing again"
    stranger = Browser(browser.client.application.test_client(), browser.origin)
    assert stranger.open(page.path).location == "/support/ticket"
    assert len(tickets()) == 1
