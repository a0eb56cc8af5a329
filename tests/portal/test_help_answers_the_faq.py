"""Help: the district's eleven questions, each with its answer, for everybody and in each language."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from idp.app import create_app
from idp.database import db
from idp.portal import help_text
from idp.settings import District, Faq, Settings, SettingsError
from tests.elements import Element
from tests.factories import Registered
from tests.pages import Browser, Page

QUESTIONS = [
    "What is Infinite Campus? Why would I use it?",
    "How do I log into the Parent Portal?",
    "Why is the Parent Portal asking me for an email address and password after I login?",
    "When I login, why does a box appear that says, “I’m not a robot”?",
    "How do I change my security email?",
    "I did not receive the security email verification message. What should I do?",
    (
        "I am having trouble logging into the Parent Portal. "
        "The Forgot Password? and/or the Forgot Username? links did not work?"
    ),
    "How do I change my username?",
    "How do I change my password?",
    "I do not have a Parent Portal account. What should I do?",
    "My question is not answered above. How do I get more help?",
]
FAQS = (
    Faq("Bus routes", "https://district207.example/buses"),
    Faq("Horarios", "https://district207.example/horarios", "es"),
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A district of two languages and three schools, with pages of questions elsewhere."""
    return replace(settings, district=replace(settings.district, languages=("en", "es"), other_faqs=FAQS))


@pytest.fixture
def page(browser: Browser) -> Page:
    """Help, as a visitor finds it."""
    browser.open("/login")
    return browser.click("Help")


def test_r1_help_is_open_to_everybody_from_the_log_in_page(page: Page) -> None:
    """R1: public, linked from LOGIN."""
    assert (page.status, page.path) == (200, "/help")
    assert "questions you may have regarding Parent Portal logins and security" in page.words


def test_r2_it_opens_with_eleven_links_each_to_its_answer(page: Page) -> None:
    """R2: the eleven questions, in the district's words; each link jumps to its answer."""
    links = [link for link in page.root.all("a") if link.words.startswith("Q: ")]
    assert [link.words.removeprefix("Q: ") for link in links] == QUESTIONS

    for link, question in zip(links, QUESTIONS, strict=True):
        heading = _by_id(page, (link.get("href") or "").removeprefix("#"))
        assert heading.words == f"Q: {question}"
        section = heading.above("section")
        assert section is not None
        assert "A:" in section.words.replace(heading.words, "")


def test_r2_it_is_translated(browser: Browser) -> None:
    """R2: the same answers, by the same names, in Spanish."""
    english = _ids(browser.open("/help"))
    page = browser.send("GET", "/help", headers={"Accept-Language": "es"})

    assert _ids(page) == english
    assert page.root.all("html").__next__().get("lang") == "es"
    assert "P: ¿Cómo cambio mi contraseña?" in page.words
    assert "Log In" not in page.words


def test_r3_it_leads_to_the_districts_general_faq(page: Page) -> None:
    """R3: at the address that the district sets."""
    assert page.links["Infinite Campus Parent Portal FAQ"] == "https://district207.example/parent-portal-faq"


def test_r4_it_leads_to_the_log_in_page_at_its_short_address(browser: Browser, page: Page) -> None:
    """R4: one stable, short address."""
    assert page.links["Parent Portal Login page"] == "/login"
    assert browser.click("Parent Portal Login page").fields[:2] == ["Username", "Password"]


def test_r5_it_leads_to_each_schools_dashboard(browser: Browser, client: Callable[..., Registered]) -> None:
    """R5, R6: the schools' own pages start a log-in; other applications are not listed."""
    client("Maine East Parent Dashboard", first_party=True, initiate_login_uri="https://east.example/login")
    client("Gradebook", first_party=True, initiate_login_uri="https://gradebook.example/login")

    page = browser.open("/help")

    assert page.links["Maine East Parent Dashboard"] == "https://east.example/login?iss=http%3A%2F%2Flocalhost%3A5000"
    assert "of each District 207 school: Maine East Parent Dashboard" in page.words
    assert "Gradebook" not in page.links


def test_r45_an_answer_leads_to_another(page: Page) -> None:
    """R45: "See above for more information" is a link to the answer about the security email."""
    target = _by_id(page, page.links["the answer above"].removeprefix("#"))

    assert target.words == f"Q: {QUESTIONS[2]}"


@pytest.mark.parametrize(
    ("place", "topic"),
    [(5, "verification-email"), (6, "forgot"), (7, "change-username"), (9, "no-account")],
)
def test_answers_lead_to_the_form_by_their_topic(page: Page, place: int, topic: str) -> None:
    """R42, R47, R53: the support form opens with the topic of the question."""
    assert _forms(page, place) == [f"/support?topic={topic}"]


def test_r57_the_last_answer_leads_to_the_form_for_whatever_else_there_is(page: Page) -> None:
    assert _forms(page, 10) == ["/support?topic=other"]


def test_r56_it_ends_with_links_to_other_faqs(browser: Browser, page: Page) -> None:
    """R56: the district's list, which the last answer leads to."""
    assert page.links["other FAQs"] == "#other-faqs"
    listed = _by_id(page, "other-faqs").above("section")
    assert listed is not None
    assert [link.words for link in listed.all("a")] == [
        "More questions and answers about the Parent Portal",
        "Bus routes",
    ]
    spanish = browser.send("GET", "/help", headers={"Accept-Language": "es"})
    assert spanish.links["Horarios"] == "https://district207.example/horarios"


