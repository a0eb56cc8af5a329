"""The questions of a check: what is right is known to the server alone, and each answer leads on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from idp import sealing
from idp.captcha import drawing, play, rounds, service
from idp.captcha.models import LOG_IN, RobotCheck
from idp.captcha.pictures import TILES
from idp.captcha.play import Busy, Pictures, Replaced, Speech
from idp.captcha.rounds import MOST_TASKS, PICTURES, SPOKEN, Spoken, Squares
from idp.captcha.service import Checked, Gone
from idp.database import db
from idp.settings import RobotCheck as RobotCheckSettings
from idp.settings import Settings
from idp.throttle.ladder import Level
from idp.throttle.rules import Wait
from tests.captcha.conftest import NOW, begun, open_task, spend

pytestmark = pytest.mark.usefixtures("app")


def squares(answer: str) -> Squares:
    task = open_task(answer)
    assert isinstance(task, Squares)
    return task


def show(answer: str, browser: str, sort: str = PICTURES) -> play.Shown:
    shown = play.show(answer, sort, "en", browser=browser, now=NOW)
    assert isinstance(shown, (Pictures, Speech))
    return shown


def choose_all(answer: str, browser: str) -> None:
    """Choose what is right until none is left."""
    while right := squares(answer).right:
        assert isinstance(play.choose(answer, min(right), browser=browser, now=NOW), Replaced)


def answered(answer: str, browser: str, *chosen: int) -> play.Outcome:
    return play.answer_squares(answer, chosen, "en", browser=browser, now=NOW)


@pytest.fixture
def begun_here(mine: str) -> str:
    """A check that wants pictures, in my browser."""
    return begun(mine, wanted=Level.PICTURES).answer


def test_r25_r27_r28_squares_are_replaced_in_the_first_round_and_chosen_in_the_second(
    begun_here: str, mine: str
) -> None:
    first = show(begun_here, mine)
    assert isinstance(first, Pictures)
    assert (first.round, first.is_replacing, len(first.tiles), len(set(first.tiles))) == (1, True, TILES, TILES)
    choose_all(begun_here, mine)
    second = answered(begun_here, mine)
    assert isinstance(second, Pictures)
    assert (second.round, second.is_replacing, second.is_after_a_wrong_answer) == (2, False, False)
    assert spend(begun_here, mine) is Level.NONE

    assert isinstance(answered(begun_here, mine, *squares(begun_here).right), Checked)
    assert service.checked(begun_here, browser=mine, purpose=LOG_IN, now=NOW) is not None
    assert spend(begun_here, mine) is Level.PICTURES


def test_r26_a_wrong_answer_gives_a_new_task_and_begins_the_rounds_anew(begun_here: str, mine: str) -> None:
    first = show(begun_here, mine)
    choose_all(begun_here, mine)
    answered(begun_here, mine)
    again = answered(begun_here, mine, *set(range(TILES)) - squares(begun_here).right)

    assert isinstance(first, Pictures)
    assert isinstance(again, Pictures)
    assert (again.round, again.is_after_a_wrong_answer) == (1, True)
    assert not set(again.tiles) & set(first.tiles)
    assert spend(begun_here, mine) is Level.NONE


@pytest.mark.one_database
@pytest.mark.parametrize("chosen", [(), (0,), tuple(range(TILES)), (99,), (-1,), (0, 1, 2, 3, 4, 5, 6, 7)])
def test_th1_guessing_the_same_each_time_gets_nowhere(begun_here: str, mine: str, chosen: tuple[int, ...]) -> None:
    show(begun_here, mine)
    tasks = 1
    while isinstance(answered(begun_here, mine, *chosen), Pictures):
        tasks += 1

    assert tasks <= MOST_TASKS
    assert play.show(begun_here, PICTURES, "en", browser=mine, now=NOW) == Gone()
    assert spend(begun_here, mine) is Level.NONE


def test_r27_nobody_learns_by_choosing_whether_a_square_was_right(begun_here: str, mine: str) -> None:
    show(begun_here, mine)
    wrong = min(set(range(TILES)) - squares(begun_here).right)
    assert isinstance(play.choose(begun_here, wrong, browser=mine, now=NOW), Replaced)
    choose_all(begun_here, mine)

    again = answered(begun_here, mine)
    assert isinstance(again, Pictures)
    assert again.is_after_a_wrong_answer


@pytest.mark.parametrize("square", [-1, TILES, 10**6])
def test_a_square_that_is_not_there_is_not_chosen(begun_here: str, mine: str, square: int) -> None:
    show(begun_here, mine)
    before = squares(begun_here)

    assert play.choose(begun_here, square, browser=mine, now=NOW) == Gone()
    assert squares(begun_here) == before


def test_squares_are_not_replaced_for_ever(begun_here: str, mine: str) -> None:
    show(begun_here, mine)
    chosen = 0
    while isinstance(play.choose(begun_here, 0, browser=mine, now=NOW), Replaced):
        chosen += 1

    assert chosen == 30


def test_th7_of_many_answers_at_once_one_is_looked_at(app: Flask, begun_here: str, mine: str) -> None:
    show(begun_here, mine)
    together = Barrier(4)

    def guess(number: int) -> play.Outcome:
        with app.app_context():
            together.wait()
            return answered(begun_here, mine, number)

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(guess, range(4)))

    assert sum(isinstance(outcome, Pictures) for outcome in outcomes) == 1
    assert outcomes.count(Gone()) == 3


def test_th7_another_browser_or_a_late_one_sees_no_task_and_answers_none(begun_here: str, mine: str) -> None:
    show(begun_here, mine)
    other, late = sealing.random_token(), NOW + timedelta(minutes=5)
    right = squares(begun_here).right

    for browser, now in ((other, NOW), (mine, late)):
        assert play.show(begun_here, PICTURES, "en", browser=browser, now=now) == Gone()
        assert play.choose(begun_here, 0, browser=browser, now=now) == Gone()
        assert play.answer_squares(begun_here, right, "en", browser=browser, now=now) == Gone()
        assert play.answer_spoken(begun_here, "x", "en", browser=browser, now=now) == Gone()
    assert squares(begun_here).right == right


def test_a_task_takes_its_own_kind_of_answer_alone(begun_here: str, mine: str) -> None:
    assert answered(begun_here, mine) == Gone()
    show(begun_here, mine)
    assert play.answer_spoken(begun_here, "x", "en", browser=mine, now=NOW) == Gone()
    show(begun_here, mine, SPOKEN)
    assert answered(begun_here, mine, 1) == Gone()
    assert play.choose(begun_here, 1, browser=mine, now=NOW) == Gone()


def test_r25_what_is_heard_is_as_good_as_what_is_seen(begun_here: str, mine: str) -> None:
    for round_number in (1, 2):
        if round_number == 1:
            assert isinstance(show(begun_here, mine, SPOKEN), Speech)
        task = open_task(begun_here)
        assert isinstance(task, Spoken)
        outcome = play.answer_spoken(begun_here, task.answer, "en", browser=mine, now=NOW)

    assert isinstance(outcome, Checked)
    assert spend(begun_here, mine) is Level.PICTURES


def test_what_was_not_heard_gives_a_new_task(begun_here: str, mine: str) -> None:
    show(begun_here, mine, SPOKEN)
    again = play.answer_spoken(begun_here, "nothing like it", "en", browser=mine, now=NOW)

    assert isinstance(again, Speech)
    assert again.is_after_a_wrong_answer


def test_r29_whoever_goes_on_has_five_minutes_from_then(begun_here: str, mine: str) -> None:
    later = NOW + timedelta(minutes=4)
    shown = play.show(begun_here, PICTURES, "en", browser=mine, now=later)

    assert isinstance(shown, Pictures)
    assert shown.until == later + timedelta(minutes=5)


def test_r29_whoever_selects_a_square_has_five_minutes_from_then(begun_here: str, mine: str) -> None:
    show(begun_here, mine)
    later = NOW + timedelta(minutes=4)
    replaced = play.choose(begun_here, min(squares(begun_here).right), browser=mine, now=later)
    assert isinstance(replaced, Replaced)
    assert replaced.until == later + timedelta(minutes=5)

    too_late_without = NOW + timedelta(minutes=6)
    assert isinstance(play.choose(begun_here, 0, browser=mine, now=too_late_without), Replaced)


@pytest.mark.parametrize("rounds_wanted", [1, 3])
def test_r28_there_are_as_many_rounds_as_the_setting_says(
    app: Flask, settings: Settings, begun_here: str, mine: str, rounds_wanted: int
) -> None:
    app.config["IDP"] = replace(app.config["IDP"], robot_check=RobotCheckSettings(rounds=rounds_wanted))
    show(begun_here, mine)
    for _ in range(rounds_wanted - 1):
        assert isinstance(answered(begun_here, mine, *squares(begun_here).right), Pictures)

    assert isinstance(answered(begun_here, mine, *squares(begun_here).right), Checked)


def test_a_network_that_wants_too_many_tasks_waits(app: Flask, mine: str) -> None:
    few = RobotCheckSettings(tasks_per_network_hour=MOST_TASKS + 2)
    app.config["IDP"] = replace(app.config["IDP"], robot_check=few)
    first, second = (begun(mine, wanted=Level.PICTURES).answer for _ in range(2))
    for _ in range(MOST_TASKS):
        show(first, mine)
    assert play.show(first, PICTURES, "en", browser=mine, now=NOW) == Gone()
    show(second, mine)
    show(second, mine)

    assert isinstance(play.show(second, PICTURES, "en", browser=mine, now=NOW), Wait)


def test_many_at_once_wait_a_little_and_are_then_told(
    begun_here: str, mine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "LONGEST_WAIT", 0.05)
    with drawing.turn():
        assert play.show(begun_here, PICTURES, "en", browser=mine, now=NOW) == Busy()
    assert isinstance(show(begun_here, mine), Pictures)
    with drawing.turn():
        assert play.choose(begun_here, 1, browser=mine, now=NOW) == Busy()


def test_a_task_tells_nothing_of_what_is_right(begun_here: str, mine: str) -> None:
    shown = show(begun_here, mine)

    assert "right" not in repr(shown)
    assert {type(tile) for tile in shown.tiles} == {bytes} if isinstance(shown, Pictures) else True
    row = db.session.scalars(select(RobotCheck)).one()
    assert rounds.read(row.task) == squares(begun_here)
