"""R25: in place of pictures a code can be mailed to the verified security email; the pages tell nobody who has one."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask

from idp import clock
from idp.accounts import security_emails
from idp.admin import people
from idp.captcha import service as captcha
from idp.captcha.models import LOG_IN, REAUTHENTICATION
from idp.captcha.vouching import Vouched
from idp.database import db
from idp.recovery import robot_code
from idp.settings import Mail, Settings
from idp.throttle.ladder import Level
from tests.factories import Person, Registered
from tests.login.conftest import events, gradebook, request_of
from tests.pages import Browser, Page
from tests.recovery.forgetting import family, work
from tests.recovery.letters import Letter, letters

__all__ = ["family", "gradebook"]

Travel = Callable[[timedelta], AbstractContextManager[None]]
MINUTE = timedelta(minutes=1)
_BY_CHANCE = re.compile(r'(name="(?:csrf_token|handle)" value=")[^"]+"')


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A sender, and two languages."""
    district = replace(settings.district, languages=("en", "es"))
    return replace(settings, district=district, mail=Mail(sender="portal@district207.example"))


def ask(browser: Browser, username: str, query: str = "") -> Page:
    browser.open(f"/robot/code{query}")
    return browser.fill("Username", username).press("Send Code")


def letter_for(browser: Browser, username: str, query: str = "") -> Letter:
    """Ask for a code, let the worker answer, and return the mail."""
    ask(browser, username, query)
    assert work() == 1
    return letters()[-1]


def type_code(browser: Browser, code: str) -> Page:
    return browser.fill("Code", code).press("Go On")


def cookie(browser: Browser, name: str) -> str:
    return browser.cookies.get(f"idp_{name}", "")


def hidden(page: Page, name: str) -> str:
    return next(item.get("value") or "" for item in page.root.all("input") if item.get("name") == name)


def worth(browser: Browser, purpose: str = LOG_IN) -> Level:
    """Use the answer up that the browser has been given, and return what it was worth."""
    level = captcha.spend(
        cookie(browser, "robot"), browser=cookie(browser, "browser"), purpose=purpose, now=clock.now()
    )
    db.session.commit()
    return level


def test_r25_the_code_is_worth_what_pictures_are_once(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)
    assert letter.subject == "Your code for “I'm not a robot”"
    assert "in place of the pictures" in letter.text

    answer = type_code(browser, letter.code)

    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert [worth(browser), worth(browser)] == [Level.PICTURES, Level.NONE]


def test_the_code_is_typed_as_people_type(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, f"  {family.username.upper()} ")

    assert type_code(browser, f" {letter.code.replace(' ', '-')} ").status == 303


def test_one_code_passes_one_check(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)
    sent = {name: hidden(browser.page, name) for name in ("handle", "csrf_token")} | {"code": letter.code}
    assert browser.send("POST", "/robot/code/check", data=sent).status == 303

    again = browser.send("POST", "/robot/code/check", data=sent)

    assert again.status == 422
    assert "ask for a new one" in again.words


def test_the_way_on_is_kept(browser: Browser, family: Person, gradebook: Registered) -> None:
    on = (browser.open(request_of(gradebook)).location or "").partition("?")[2]

    letter = letter_for(browser, family.username, f"?purpose=log_in&{on}")

    assert type_code(browser, letter.code).headers["Location"] == f"/login?{on}"


def test_a_code_for_the_password_asked_again_is_good_there_alone(browser: Browser, family: Person) -> None:
    browser.log_in(family.username, family.password)
    browser.open("/robot/code?purpose=reauthentication&next=/account/password")
    assert browser.page.value("Username") == family.username
    browser.press("Send Code")
    assert work() == 1

    answer = type_code(browser, letters()[-1].code)

    assert answer.headers["Location"] == "/account/password"
    assert [worth(browser, LOG_IN), worth(browser, REAUTHENTICATION)] == [Level.NONE, Level.PICTURES]


