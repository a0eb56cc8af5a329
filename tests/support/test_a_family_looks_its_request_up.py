"""A family sees where its request stands, by its number and its contact, and nobody else does."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from idp import clock
from idp.database import db
from idp.ids import new_id
from idp.settings import Settings
from idp.support.models import CLOSED, MAIL, NOTE, OPEN, PHONE, STATE, WAITING, LogEntry
from tests.pages import Browser, Page
from tests.support.conftest import Send, number_on, tickets

Travel = Callable[[timedelta], AbstractContextManager[None]]


@pytest.fixture
def number(send: Send) -> str:
    """The number of a request."""
    return number_on(send())


def _look_up(browser: Browser, number: str, contact: str) -> Page:
    browser.open("/support/ticket")
    browser.fill("Number of your request", number).fill("Your email address or phone number", contact)
    return browser.press("Show", follow=True)


def _note(kind: str, state: str = "", text: str = "") -> None:
    (ticket,) = tickets()
    db.session.add(LogEntry(id=new_id(), ticket_id=ticket.id, kind=kind, state=state, text=text, at=clock.now()))
    if state:
        ticket.state = state
    db.session.commit()


@pytest.mark.parametrize(
    "contact",
    ["ewa@example.org", " EWA@Example.org ", "(847) 555-0199", "8475550199", "+1 847.555.0199", "٨٤٧٥٥٥٠١٩٩"],
)
def test_r59_number_and_contact_show_it(browser: Browser, number: str, contact: str) -> None:
    page = _look_up(browser, f"{number[:4]} {number[4:]}", contact)

    assert page.status == 200
    assert f"{number[:4]} {number[4:]}" in page.words
    assert "I have no account" in page.words
    assert "Open" in page.words
    assert "We have it, and will contact you." in page.words
    assert number not in page.path
    assert "ewa" not in page.path


def test_r59_the_log_is_told_in_words_and_notes_are_the_teams_alone(
    browser: Browser, number: str, travel: Travel
) -> None:
    _note(NOTE, text="Sounds unsure who she is.")
    _note(PHONE, text="Her sister answered.")
    _note(MAIL, text="Dear Ewa, …")
    _note(STATE, WAITING)
    page = _look_up(browser, number, "ewa@example.org")
    assert "We have called or written to you, and wait for your answer." in page.words
    told = [item.words for item in page.root.all("li") if item.words.startswith(("We ", "You "))]
    assert [words.partition(" on ")[0] for words in told] == ["You sent it", "We called you", "We wrote to you"]
    assert "2" in told[0]
    assert not [words for words in ("unsure", "sister", "Dear Ewa") if words in page.text]

    _note(STATE, CLOSED)
    _note(STATE, OPEN)
    _note(STATE, CLOSED)
    page = browser.open(page.path)

    assert "We are done with it." in page.words
    told = [item.words for item in page.root.all("li") if item.words.startswith(("We ", "You "))]
    assert [words.partition(" on ")[0] for words in told[-3:]] == [
        "We closed it",
        "We took it up again",
        "We closed it",
    ]


def test_r59_it_is_told_in_the_readers_language(browser: Browser, number: str) -> None:
    _note(PHONE)
    page = _look_up(browser, number, "ewa@example.org")

    page = browser.click("Español", follow=True)

    assert "Abierta" in page.words
    assert "Le llamamos el " in page.words
    assert " de 20" in page.words, "dates, too"


def test_a_wrong_number_and_a_wrong_contact_are_one_answer(browser: Browser, number: str) -> None:
    other = f"{(int(number) + 1) % 10**8:08}"
    answers = [
        _look_up(browser, given, contact)
        for given, contact in ((number, "someone@example.org"), (other, "ewa@example.org"), (number, "0199"))
    ]

    assert {page.status for page in answers} == {422}
    summaries = {
        next(item.words for item in page.root.all("div") if item.get("id") == "error-summary") for page in answers
    }
    assert len(summaries) == 1
    assert "We found no request with this number" in summaries.pop()


def test_a_request_without_an_email_address_is_not_shown_for_none(browser: Browser, send: Send) -> None:
    number = number_on(send({"Email": ""}))

    assert _look_up(browser, number, "x").status == 422
    assert _look_up(browser, number, "@").status == 422
    assert _look_up(browser, number, "+").status == 422


@pytest.mark.parametrize(("number", "contact"), [("", ""), ("1234567", "x"), ("123456789", "x"), ("number", "x")])
def test_what_is_no_number_is_told_beside_its_field(browser: Browser, number: str, contact: str) -> None:
    page = _look_up(browser, number, contact)

    assert page.status == 422
    assert "Enter the 8 digits of the number." in page.error("Number of your request")
    assert page.value("Number of your request") == number


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings by which the sixth wrong try for a number has to wait, and the ninth from a network."""
    return replace(settings, support=replace(settings.support, lookups_per_ticket_hour=5, lookups_per_network_hour=8))


def test_guessing_a_contact_has_to_wait(browser: Browser, number: str, new_browser: Callable[[], Browser]) -> None:
    for guess in range(5):
        window = new_browser()
        window.address = f"192.0.2.{guess}"
        assert _look_up(window, number, f"84755500{guess:02}").status == 422

    page = _look_up(browser, number, "ewa@example.org")

    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "That did not work too often." in page.words
    assert "847-555-0142" in page.words


def test_guessing_numbers_has_to_wait(browser: Browser, number: str, travel: Travel) -> None:
    for guess in range(8):
        assert _look_up(browser, f"0000000{guess}", "ewa@example.org").status == 422

    assert _look_up(browser, number, "ewa@example.org").status == 429
    with travel(timedelta(minutes=62)):
        assert _look_up(browser, number, "ewa@example.org").status == 200


def test_looking_again_and_again_at_ones_own_is_no_guessing(browser: Browser, number: str) -> None:
    for _ in range(12):
        assert _look_up(browser, number, "ewa@example.org").status == 200


def test_the_address_shows_nothing_elsewhere_or_later(
    browser: Browser, number: str, travel: Travel, new_browser: Callable[[], Browser]
) -> None:
    shown = _look_up(browser, number, "ewa@example.org").path

    assert "Number of your request" in new_browser().open(shown).fields
    with travel(timedelta(hours=2)):
        assert "Number of your request" in browser.open(shown).fields
    assert (
        "Number of your request"
        in browser.open(shown.replace("/support/ticket?", "/support/sent?"), follow=True).fields
    )


def test_a_request_that_is_kept_no_more_is_asked_for_anew(browser: Browser, number: str) -> None:
    shown = _look_up(browser, number, "ewa@example.org").path
    (ticket,) = tickets()
    assert isinstance(ticket.id, uuid.UUID)
    db.session.delete(ticket)
    db.session.commit()

    assert "Number of your request" in browser.open(shown).fields
