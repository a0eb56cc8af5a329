"""What keeps programs from filling the team's queue, without standing in a family's way."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.settings import Settings
from tests.pages import Browser
from tests.support.conftest import FILLED_IN, SUMMARY, Send, mails, number_on, tickets

Travel = Callable[[timedelta], AbstractContextManager[None]]


def _fill(browser: Browser, **given: str) -> Browser:
    browser.open("/support")
    for label, value in {**FILLED_IN, **given}.items():
        browser.fill(label, value)
    return browser


def test_what_is_sent_at_once_is_asked_for_once_more(browser: Browser, travel: Travel) -> None:
    page = _fill(browser).press("Send")
    assert page.status == 422
    assert "That was very fast" in page.words
    assert page.value("Your name (required)") == "Ewa Kowalska"
    assert not tickets()

    with travel(timedelta(seconds=4)):
        number_on(browser.press("Send", follow=True))

    assert len(tickets()) == 1


def test_what_fills_in_the_field_that_nobody_sees_is_asked_for_once_more(browser: Browser, travel: Travel) -> None:
    _fill(browser, **{"Leave this field empty": "https://pills.example"})
    with travel(timedelta(minutes=1)):
        page = browser.press("Send")
        assert page.status == 422
        assert page.value("Leave this field empty") == ""
        assert not tickets()

        number_on(browser.press("Send", follow=True))


def test_a_page_that_lay_open_for_days_keeps_what_was_typed(browser: Browser, travel: Travel) -> None:
    _fill(browser)
    with travel(timedelta(days=2)):
        page = browser.press("Send")
        assert page.status == 422
        assert "This page was open for too long" in page.words
        assert page.value("Phone") == "(847) 555-0199"

    with travel(timedelta(days=2, minutes=1)):
        number_on(browser.press("Send", follow=True))


@pytest.mark.parametrize("token", ["", "x", "k1.AAAA", "k1." + "A" * 500])
def test_a_form_of_nobodys_is_asked_for_once_more(browser: Browser, travel: Travel, token: str) -> None:
    _fill(browser)
    hidden = next(item for item in browser.page.root.all("input") if item.get("name") == "form_token")
    hidden.attributes["value"] = token
    with travel(timedelta(minutes=1)):
        assert browser.press("Send").status == 422

    assert not tickets()


def test_a_form_without_our_protection_keeps_what_was_typed(browser: Browser) -> None:
    browser.open("/support")

    page = browser.send("POST", "/support", data={"name": "Ewa", "csrf_token": "x"})

    assert page.status == 400
    assert page.value("Your name (required)") == "Ewa"


def test_a_page_that_is_sent_twice_makes_one_request(browser: Browser, travel: Travel) -> None:
    first = _fill(browser).page
    with travel(timedelta(minutes=1)):
        number = number_on(browser.press("Send", follow=True))
        browser._page = first  # noqa: SLF001  as the back button does
        for label, value in FILLED_IN.items():
            browser.fill(label, value)
        assert number_on(browser.press("Send", follow=True)) == number

    assert len(tickets()) == 1
    assert len(mails()) == 1


def test_a_page_that_is_sent_again_with_other_words_asks_first(browser: Browser, travel: Travel) -> None:
    first = _fill(browser).page
    with travel(timedelta(minutes=1)):
        number = number_on(browser.press("Send", follow=True))
        browser._page = first  # noqa: SLF001  as the back button does
        for label, value in (FILLED_IN | {SUMMARY: "One thing more."}).items():
            browser.fill(label, value)
        page = browser.press("Send")
        assert page.status == 422
        assert number in page.words
        assert page.value(SUMMARY) == "One thing more."

    with travel(timedelta(minutes=2)):
        assert number_on(browser.press("Send", follow=True)) != number
    assert len(tickets()) == 2


def test_one_page_that_is_sent_by_many_at_once_makes_one_request(browser: Browser, travel: Travel) -> None:
    rivals = 8
    page = _fill(browser).page
    values = {item.get("name") or "": item.get("value") or "" for item in page.root.all("input") if item.get("name")}
    values |= {"topic": "forgot", "name": "Ewa Kowalska", "relationship": "parent", "student_name": "Jan Kowalski"}
    values |= {"school": "maine-east", "phone": "847-555-0199", "email": "ewa@example.org", "language": "en"}
    values |= {"best_time": "any", "summary": ""}
    barrier, places = threading.Barrier(rivals), list[str | None]()
    cookies = browser.cookies

    def rival() -> None:
        client = browser.client.application.test_client()
        for name, value in cookies.items():
            client.set_cookie(name, value)
        window = Browser(client, browser.origin)
        barrier.wait()
        window.send("POST", "/support", data=values, headers={"Sec-Fetch-Site": "same-origin"})
        places.append(number_on(window.follow()) if window.location else None)

    with travel(timedelta(minutes=1)):
        threads = [threading.Thread(target=rival) for _ in range(rivals)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    (kept,) = tickets()
    assert places == [kept.number] * rivals
    assert len(mails()) == 1


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings by which the fourth request from a network has to wait, and the sixth from all."""
    few = replace(settings.support, per_network_hour=3, in_all_per_hour=5, mails_per_address_day=2)
    return replace(settings, support=few)


def test_one_network_has_to_wait_after_some_requests(send: Send, browser: Browser, travel: Travel) -> None:
    for _ in range(3):
        number_on(send())

    page = send()

    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "Too many requests came in. Wait 1 hour, then press Send again." in page.words
    assert "Or call us: 847-555-0142." in page.words
    assert page.value("Your name (required)") == "Ewa Kowalska"
    assert len(tickets()) == 3
    with travel(timedelta(minutes=61)):
        number_on(send())


def test_all_networks_together_have_to_wait_after_some_requests(send: Send, new_browser: Callable[[], Browser]) -> None:
    for number in range(5):
        window = new_browser()
        window.address = f"192.0.2.{number}"
        number_on(send(who=window))
    window.address = "192.0.2.99"

    assert send(who=window).status == 429
    assert len(tickets()) == 5


def test_one_address_gets_few_mails_and_the_requests_are_kept(send: Send, new_browser: Callable[[], Browser]) -> None:
    for number in range(4):
        window = new_browser()
        window.address = f"192.0.2.{number}"
        number_on(send({"Email": "EWA@example.org" if number % 2 else "ewa@example.org"}, who=window))

    assert len(tickets()) == 4
    assert len(mails()) == 2
