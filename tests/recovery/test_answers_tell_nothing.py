"""R18 to R20: both tools answer everybody alike, and mail only to an address that was verified."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.accounts import security_emails
from idp.accounts import service as accounts
from idp.admin import people
from idp.database import db
from idp.mail.models import OutboxMessage
from idp.recovery.models import ForgottenQuestion
from idp.settings import Mail, Settings
from tests.factories import Person
from tests.pages import Browser, Page
from tests.recovery.forgetting import ADDRESS, ask, ask_for_username, family, letter_for, sibling, verify, work
from tests.recovery.letters import letters

__all__ = ["family", "sibling"]

Travel = Callable[[timedelta], AbstractContextManager[None]]

_BY_CHANCE = re.compile(r'(name="(?:csrf_token|handle)" value=")[^"]+"')


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A sender, and two languages."""
    district = replace(settings.district, languages=("en", "es"))
    return replace(settings, district=district, mail=Mail(sender="portal@district207.example"))


def seen(page: Page) -> tuple[object, ...]:
    """Return an answer without its random parts: status, headers, body."""
    body = _BY_CHANCE.sub(r'\1"', page.text)
    length = len(page.text)
    headers = sorted((name, value) for name, value in page.headers if name != "X-Request-Id")
    return page.status, length, headers, body


def kinds_of_people(account: Callable[..., Person]) -> dict[str, str]:
    """Return the username of somebody of each kind."""
    kinds = ("known", "disabled", "unverified")
    made = {kind: account(f"somebody{number}", security_email=None) for number, kind in enumerate(kinds)}
    for number, person in enumerate(made.values()):
        if person is not made["unverified"]:
            verify(person, f"somebody{number}@example.org")
    security_emails.set_pending(made["unverified"].id, "somebody2@example.org", clock.now())
    people.disable(made["disabled"].username, actor_id=None, now=clock.now())
    locked = account("somebody3")
    verify(locked, "somebody3@example.org")
    return {kind: person.username for kind, person in made.items()} | {"locked": locked.username, "unknown": "nobody01"}


def test_pr3_known_unknown_unverified_disabled_and_locked_get_the_same_bytes(
    new_browser: Callable[[], Browser], account: Callable[..., Person]
) -> None:
    names = kinds_of_people(account)
    guesser = new_browser()
    for _try in range(5):
        guesser.log_in(names["locked"], "wrong", path="/login")
    answers: dict[str, list[tuple[object, ...]]] = {"password": [], "username": []}
    for name in names.values():
        browser = new_browser()
        browser.open("/login")
        answers["password"].append(seen(ask(browser, name)))
        answers["username"].append(seen(ask_for_username(browser, f"{name}@example.org")))

    for kind, got in answers.items():
        assert [one for one in got if one != got[0]] == [], kind
    work()
    assert sorted(letter.to for letter in letters()) == sorted(["somebody0@example.org", "somebody3@example.org"] * 2)


def test_r19_an_address_that_was_only_entered_gets_nothing(browser: Browser, newcomer: Person) -> None:
    security_emails.set_pending(newcomer.id, ADDRESS, clock.now())
    db.session.commit()
    ask(browser, newcomer.username)
    ask(browser, ADDRESS)
    ask_for_username(browser, ADDRESS)

    assert work() == 3
    assert letters() == []


def test_r19_the_address_on_file_gets_nothing_either(browser: Browser, newcomer: Person) -> None:
    ask(browser, newcomer.username)
    ask_for_username(browser, newcomer.email or "")

    assert work() == 2
    assert letters() == []


def test_r20_the_answer_says_what_to_do_if_no_mail_comes(browser: Browser) -> None:
    page = ask(browser, "nobody")

    assert "only after you have verified your security email" in page.words
    assert "Spam or Junk folder" in page.words
    assert "portal@district207.example" in page.words
    assert "Choose a new password" in page.words
    assert page.links["If still no mail comes, ask the District 207 Portal Support Team"] == "/support?topic=forgot"
    assert "Your username" in ask_for_username(browser, "nobody@example.org").words


