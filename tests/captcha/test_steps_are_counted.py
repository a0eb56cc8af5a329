"""Whoever watches over the provider sees how many robot checks begin, pass and fail, and how many passwords fail."""

import pytest
from flask import Flask
from prometheus_client import parser as metrics_parser

from idp.captcha import play, rounds, service
from idp.captcha.play import Pictures
from idp.captcha.rounds import Squares
from idp.recovery import robot_code
from idp.throttle.ladder import Level
from idp.web import metrics
from tests import ladders
from tests.captcha.conftest import NOW, begun, done, open_task, solved

pytestmark = pytest.mark.one_database


def counted() -> dict[tuple[str, str], float]:
    families = metrics_parser.text_string_to_metric_families(metrics.exposition().decode())
    samples = [one for family in families for one in family.samples if one.name == "idp_robot_checks_total"]
    return {(one.labels["kind"], one.labels["result"]): one.value for one in samples}


def added(before: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {step: number - before[step] for step, number in counted().items() if number != before[step]}


def test_the_browsers_work_is_counted(app: Flask, mine: str) -> None:
    before = counted()
    done(mine)
    wrong = begun(mine)
    service.finish_work(wrong.answer, "nonsense", browser=mine, now=NOW)

    assert added(before) == {("box", "begun"): 2, ("box", "passed"): 1, ("box", "failed"): 1}


def test_each_picture_task_is_counted(app: Flask, mine: str) -> None:
    made = begun(mine, wanted=Level.PICTURES)
    service.finish_work(made.answer, solved(made.work), browser=mine, now=NOW)
    before = counted()

    assert isinstance(play.show(made.answer, rounds.PICTURES, "en", browser=mine, now=NOW), Pictures)
    play.answer_squares(made.answer, [], "en", browser=mine, now=NOW)
    task = open_task(made.answer)
    assert isinstance(task, Squares)

    assert added(before) == {("pictures", "begun"): 2, ("pictures", "failed"): 1}


def test_mailed_codes_are_counted(app: Flask, mine: str) -> None:
    before = counted()
    handle = robot_code.ask("log_in", "somebody", "en", browser=mine, now=NOW)
    robot_code.check(handle, "wrong", browser=mine, now=NOW)

    assert added(before) == {("code", "begun"): 1, ("code", "failed"): 1}


def test_wrong_passwords_everywhere_are_read_from_the_ledger(app: Flask) -> None:
    ladders.fail("somebody", times=2)
    ladders.fail("somebody.else", times=1)

    assert "\nidp_wrong_passwords_now 3.0\n" in app.test_client().get("/metrics").text