def test_th7_a_code_is_good_in_the_browser_that_asked(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    letter = letter_for(browser, family.username)
    other = new_browser()
    ask(other, family.username)

    assert type_code(other, letter.code).status == 422
    stolen = {
        "handle": hidden(browser.page, "handle"),
        "code": letter.code,
        "csrf_token": hidden(other.page, "csrf_token"),
    }
    assert other.send("POST", "/robot/code/check", data=stolen).status == 422


def test_th7_a_code_runs_out(browser: Browser, family: Person, travel: Travel) -> None:
    letter = letter_for(browser, family.username)

    with travel(10 * MINUTE):
        assert type_code(browser, letter.code).status == 422


def test_a_code_is_guessed_five_times(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)
    for _ in range(5):
        assert type_code(browser, "0000 0000").status == 422

    last = type_code(browser, letter.code)

    assert last.status == 429
    assert "Retry-After" in last.headers


@pytest.mark.parametrize("handle", ["", "x", "v1.k1.AAAA"])
def test_a_handle_that_is_none_is_a_wrong_code(browser: Browser, handle: str) -> None:
    page = ask(browser, "somebody")
    data = {"handle": handle, "code": "12345678", "csrf_token": hidden(page, "csrf_token")}

    assert browser.send("POST", "/robot/code/check", data=data).status == 422


def test_pr3_everybody_is_answered_alike_and_only_verified_addresses_are_written_to(
    new_browser: Callable[[], Browser], account: Callable[..., Person]
) -> None:
    known, disabled = account("somebody0"), account("somebody1")
    unverified = account("somebody2", security_email=None)
    security_emails.set_pending(unverified.id, "somebody2@example.org", clock.now())
    db.session.commit()
    people.disable(disabled.username, actor_id=None, now=clock.now())
    answers = []
    for name in (known.username, disabled.username, unverified.username, "nobody001"):
        browser = new_browser()
        page = ask(browser, name)
        wrong = type_code(browser, "0000 0000")
        answers.append([(one.status, len(one.text), _BY_CHANCE.sub(r'\1"', one.text)) for one in (page, wrong)])

    assert [one for one in answers if one != answers[0]] == []
    assert work() == 4
    assert [letter.to for letter in letters()] == [known.email]


def test_nobody_s_security_email_is_a_username(browser: Browser, family: Person) -> None:
    """The address alone would tell a stranger whose it is, by the mail's being counted."""
    ask(browser, "ewa.recovers@example.org")

    assert work() == 1
    assert letters() == []


def test_a_family_is_not_flooded_and_still_gets_a_new_password(
    new_browser: Callable[[], Browser], family: Person
) -> None:
    for _ in range(6):
        ask(new_browser(), family.username)
    work()
    assert len(letters()) == 3

    browser = new_browser()
    browser.open("/forgot-password")
    browser.fill("Username or security email", family.username).press("Send Email")
    work()
    assert letters()[-1].kind == "recovery/reset"


def test_a_network_asks_ten_times_an_hour(new_browser: Callable[[], Browser], account: Callable[..., Person]) -> None:
    people_here = [account() for _ in range(11)]
    pages = [ask(new_browser(), person.username) for person in people_here]

    assert {page.status for page in pages} == {200}
    assert work() == 10


def test_the_mail_speaks_the_guardian_s_language(browser: Browser, account: Callable[..., Person]) -> None:
    person = account(locale="es")

    letter = letter_for(browser, person.username)

    assert letter.language == "es"
    assert letter.subject == "Su código para “No soy un robot”"


def test_it_is_on_record(browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)

    (event,) = events("robot_code_mailed")
    assert event.account_id == family.id
    assert letter.code not in str(event.details)
    browser.log_in(family.username, family.password, path="/login")
    assert "A code in place of pictures was mailed" in browser.open("/account/history").words


def test_no_username_is_asked_for_again(browser: Browser) -> None:
    page = ask(browser, " ")

    assert page.status == 422
    assert "Enter your username." in page.words


def test_a_code_is_worth_nothing_to_whoever_reads_the_form(browser: Browser, family: Person) -> None:
    """The handle holds the code, sealed; the page says it nowhere."""
    letter = letter_for(browser, family.username)

    assert letter.code.replace(" ", "") not in browser.page.text
    assert letter.code not in browser.page.text


def test_th7_twenty_at_once_with_one_code_pass_one_check(app: Flask, browser: Browser, family: Person) -> None:
    letter = letter_for(browser, family.username)
    handle, token = hidden(browser.page, "handle"), cookie(browser, "browser")
    barrier = Barrier(20)

    def spend() -> bool:
        with app.app_context():
            barrier.wait(20)
            found = robot_code.check(handle, letter.code, browser=token, now=clock.now())
            return isinstance(found, Vouched)

    with ThreadPoolExecutor(20) as threads:
        passed = [future.result() for future in [threads.submit(spend) for _ in range(20)]]

    assert passed.count(True) == 1


def test_r25_whoever_types_the_code_logs_in(browser: Browser, family: Person) -> None:
    """From the box to the mail and back: the box is checked then, and the log-in goes on to where it was heading."""
    for _ in range(3):
        page = browser.log_in(family.username, "wrong", path="/login?next=/help")
    link = page.links["Get a code by email instead"]
    browser.open(link)
    browser.fill("Username", family.username).press("Send Code")
    work()
    type_code(browser, letters()[-1].code)
    page = browser.follow()
    assert page.field("I'm not a robot").get("checked") is not None

    done = browser.fill("Username", family.username).fill("Password", family.password).press("Log In")

    assert (done.status, done.location) == (303, "/help")
    assert len(events("log_in")) == 4


def test_without_the_code_the_same_password_is_not_looked_at(browser: Browser, family: Person) -> None:
    for _ in range(3):
        browser.log_in(family.username, "wrong", path="/login")

    page = browser.log_in(family.username, family.password, path="/login")

    assert page.status == 422
    assert len(events("log_in")) == 3