def test_pr23_r18_every_username_of_an_address_is_in_one_mail(
    browser: Browser, family: Person, sibling: Person, account: Callable[..., Person]
) -> None:
    third, closed, unverified = account("third.one"), account("closed.one"), account("unverified.one")
    verify(third, ADDRESS.upper())
    verify(closed)
    people.disable(closed.username, actor_id=None, now=clock.now())
    security_emails.set_pending(unverified.id, ADDRESS, clock.now())
    db.session.commit()
    ask_for_username(browser, f" {ADDRESS.title()} ")
    work()

    (letter,) = letters()
    assert letter.subject == "Your username"
    assert letter.to in {ADDRESS, ADDRESS.upper()}
    for text in (letter.text, letter.html):
        assert all(one.username in text for one in (family, sibling, third))
        assert closed.username not in text
        assert unverified.username not in text
    assert "\nhttp://localhost:5000/login\n" in letter.text


def test_forgot_password_asks_which_account_when_an_address_has_several(
    browser: Browser, new_browser: Callable[[], Browser], family: Person, sibling: Person
) -> None:
    letter = letter_for(browser, ADDRESS)
    first, second = (link.removeprefix("http://localhost:5000") for link in letter.links)

    assert f"Username: {family.username}\n" in letter.text
    assert f"Username: {sibling.username}\n" in letter.text
    found = [new_browser().open(path, follow=True) for path in (first, second)]
    assert {page.value("Username") for page in found} == {family.username, sibling.username}


def test_a_username_that_is_an_address_is_one_account_unless_its_family_shares_it(
    browser: Browser, account: Callable[..., Person]
) -> None:
    own, shared = account("own@example.org"), account("shared@example.org")
    verify(own, "elsewhere@example.org")
    verify(account("other.one"), "own@example.org")
    for person in (shared, account("spouse.one")):
        verify(person, "shared@example.org")
    alone, both = letter_for(browser, own.username), letter_for(browser, shared.username)

    assert (alone.to, len(alone.links)) == ("elsewhere@example.org", 1)
    assert (both.to, len(both.links)) == ("shared@example.org", 2)


def test_mail_is_in_the_account_s_language_else_in_the_page_s(browser: Browser, account: Callable[..., Person]) -> None:
    spanish, unsaid = account(locale="es"), account()
    verify(spanish, "es@example.org")
    verify(unsaid, "unsaid@example.org")
    browser.open("/login?language=es", follow=True)
    for person in (spanish, unsaid):
        browser.open("/forgot-password")
        browser.fill("Nombre de usuario o correo de seguridad", person.username).press("Enviar correo")
    work()

    assert [letter.subject for letter in letters()] == ["Elija una contraseña nueva"] * 2


def test_pr17_three_mails_an_hour_and_six_a_day_for_one_account_whoever_asks(
    new_browser: Callable[[], Browser], family: Person, travel: Travel
) -> None:
    def ask_from_five_networks(first: int) -> list[tuple[object, ...]]:
        answers = []
        for number in range(first, first + 5):
            browser = new_browser()
            browser.address = f"198.51.100.{number}"
            browser.open("/login")
            answers.append(seen(ask(browser, family.username)))
        work()
        return answers

    answers = ask_from_five_networks(1)
    assert len(letters()) == 3
    for hours, mails in ((2, 6), (4, 6), (23, 6), (25, 9)):
        with travel(timedelta(hours=hours)):
            ask_from_five_networks(10 * hours)
            assert len(letters()) == mails, hours
    assert [one for one in answers if one != answers[0]] == []


def test_pr17_ten_requests_an_hour_of_one_network_are_read(
    new_browser: Callable[[], Browser], account: Callable[..., Person], travel: Travel
) -> None:
    answers = []
    for number in range(12):
        verify(person := account(f"somebody{number:02}"), f"somebody{number}@example.org")
        browser = new_browser()
        browser.open("/login")
        answers.append(seen(ask(browser, person.username)))

    assert work() == 10
    assert len(letters()) == 10
    assert [one for one in answers if one != answers[0]] == []
    with travel(timedelta(hours=1, seconds=1)):
        ask(new_browser(), "somebody11")
        assert work() == 1


