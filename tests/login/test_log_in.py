"""Logging in: what is right opens the portal, and what is wrong looks the same whatever is wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from idp import clock
from idp.accounts import service as accounts
from idp.database import db
from tests.factories import Person
from tests.login.conftest import events
from tests.pages import Browser

WRONG = "a password that is wrong"


def test_the_page_has_its_fields_button_and_links(browser: Browser) -> None:
    page = browser.open("/login")

    assert page.status == 200
    assert page.fields == ["Username", "Password", "This is a shared computer"]
    assert page.buttons == ["Log In"]
    assert page.links["Forgot Password?"] == "/forgot-password"
    assert page.links["Forgot Username?"] == "/forgot-username"
    assert page.links["Help"] == "/help"
    assert page.field("Username").get("name") == "username"
    assert page.field("Password").get("autocomplete") == "current-password"
    assert 'id="login-submit"' in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_the_right_password_opens_the_portal(browser: Browser, parent: Person) -> None:
    answer = browser.log_in(parent.username, parent.password)

    assert (answer.status, answer.location) == (303, "/")
    assert browser.follow().status == 200


def test_the_username_is_known_however_it_is_typed(browser: Browser, account: Callable[..., Person]) -> None:
    person = account("zoë.müller")

    assert browser.log_in(" ZOE\u0308.Müller ", person.password).status == 303


def test_a_person_who_was_heading_to_a_page_gets_there(browser: Browser, parent: Person) -> None:
    browser.open("/account", follow=True)
    browser.log_in(parent.username, WRONG)

    assert browser.log_in(parent.username, parent.password).location == "/account"


def test_somebody_who_is_logged_in_is_not_asked_again(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, parent.password)

    assert browser.open("/login").location == "/"
    assert browser.open("/login?next=/account").location == "/account"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "/%0d%0aSet-Cookie:x",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
        "evil",
    ],
)
def test_se9_only_a_page_of_ours_is_gone_on_to(browser: Browser, parent: Person, target: str) -> None:
    browser.open("/login", next=target)

    assert browser.log_in(parent.username, parent.password).location == "/"
    assert browser.open("/login", next=target).location == "/"


def test_th14_unknown_wrong_disabled_and_expired_look_the_same(
    browser: Browser, parent: Person, account: Callable[..., Person]
) -> None:
    closed = account(disabled_at=clock.now())
    with clock.shifted(-timedelta(days=15)):
        late = account(password=None)
        accounts.issue_temporary_password(accounts.get(late.id), clock.now())
        db.session.commit()
    without = account(password=None)

    answers = [
        browser.log_in(parent.username, WRONG),
        browser.log_in("nobody", WRONG),
        browser.log_in(closed.username, closed.password),
        browser.log_in(late.username, WRONG),
        browser.log_in(without.username, WRONG),
        browser.log_in("x" * 5000, "\0"),
    ]

    assert {answer.status for answer in answers} == {422}
    assert {answer.words for answer in answers} == {answers[0].words}
    assert "The username or the password is not right" in answers[0].words
    assert {tuple(sorted(answer.headers.keys())) for answer in answers} == {tuple(sorted(answers[0].headers.keys()))}
    assert [event.details["reason"] for event in events("log_in")] == [
        "wrong_password",
        "unknown_username",
        "account_disabled",
        "wrong_password",
        "wrong_password",
        "unknown_username",
    ]


def test_the_username_is_kept_and_the_password_never_comes_back(browser: Browser, parent: Person) -> None:
    answer = browser.log_in(parent.username, WRONG, shared_computer=True)

    assert answer.value("Username") == parent.username
    assert WRONG not in answer.text
    assert answer.field("This is a shared computer").get("checked") is not None
    assert answer.title.startswith("Error:")


def test_what_is_missing_is_said_at_its_field_and_is_no_try(browser: Browser, parent: Person) -> None:
    for _ in range(6):
        answer = browser.log_in(" ", "")

    assert answer.status == 422
    assert "Enter your username." in answer.error("Username")
    assert "Enter your password." in answer.error("Password")
    assert events("log_in") == []


def test_every_try_is_on_record_without_what_was_typed(browser: Browser, parent: Person) -> None:
    browser.log_in(parent.username, WRONG)
    browser.log_in("my-secret-in-the-wrong-field", WRONG)
    browser.log_in(parent.username, parent.password)

    recorded = events("log_in")
    assert [(event.outcome, event.account_id, event.address) for event in recorded] == [
        ("failure", parent.id, "127.0.0.1"),
        ("failure", None, "127.0.0.1"),
        ("success", parent.id, "127.0.0.1"),
    ]
    told = " ".join(str(vars(event)) for event in recorded)
    assert WRONG not in told
    assert "my-secret" not in told


@pytest.mark.parametrize(
    "typed", ["\0", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "' OR 1=1--", "%", "🦊" * 1000]
)
def test_in1_whatever_is_typed_is_refused_like_anything_wrong(browser: Browser, parent: Person, typed: str) -> None:
    assert browser.log_in(typed, typed).status == 422
    assert browser.log_in(parent.username, typed).status == 422


def test_th16_nothing_that_was_typed_as_username_is_run_as_script(browser: Browser) -> None:
    answer = browser.log_in('"><script>alert(1)</script>', WRONG)

    assert "<script>alert" not in answer.text
