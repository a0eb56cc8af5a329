"""Rows IN1, IN3 and IN6, and what families had better not send: whatever is typed is text, and capped."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from tests.pages import Browser
from tests.support.conftest import FILLED_IN, SUMMARY, TOPIC, Send, mails, number_on, tickets

_NAME, _STUDENT = "Your name (required)", "The student\u2019s name (required)"
_ODD = ("' OR 1=1--", "%_%", "{{7*7}}", "${7*7}", "../../etc/passwd", "=cmd|' /C calc'!A0", "%s%(name)s")


@pytest.mark.parametrize("text", _ODD)
def test_in1_statements_and_templates_are_kept_as_they_are(send: Send, text: str) -> None:
    number_on(send({_NAME: f"Ewa {text}", SUMMARY: text}))

    (kept,) = tickets()
    assert (kept.name, kept.summary) == (f"Ewa {text}", text)
    assert "49" not in mails()[0][2].replace(kept.number, "")


def test_in3_markup_is_shown_as_text(send: Send) -> None:
    markup = '"><img src=x onerror=alert(1)><script>alert(2)</script>'

    page = send({_NAME: markup, _STUDENT: markup, SUMMARY: markup, "Phone": "1"})

    assert page.status == 422
    assert page.value(_NAME) == markup
    assert page.value(SUMMARY) == markup
    assert "<img src=x" not in page.text
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\u2028", "\0", "\x0b"])
def test_in6_a_line_break_in_a_name_or_an_address_makes_no_header(send: Send, line_break: str) -> None:
    page = send(
        {_NAME: f"Ewa{line_break}Bcc: all@example.org", "Email": f"ewa@example.org{line_break}Bcc:x@example.org"}
    )
    assert page.status == 422
    assert "This is no email address." in page.error("Email")
    assert not mails()

    number_on(send({_NAME: f"Ewa{line_break}Bcc: all@example.org"}))
    (kept,) = tickets()
    assert kept.name == "Ewa Bcc: all@example.org"
    ((recipient, subject, _text),) = mails()
    assert recipient == "ewa@example.org"
    assert "Bcc" not in subject


@pytest.mark.parametrize(
    "address",
    [
        *(
            "a",
            "a@b",
            "a@b.",
            "@b.example",
            "a@b.example,c@d.example",
            "a b@c.example",
            "<a@b.example>",
            "a@b@c.example",
        ),
        *(
            "a:b@c.example",
            "a@[127.0.0.1]",
            "a@b.example;x",
            "\u202ea@b..",
            "a\u200b@b.example",
            "a" * 250 + "@b.example",
        ),
    ],
)
def test_in6_what_is_no_single_address_is_told_and_mailed_nothing(send: Send, address: str) -> None:
    page = send({"Email": address})

    assert page.status == 422
    assert page.error("Email")
    assert not tickets()
    assert not mails()


def test_what_turns_writing_round_and_steers_terminals_is_left_out(send: Send) -> None:
    number_on(send({_NAME: "Ewa\u202e \x1b[31mKowalska\u2069", SUMMARY: "a\0b\x07c\nd\te"}))

    (kept,) = tickets()
    assert kept.name == "Ewa [31mKowalska"
    assert kept.summary == "a b c\nd e"


@pytest.mark.parametrize("label", [_NAME, _STUDENT, SUMMARY])
@pytest.mark.parametrize("number", ["123-45-6789", "123 45 6789", "123.45.6789", "123\u201345\u20116789", "123456789"])
def test_r54_what_looks_like_a_social_security_number_is_refused_and_explained(
    send: Send, label: str, number: str
) -> None:
    page = send({label: f"My number is {number}."})

    assert page.status == 422
    assert "This looks like a Social Security number." in page.error(label)
    assert page.value(label) == f"My number is {number}."
    assert not tickets()


@pytest.mark.parametrize("text", ["Call 847-555-0199", "60068-1234", "ID 12345678", "on 2026-11-28", "1234567890"])
def test_other_numbers_are_no_social_security_numbers(send: Send, text: str) -> None:
    assert send({SUMMARY: text}).status == 200


@pytest.mark.parametrize(
    "phone", ["601 234 567", "601234567", "+48 601 234 567", "612 34 56 78", "847-555-0199 ext. 12"]
)
def test_phones_of_other_countries_are_taken(send: Send, phone: str) -> None:
    assert send({"Phone": phone}).status == 200


@pytest.mark.parametrize("label", [_NAME, _STUDENT, "Phone", "Email"])
def test_every_field_has_an_end(send: Send, label: str) -> None:
    page = send({label: "9" * 20_000})

    assert page.status == 422
    assert "too long by" in page.error(label)
    assert not tickets()


@pytest.mark.parametrize("name", ["topic", "relationship", "school", "language", "best_time"])
def test_a_choice_that_is_not_offered_is_none(browser: Browser, name: str) -> None:
    browser.open("/support")
    token = next(item.get("value") or "" for item in browser.page.root.all("input") if item.get("name") == "csrf_token")

    for value in ("x" * 5000, "<b>", "other' --", "", "Maine East High School"):
        page = browser.send("POST", "/support", data={name: value, "csrf_token": token})
        assert page.status == 422
        assert "Choose" in page.words
    assert not tickets()


def test_only_invisible_characters_are_no_name(send: Send) -> None:
    page = send({_NAME: "\u200b\u200d", _STUDENT: "\u3164.-"})

    assert page.status == 422
    assert "Enter your name." in page.error(_NAME)
    assert set(FILLED_IN) > {TOPIC}


def test_an_address_that_looks_like_a_slip_is_asked_about_once(
    send: Send, browser: Browser, travel: Callable[[timedelta], AbstractContextManager[None]]
) -> None:
    page = send({"Email": "ewa@gmial.com"})

    assert page.status == 422
    assert "Did you mean ewa@gmail.com? If not, press Send again." in page.error("Email")
    assert not tickets()

    with travel(timedelta(minutes=2)):
        browser.press("Send", follow=True)
    (kept,) = tickets()
    assert kept.email == "ewa@gmial.com", "it is theirs to say"


def test_an_address_that_is_not_the_one_that_was_asked_about_is_asked_about_too(send: Send, browser: Browser) -> None:
    send({"Email": "ewa@gmial.com"})

    page = browser.fill("Email", "ewa@hotmial.com").press("Send")

    assert "Did you mean ewa@hotmail.com?" in page.error("Email")
    assert not tickets()