def test_what_the_district_has_not_set_is_not_spoken_of(app: Flask, settings: Settings) -> None:
    app.config["IDP"] = replace(settings, district=replace(settings.district, general_faq="", other_faqs=()))

    page = Browser(app.test_client(), settings.server.issuer).open("/help")

    assert "Infinite Campus Parent Portal FAQ" not in page.words
    assert "other FAQs" not in page.words
    assert "of each District 207 school" not in page.words, "no dashboard is registered"
    assert "{" not in page.words
    assert all(
        link.startswith(("/", "#", "tel:", "mailto:", "https://district207.example")) for link in page.links.values()
    )


def test_every_link_leads_to_a_page(browser: Browser, page: Page) -> None:
    for address in {
        link.partition("#")[0] for link in page.links.values() if link.startswith("/") and "language=" not in link
    } - {"/", "/account/settings"}:
        assert browser.open(address).status == 200, address


def test_r2_a_district_writes_its_own_words(tmp_path: Path, settings: Settings) -> None:
    """R2: the district can edit the text."""
    text = _text(
        tmp_path, "Hello {district}.\n\n## May I? {#may-i}\n\nYes, *you* may. [Why?](#why)\n\n## Why {portal}\n\nSo.\n"
    )

    assert text.introduction == "<p>Hello District 207.</p>\n"
    assert [(entry.id, entry.words) for entry in text.questions] == [
        ("may-i", "May I?"),
        ("question-2", "Why Parent Portal"),
    ]
    assert text.questions[0].answer == '<p>Yes, <em>you</em> may. <a href="#why">Why?</a></p>\n'


@pytest.mark.parametrize(
    "written",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "`<b>`",
        "a <!-- b --> c",
    ],
)
def test_no_html_of_a_file_is_drawn(tmp_path: Path, written: str) -> None:
    answer = _text(tmp_path, f"## Q\n\n{written}\n").questions[0].answer

    assert "&lt;" in answer
    assert not any(tag in answer for tag in ("<script", "<img", "<a ", "<b>", "<!--"))


def test_what_settings_hold_is_words_and_no_markup(tmp_path: Path) -> None:
    folder = _folder(tmp_path, "## About {district}\n\n{district} and **{portal}**\n")
    district = District(name="<b>[x](javascript:alert(1))*", portal_name="_P_", help_folder=str(folder))

    text = help_text.find(district, "en", ())

    assert text.questions[0].answer == "<p>&lt;b&gt;[x](javascript:alert(1))* and <strong>_P_</strong></p>\n"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "no question"),
        ("# Help\n\n## Q\n\nA\n", "line 1"),
        ("## Q\n", "has no answer"),
        ("## Q\n\nA {nobody}\n", "{nobody} stands for nothing"),
        ("## Q\n\n[x](javascript:alert(1))\n", "no address that Help may link to"),
        ("## Q\n\n[x](//evil.example/)\n", "no address that Help may link to"),
        ("## Q\n\n[x](data:text/html,y)\n", "no address that Help may link to"),
        ("## Q\n\n[x](ftp://example.org)\n", "no address that Help may link to"),
        ("## Q\n\n[x](#nowhere)\n", "no answer has the name #nowhere"),
        ("## Q\n\n[x](/logn)\n", "/logn is no page"),
        ("## Q\n\n[x]({district})\n", "{district} is no address"),
        ("## Q {#a}\n\nA\n\n## R {#a}\n\nB\n", "two answers have the name a"),
        ("## Q\n\n" + "a" * 200_000, "more than"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_at_the_start(
    tmp_path: Path, settings: Settings, written: str, told: str
) -> None:
    """Before anybody reads it: Help answers nobody with an error."""
    with pytest.raises(SettingsError) as error:
        _start(settings, _folder(tmp_path, written))

    assert told in str(error.value)
    assert "en.md" in str(error.value)


def test_a_file_that_is_missing_or_no_text_is_told_at_the_start(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "empty").mkdir()
    folder = _folder(tmp_path, "")
    (folder / "en.md").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="can't be read: UnicodeDecodeError"):
        _start(settings, folder)
    with pytest.raises(SettingsError, match="can't be read: FileNotFoundError"):
        _start(settings, tmp_path / "empty")


def test_a_language_without_a_file_gets_the_first_ones_words_and_is_told_which(
    browser: Browser, app: Flask, tmp_path: Path, settings: Settings
) -> None:
    folder = _folder(tmp_path, "## May I?\n\nYes.\n")
    app.config["IDP"] = replace(settings, district=replace(settings.district, help_folder=str(folder)))

    page = browser.send("GET", "/help", headers={"Accept-Language": "es"})

    section = next(item for item in page.root.all("section") if "May I?" in item.words)
    assert section.get("lang") == "en"


def _start(settings: Settings, folder: Path) -> None:
    app = create_app(replace(settings, district=replace(settings.district, help_folder=str(folder))))
    with app.app_context():
        db.engine.dispose()


def _folder(tmp_path: Path, written: str) -> Path:
    folder = tmp_path / "help"
    folder.mkdir()
    (folder / "en.md").write_text(written, "utf-8")
    return folder


def _text(tmp_path: Path, written: str) -> help_text.HelpText:
    return help_text.find(District(help_folder=str(_folder(tmp_path, written))), "en", ())


def _by_id(page: Page, name: str) -> Element:
    return next(item for item in page.root.all() if item.get("id") == name)


def _answer(page: Page, place: int) -> Element:
    heading = next(item for item in page.root.all("h2") if item.words == f"Q: {QUESTIONS[place]}")
    section = heading.above("section")
    assert section is not None
    return section


def _forms(page: Page, place: int) -> list[str | None]:
    """Return where an answer's links to the support form lead."""
    return [link.get("href") for link in _answer(page, place).all("a") if "Support Form" in link.words]


def _ids(page: Page) -> list[str | None]:
    return [heading.get("id") for heading in page.root.all("h2")]
