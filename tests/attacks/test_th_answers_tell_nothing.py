"""Rows TH14 and TH16: who exists shows neither in an answer nor in the work behind it, and 429 says only when."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, update

from idp import clock
from idp.admin import people
from idp.database import db
from idp.throttle.models import Counter
from idp.throttle.store import ACCOUNT
from tests.attacks.conftest import Intruder
from tests.factories import Person
from tests.ladders import fail
from tests.oidc.conftest import Application
from tests.pages import Browser, Page

pytestmark = pytest.mark.one_database

_KINDS = ("nobody", "right name, wrong password", "disabled", "temporary", "temporary expired", "no password")


@pytest.fixture
def usernames(account: Callable[..., Person]) -> dict[str, str]:
    """Return one username of each kind."""
    made = {kind: account() if kind != "no password" else account(password=None) for kind in _KINDS[1:]}
    people.disable(made["disabled"].username, actor_id=None, now=clock.now())
    people.issue_temporary_password(made["temporary"].username, actor_id=None, now=clock.now())
    people.issue_temporary_password(
        made["temporary expired"].username, actor_id=None, now=clock.now() - timedelta(days=15)
    )
    return {"nobody": "nobody.at.all"} | {kind: person.username for kind, person in made.items()}


@pytest.fixture
def counted(app: Flask) -> Callable[[Callable[[], Page]], tuple[Page, list[str]]]:
    """Return what a request answers, and the statements that it took: their verbs and tables, commits too."""

    def count(ask: Callable[[], Page]) -> tuple[Page, list[str]]:
        made: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            words = statement.split()
            made.append(f"{words[0]} {next((word for word in words if word.endswith('s') and '_' in word), '')}"[:60])

        def commit(_connection: Any) -> None:
            made.append("COMMIT")

        event.listen(db.engine, "before_cursor_execute", note)
        event.listen(db.engine, "commit", commit)
        try:
            return ask(), made
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
            event.remove(db.engine, "commit", commit)

    return count


@pytest.mark.parametrize(("tries", "status"), [(0, 422), (3, 422), (5, 429), (100, 403)])
def test_th14_a_username_that_nobody_has_takes_the_same_work_and_gets_the_same_answer(
    new_browser: Callable[[], Browser],
    usernames: dict[str, str],
    counted: Callable[[Callable[[], Page]], tuple[Page, list[str]]],
    tries: int,
    status: int,
) -> None:
    """Where nothing failed yet, where a robot check comes first, where the next try waits, and where it is stopped."""
    answers: dict[str, tuple[Any, ...]] = {}
    work: dict[str, list[str]] = {}
    for kind, username in usernames.items():
        browser = new_browser()
        browser.open("/login")
        fail(username, min(tries, 5))
        if tries == 100:
            db.session.execute(update(Counter).where(Counter.kind == ACCOUNT).values(failures=tries))
            db.session.commit()
        page, work[kind] = counted(lambda: browser.log_in(username, "wrong"))  # noqa: B023  called at once
        answers[kind] = (page.status, page.words, sorted(page.headers.keys()), sorted(browser.cookies))

    assert len(set(map(repr, answers.values()))) == 1, answers
    assert len(set(map(repr, work.values()))) == 1, work
    assert len(work["nobody"]) > 0
    assert answers["nobody"][0] == status


def test_th14_the_right_password_of_a_closed_account_is_answered_as_a_wrong_one(
    new_browser: Callable[[], Browser], usernames: dict[str, str], account: Callable[..., Person]
) -> None:
    person = account()
    people.disable(person.username, actor_id=None, now=clock.now())
    right, wrong = (new_browser().log_in(person.username, typed) for typed in (person.password, "wrong"))

    assert (right.status, right.words) == (wrong.status, wrong.words)
    assert "Set-Cookie" not in right.headers


@pytest.mark.parametrize("door", ["/login", "/reauthenticate", "/oauth/token", "/admin/clients/new"])
def test_th16_too_many_tries_says_when_to_come_back_and_nothing_else(
    new_insider: Callable[[Person], Intruder],
    stranger: Intruder,
    admin: Person,
    application: Application,
    travel: Callable[[timedelta], AbstractContextManager[None]],
    door: str,
) -> None:
    forms: dict[str, tuple[Intruder, dict[str, str]]] = {
        "/login": (stranger, {"username": admin.username, "password": "wrong"}),
        "/reauthenticate": (new_insider(admin), {"password": "wrong"}),
        "/oauth/token": (
            stranger,
            {
                "client_id": application.registered.client_id,
                "client_secret": "wrong",
                "grant_type": "authorization_code",
            },
        ),
        "/admin/clients/new": (new_insider(admin), {"current_password": "wrong", "client_name": "x"}),
    }
    intruder, form = forms[door]
    with travel(timedelta(minutes=11)):
        fail(admin.username)
        for _ in range(12):
            answer = intruder.send("POST", door, data={"csrf_token": intruder.csrf_token, **form})

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert answer.headers["Cache-Control"] == "no-store"
    assert str(admin.email) not in answer.text
    assert "wrong" not in answer.text
    if door == "/login":
        assert admin.name not in answer.text
    if door == "/oauth/token":
        assert application.registered.client_id not in answer.text
