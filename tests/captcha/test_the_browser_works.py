"""The proof of work: done by a browser in a moment, dear to whoever begins many checks, and known again."""

import base64
import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from idp import sealing
from idp.captcha import service, work
from idp.captcha.models import LOG_IN
from idp.captcha.service import Checked, Gone, TaskNeeded
from idp.settings import RobotCheck, Settings
from idp.throttle.ladder import Level
from idp.throttle.rules import Wait
from idp.web import context
from idp.web.context import Origin
from tests.captcha.conftest import NOW, begun, solved, spend

DEFAULTS = RobotCheck()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with which a test does little work, and few checks are many."""
    few = RobotCheck(work_tries=20, usual_per_network_hour=4, usual_in_all_per_hour=20, begun_per_network_hour=12)
    return replace(settings, robot_check=few)


@pytest.mark.parametrize(
    ("by_network", "in_all", "times"),
    [
        (0, 0, 1), (299, 2999, 1), (300, 0, 2), (0, 3000, 2), (600, 0, 4), (0, 6000, 4), (1200, 0, 8), (300, 6000, 4),
        (2400, 0, 16), (10**9, 0, 16), (0, 10**9, 16),
    ],
)  # fmt: skip
def test_the_work_grows_with_what_is_begun(by_network: int, in_all: int, times: int) -> None:
    assert work.tries(by_network, in_all, DEFAULTS) == DEFAULTS.work_tries * times


def test_it_is_bounded_for_the_browser_and_nothing_for_the_server() -> None:
    challenge = work.draw("secret", 40, 10)
    payload = solved(challenge)

    assert json.loads(base64.b64decode(payload))["solution"]["counter"] == 50
    began = time.perf_counter()
    assert all(work.is_done(payload, "secret") for _ in range(50))
    assert (time.perf_counter() - began) / 50 < 0.005, "seconds for each"


def _spoilt(challenge: dict[str, Any], payload: str) -> dict[str, str]:
    opened = json.loads(base64.b64decode(payload))

    def packed(**changed: Any) -> str:
        return base64.b64encode(json.dumps(opened | changed).encode()).decode()

    cheap = {**challenge, "parameters": {**challenge["parameters"], "keyPrefix": "", "cost": 1}}
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    return {
        "nothing": "",
        "no base64": "!",
        "no text": base64.b64encode(b"\xff\xfe").decode(),
        "no JSON": base64.b64encode(b"{").decode(),
        "a list": base64.b64encode(b"[]").decode(),
        "not ASCII": "ü",
        "too long": payload + "A" * 5000,
        "a cheaper challenge": packed(challenge=cheap),
        "no signature": packed(challenge={"parameters": challenge["parameters"]}),
        "another key": packed(solution={"counter": 0, "derivedKey": "00" * 32}),
        "no key": packed(solution={"counter": 0, "derivedKey": ""}),
        "an odd key": packed(solution={"counter": 0, "derivedKey": "\ud800" * 3}),
        "a number for a key": packed(solution={"counter": 0, "derivedKey": 7}),
        "no solution": packed(solution=None),
        "deep": packed(challenge={**challenge, "parameters": {**challenge["parameters"], "data": deep}}),
        "not a number": packed(challenge={**challenge, "parameters": {**challenge["parameters"], "cost": 1e400}}),
        "a list for a signature": packed(challenge={**challenge, "signature": []}),
    }


_SOME = work.draw("x", 1, 0)


@pytest.mark.parametrize("kind", _spoilt(_SOME, solved(_SOME)))
def test_th7_work_that_was_not_done_is_refused(kind: str) -> None:
    challenge = work.draw("secret", 5, 3)
    payload = solved(challenge)

    assert work.is_done(payload, "secret")
    assert not work.is_done(_spoilt(challenge, payload)[kind], "secret")


@pytest.mark.usefixtures("app")
def test_th7_work_is_done_for_one_check_and_once(mine: str) -> None:
    first, second = begun(mine), begun(mine)
    payload = solved(first.work)

    assert service.finish_work(second.answer, payload, browser=mine, now=NOW) == Gone()
    assert service.finish_work(first.answer, payload, browser=sealing.random_token(), now=NOW) == Gone()
    late = NOW + timedelta(minutes=5)
    assert service.finish_work(first.answer, payload, browser=mine, now=late) == Gone()
    assert isinstance(service.finish_work(first.answer, payload, browser=mine, now=NOW), Checked)
    assert service.finish_work(first.answer, payload, browser=mine, now=NOW) == Gone()
    assert spend(first.answer, mine) is Level.BOX


@pytest.mark.usefixtures("app")
def test_where_pictures_are_wanted_they_come_after_the_work(mine: str) -> None:
    made = begun(mine, wanted=Level.PICTURES)

    assert service.finish_work(made.answer, solved(made.work), browser=mine, now=NOW) == TaskNeeded()


def _prefixes(challenge: dict[str, Any]) -> int:
    return int(json.loads(base64.b64decode(solved(challenge)))["solution"]["counter"])


def test_a_network_that_begins_many_checks_works_harder_and_then_waits(app: Flask, mine: str) -> None:
    with app.test_request_context():
        context.set_origin(Origin("web", "192.0.2.7"))
        made = [service.begin(LOG_IN, Level.BOX, browser=mine, now=NOW) for _ in range(13)]
        worked = [_prefixes(one.work) for one in made if not isinstance(one, Wait)]
        assert len(worked) == 12
        assert isinstance(made[-1], Wait)
        assert all(20 <= tries < 40 for tries in worked[:3])
        assert all(40 <= tries < 80 for tries in worked[3:7])
        assert all(80 <= tries < 160 for tries in worked[7:])
        context.set_origin(Origin("web", "192.0.2.8"))
        other = service.begin(LOG_IN, Level.BOX, browser=mine, now=NOW)
        assert not isinstance(other, Wait)
        assert 20 <= _prefixes(other.work) < 40
    assert isinstance(begun(mine, now=NOW + timedelta(hours=1)).answer, str)
