"""Any number of workers answers a question once; one that is killed in between leaves it to the next."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.database import db
from idp.operations import pruning
from idp.recovery import forgotten_answers, forgotten_questions
from idp.recovery.forgotten_questions import PASSWORD, USERNAME, Question
from idp.recovery.models import ForgottenQuestion
from tests.factories import Person
from tests.pages import Browser
from tests.recovery.forgetting import ADDRESS, NEW, ask, family, letter_for, verify, work
from tests.recovery.letters import letters

__all__ = ["family"]

WORKERS = 4


def put(kind: str, typed: str) -> None:
    """Ask as a page does."""
    forgotten_questions.put(Question(kind, typed, "en", "127.0.0.1", "r"), clock.now())
    db.session.commit()


def test_several_workers_answer_each_question_once(app: Flask, account: Callable[..., Person]) -> None:
    for number in range(40):
        verify(person := account(), f"somebody{number}@example.org")
        put(PASSWORD, person.username)
    together = threading.Barrier(WORKERS)

    def answer(_number: int) -> int:
        with app.app_context():
            together.wait(30)
            return forgotten_answers.answer_due()

    with ThreadPoolExecutor(WORKERS) as pool:
        answered = list(pool.map(answer, range(WORKERS)))
    while work():
        pass

    assert sum(answered) <= 40
    assert sorted(letter.to for letter in letters()) == sorted(f"somebody{number}@example.org" for number in range(40))


def test_one_that_is_killed_in_between_leaves_it_to_the_next(app: Flask, family: Person) -> None:
    put(PASSWORD, family.username)
    taken = forgotten_questions.take()
    assert taken
    assert forgotten_questions.is_waiting() is False
    db.session.rollback()  # as the database does for a process that is gone

    assert work() == 1
    assert len(letters()) == 1


def test_what_can_t_be_answered_holds_up_nothing(app: Flask, family: Person) -> None:
    put("something else", "x")
    db.session.add(ForgottenQuestion(sealed_content="k9.of a key that is gone", created_at=clock.now()))
    db.session.commit()
    put(USERNAME, ADDRESS)

    assert work() == 3
    assert len(letters()) == 1
    assert db.session.query(ForgottenQuestion).count() == 0


@pytest.mark.usefixtures("app")
def test_what_nobody_answers_for_a_day_is_let_go(travel: Callable[[timedelta], AbstractContextManager[None]]) -> None:
    put(PASSWORD, "somebody")
    with travel(timedelta(hours=23)):
        assert pruning.prune(clock.now())["unanswered questions"] == 0
    with travel(timedelta(hours=25)):
        assert pruning.prune(clock.now())["unanswered questions"] == 1


def test_pr5_of_many_who_save_at_once_with_one_link_one_wins(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    letter, together = letter_for(browser, family.username), threading.Barrier(8)
    windows = [new_browser() for _number in range(8)]
    for window in windows:
        window.open(letter.path, follow=True)

    def save(number: int) -> int:
        windows[number].fill("New Password", f"{NEW} {number}")
        together.wait(30)
        return windows[number].press("Save").status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(save, range(8)))

    assert sorted(statuses) == [303] + [410] * 7
    winner = statuses.index(303)
    assert new_browser().log_in(family.username, f"{NEW} {winner}").status == 303
    assert windows[winner].open("/account").status == 200


def test_a_worker_that_finds_nothing_writes_nothing(app: Flask) -> None:
    assert work() == 0
    assert not db.session().in_transaction()


def test_the_record_of_the_account_says_from_where_it_was_asked(
    browser: Browser, new_browser: Callable[[], Browser], family: Person
) -> None:
    browser.address = "198.51.100.7"
    ask(browser, family.username)
    work()
    own = new_browser()
    own.log_in(family.username, family.password)

    assert "A link to a new password was mailed" in own.open("/account/history").words
    assert "198.51.100.7" in own.words