def test_pr17_mails_of_the_whole_district_have_a_limit(
    new_browser: Callable[[], Browser], account: Callable[..., Person], app: Flask
) -> None:
    changed = replace(app.config["IDP"], recovery=replace(app.config["IDP"].recovery, forgotten_in_all_per_hour=2))
    app.config["IDP"] = changed
    for number in range(4):
        verify(person := account(), f"somebody{number}@example.org")
        ask(new_browser(), person.username)
    work()

    assert len(letters()) == 2


_ODD = [
    "email={address}&email=evil@example.net",
    "email[]={address}",
    "email={address},evil@example.net",
    "email={address}%0d%0aBcc:evil@example.net",
    "email={address}%00evil@example.net",
    "email={address}%20evil@example.net",
    "email=%22{address}%22%20%3Cevil@example.net%3E",
    "email={address}@evil.example",
    "email=evil@example.net&email={address}",
    '{{"email":["{address}","evil@example.net"]}}',
]


@pytest.mark.parametrize("odd", _ODD)
@pytest.mark.parametrize("path", ["/forgot-username", "/forgot-password"])
def test_pr11_at_most_one_mail_goes_out_and_to_the_stored_address(
    browser: Browser, family: Person, odd: str, path: str
) -> None:
    page = browser.open(path)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    body = odd.format(address=ADDRESS)
    if path == "/forgot-password":
        body = body.replace("email=", "username=").replace("email[]", "username[]")
    answer = browser.send(
        "POST",
        path,
        data=f"{body}&csrf_token={token[1]}".encode(),
        content_type="application/x-www-form-urlencoded",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    work()

    assert answer.status in {200, 422}
    assert len(letters()) <= 1
    assert all(letter.to == ADDRESS for letter in letters())
    assert db.session.scalars(select(OutboxMessage.recipient)).all() in ([], [ADDRESS])


@pytest.mark.parametrize("host", ["evil.example", "localhost:5000.evil.example", "evil.example/x?", "a b"])
def test_pr1_links_in_mail_have_the_configured_origin_whatever_host_was_sent(
    app: Flask, browser: Browser, family: Person, host: str
) -> None:
    browser.headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "Forwarded": "host=evil.example;proto=gopher",
    }
    page = browser.open("/forgot-password")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    form = {"csrf_token": token[1], "username": family.username}
    headers = browser.headers | {"Cookie": f"idp_browser={browser.cookies['idp_browser']}"}
    without_jar = app.test_client(use_cookies=False)  # which would keep the cookie from another host
    without_jar.post("/forgot-password", data=form, headers=headers, environ_overrides={"HTTP_HOST": host})
    work()

    (letter,) = letters()
    assert letter.link.startswith("http://localhost:5000/reset-password?token=")
    assert "evil" not in letter.text + letter.html


def test_nothing_typed_is_said_so_and_nothing_is_kept(browser: Browser) -> None:
    assert ask(browser, "  ").status == 422
    assert "Enter your username or your security email." in browser.page.error("Username or security email")
    assert ask_for_username(browser, "").status == 422
    assert db.session.query(ForgottenQuestion).count() == 0


def test_what_was_typed_is_kept_sealed_and_is_gone_with_the_answer(browser: Browser, family: Person) -> None:
    ask(browser, "my real password, by mistake")
    ask(browser, family.username)
    kept = db.session.scalars(select(ForgottenQuestion.sealed_content)).all()
    db.session.rollback()

    assert len(kept) == 2
    assert not [one for one in kept if "mistake" in one or family.username in one]
    assert work() == 2
    assert db.session.query(ForgottenQuestion).count() == 0


def test_the_language_picker_of_the_pages_and_the_way_to_log_in_stay(browser: Browser, family: Person) -> None:
    page = browser.open("/login?next=/account/settings")

    assert page.links["Forgot Password?"] == "/forgot-password?next=/account/settings"
    assert browser.click("Forgot Password?").links["Go to Log In"] == "/login?next=/account/settings"
    assert accounts.get(family.id)
