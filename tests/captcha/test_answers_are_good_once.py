"""TH1 and TH7: an answer is good for one try, in one browser, for one purpose, and for five minutes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from idp import sealing
from idp.captcha import service
from idp.captcha.models import LOG_IN, REAUTHENTICATION, RobotCheck
from idp.captcha.service import Extended, Gone
from idp.database import db
from idp.operations import pruning
from idp.settings import Settings
from idp.throttle.ladder import Level
from tests.captcha.conftest import NOW, begun, done, set_level, solved, spend

pytestmark = pytest.mark.usefixtures("app")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def test_th7_an_answer_is_good_once(mine: str) -> None:
    answer = done(mine)

    assert [spend(answer, mine) for _ in range(20)] == [Level.BOX] + [Level.NONE] * 19


def test_th7_of_parallel_tries_with_one_answer_one_gets_it(app: Flask, mine: str) -> None:
    answer, together = done(mine), Barrier(8)

    def try_it(_number: int) -> Level:
        with app.app_context():
            together.wait()
            return spend(answer, mine)

    with ThreadPoolExecutor(8) as pool:
        worth = list(pool.map(try_it, range(8)))

    assert sorted(worth) == [Level.NONE] * 7 + [Level.BOX]


def test_th7_an_answer_of_another_browser_is_worth_nothing_and_is_not_used_up(mine: str) -> None:
    answer = done(mine)

    assert spend(answer, sealing.random_token()) is Level.NONE
    assert spend(answer, mine) is Level.BOX


def test_th7_an_answer_for_another_purpose_is_worth_nothing(mine: str) -> None:
    answer = done(mine, REAUTHENTICATION)

    assert spend(answer, mine, LOG_IN) is Level.NONE
    assert spend(answer, mine, REAUTHENTICATION) is Level.BOX


@pytest.mark.parametrize(
    ("waited", "worth"), [(0 * MINUTE, Level.BOX), (5 * MINUTE - SECOND, Level.BOX), (5 * MINUTE, Level.NONE)]
)
def test_r31_th7_an_answer_is_good_for_five_minutes(mine: str, waited: timedelta, worth: Level) -> None:
    answer = done(mine)

    assert spend(answer, mine, now=NOW + waited) is worth


@pytest.mark.parametrize("garbage", ["", "x", "\x00", "\ud800", "ü" * 43, "0" * 10_000, "' OR 1=1 --"])
def test_th1_garbage_is_worth_nothing(mine: str, garbage: str) -> None:
    done(mine)

    assert spend(garbage, mine) is Level.NONE


def test_th1_a_check_that_was_only_begun_is_worth_nothing(mine: str) -> None:
    made = begun(mine)

    assert spend(made.answer, mine) is Level.NONE
    assert service.checked(made.answer, browser=mine, purpose=LOG_IN, now=NOW) is None


def test_a_check_that_wants_pictures_is_not_done_by_work(mine: str) -> None:
    made = begun(mine, wanted=Level.PICTURES)
    service.finish_work(made.answer, solved(made.work), browser=mine, now=NOW)

    assert service.checked(made.answer, browser=mine, purpose=LOG_IN, now=NOW) is None
    assert spend(made.answer, mine) is Level.BOX


def test_an_answer_is_worth_what_it_has_come_to(mine: str) -> None:
    answer = begun(mine, wanted=Level.PICTURES).answer
    set_level(answer, Level.PICTURES)

    assert service.checked(answer, browser=mine, purpose=LOG_IN, now=NOW) is not None
    assert spend(answer, mine) is Level.PICTURES


def test_looking_at_an_answer_does_not_use_it_up(mine: str) -> None:
    answer = done(mine)

    for _ in range(3):
        assert service.checked(answer, browser=mine, purpose=LOG_IN, now=NOW) is not None
    assert service.checked(answer, browser=mine, purpose=REAUTHENTICATION, now=NOW) is None
    assert service.checked(answer, browser=sealing.random_token(), purpose=LOG_IN, now=NOW) is None
    assert spend(answer, mine) is Level.BOX
    assert service.checked(answer, browser=mine, purpose=LOG_IN, now=NOW) is None


def test_what_is_not_committed_is_not_used_up(mine: str) -> None:
    answer = done(mine)
    service.spend(answer, browser=mine, purpose=LOG_IN, now=NOW)
    db.session.rollback()

    assert spend(answer, mine) is Level.BOX


def test_r29_more_time_is_given_ten_times_and_not_for_ever(mine: str) -> None:
    answer, now = done(mine), NOW
    for _ in range(10):
        now += 4 * MINUTE
        assert service.extend(answer, browser=mine, now=now) == Extended(now + 5 * MINUTE)
    now += 4 * MINUTE

    assert service.extend(answer, browser=mine, now=now) == Gone()
    assert spend(answer, mine, now=now) is Level.BOX


def test_what_has_run_out_or_is_anothers_gets_no_more_time(mine: str) -> None:
    answer = done(mine)

    assert service.extend(answer, browser=sealing.random_token(), now=NOW) == Gone()
    assert service.extend(answer, browser=mine, now=NOW + 5 * MINUTE) == Gone()
    assert service.extend("x", browser=mine, now=NOW) == Gone()


def test_a_used_answer_is_remembered_until_it_runs_out_and_then_let_go(settings: Settings, mine: str) -> None:
    answer = done(mine)
    spend(answer, mine)

    pruning.prune(NOW + 4 * MINUTE)
    assert spend(answer, mine, now=NOW + 4 * MINUTE) is Level.NONE
    assert db.session.scalar(select(RobotCheck.spent_at)) == NOW
    assert pruning.prune(NOW + 6 * MINUTE)["robot checks"] == 1


def test_the_database_holds_no_answer_and_no_browsers_token(mine: str) -> None:
    answer = done(mine)
    row = db.session.scalars(select(RobotCheck)).one()

    held = [value for value in vars(row).values() if isinstance(value, (str, bytes))]
    assert not [value for value in held if value in {answer, mine, answer.encode(), mine.encode()}]
    assert answer not in repr(row)
