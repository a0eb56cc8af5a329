"""The Portal Support Form: open to everybody, told plainly, answered with a number."""

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.support.models import TOPICS
from tests.factories import Person
from tests.pages import Browser
from tests.support.conftest import FILLED_IN, Send, mails, number_on, tickets

_TOPIC = "What do you need help with? (required)"
_SUMMARY = "Your question, in a few words"


def test_r53_the_log_in_page_leads_to_the_form_for_who_has_no_account(browser: Browser) -> None:
    browser.open("/login")

    page = browser.click("I do not have an account")

    assert page.path == "/support?topic=no-account"
    assert page.value(_TOPIC) == "no-account"


def test_x(send: Send) -> None:
    page = send()
    assert page.status == 200, page.words
    print(page.words, mails(), tickets())
    assert 0
