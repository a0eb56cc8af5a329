"""What the script of the box asks for over HTTP: each answer is JSON, bound to the browser, and costs little."""

import base64
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.captcha.pictures import TILES
from idp.captcha.rounds import Spoken, Squares
from idp.settings import RobotCheck, Settings
from idp.throttle.ladder import Level
from tests.captcha.conftest import open_task, solved
from tests.pages import Browser

Ask = Callable[..., tuple[int, dict[str, Any]]]
Travel = Callable[[timedelta], AbstractContextManager[None]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with which a browser works little."""
    return replace(settings, robot_check=RobotCheck(work_tries=5, begun_per_network_hour=10))


def asker(browser: Browser) -> Ask:
    """Return what asks as the script in this browser does."""
    browser.open("/login")
    token = next(item.get("value") for item in browser.page.root.all("input") if item.get("name") == "csrf_token")

    def ask(name: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        sent = {"csrf_token": token} | fields
        answer = browser.send("POST", f"/robot/{name}", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status, answer.json

    return ask


@pytest.fixture
def ask(browser: Browser) -> Ask:
    """Ask in a browser of one's own."""
    return asker(browser)


def begin(ask: Ask, level: Level = Level.BOX) -> tuple[str, str]:
    """Begin a check, do its work, and return the answer and what the browser sends for the work."""
    status, told = ask("begin", purpose="log_in", level=str(int(level)))
    assert status == 200, told
    return told["answer"], solved(told["work"])


def test_r30_a_visitor_who_raises_no_doubt_is_asked_nothing(ask: Ask) -> None:
    answer, payload = begin(ask)

    assert ask("work", answer=answer, payload=payload) == (200, {"checked": True, "seconds": 300})


def test_the_work_is_altchas_open_format(ask: Ask) -> None:
    _, told = ask("begin", purpose="log_in", level="1")

    assert told["work"].keys() == {"parameters", "signature"}
    asked = told["work"]["parameters"]
    assert {"algorithm", "cost", "keyLength", "keyPrefix", "keySignature", "nonce", "salt"} == asked.keys()
    assert asked["algorithm"] == "PBKDF2/SHA-256"
    opened = json.loads(base64.b64decode(solved(told["work"])))
    assert opened.keys() == {"challenge", "solution"}


def test_r25_r26_a_visitor_who_raises_doubt_is_shown_a_grid_that_names_its_object(ask: Ask) -> None:
    answer, payload = begin(ask, Level.PICTURES)
    status, told = ask("work", answer=answer, payload=payload)

    assert status == 200
    task = told["task"]
    assert task["question"].startswith("Select all squares with ")
    assert (task["counter"], task["replacing"], task["again"]) == ("Question 1 of 2", True, False)
    assert len(task["tiles"]) == TILES
    assert all(tile.startswith("data:image/") for tile in task["tiles"])
    assert not {"right", "kind", "answer"} & task.keys()


def test_r27_r28_r29_whoever_follows_the_questions_to_their_end_is_checked(ask: Ask) -> None:
    answer, payload = begin(ask, Level.PICTURES)
    ask("work", answer=answer, payload=payload)
    while isinstance(task := open_task(answer), Squares) and task.right:
        _, told = ask("choose", answer=answer, square=min(task.right))
        assert told["tile"].startswith("data:image/")
    _, told = ask("answer", answer=answer)
    assert told["task"]["counter"] == "Question 2 of 2"
    task = open_task(answer)
    assert isinstance(task, Squares)

    assert ask("answer", answer=answer, square=sorted(task.right)) == (200, {"checked": True, "seconds": 300})


def test_r25_a_spoken_question_comes_in_place_of_the_pictures(ask: Ask) -> None:
    answer, payload = begin(ask, Level.PICTURES)
    ask("work", answer=answer, payload=payload)
    for _ in range(2):
        _, told = ask("task", answer=answer, sort="spoken")
        assert told["task"]["audio"].startswith("data:audio/")
        task = open_task(answer)
        assert isinstance(task, Spoken)
        _, told = ask("answer", answer=answer, heard=task.answer)

    assert told["checked"]


def test_a_browser_that_cannot_work_is_asked_questions(ask: Ask) -> None:
    _, told = ask("begin", purpose="log_in", level="1")

    status, shown = ask("task", answer=told["answer"], sort="pictures")
    assert (status, shown["task"]["counter"]) == (200, "Question 1 of 2")


def test_th7_another_browser_gets_nothing_out_of_an_answer(ask: Ask, new_browser: Callable[[], Browser]) -> None:
    answer, payload = begin(ask)
    other = asker(new_browser())

    for name, fields in (
        ("work", {"payload": payload}), ("task", {"sort": "pictures"}), ("choose", {"square": "1"}),
        ("answer", {"square": "1"}), ("answer", {"heard": "x"}), ("extend", {}),
    ):  # fmt: skip
        status, told = other(name, answer=answer, **fields)
        assert (status, list(told)) == (410, ["words"])
    assert ask("work", answer=answer, payload=payload)[0] == 200


def test_r29_more_time_can_be_had(ask: Ask, travel: Travel) -> None:
    answer, payload = begin(ask)
    ask("work", answer=answer, payload=payload)
    with travel(timedelta(minutes=4)):
        assert ask("extend", answer=answer) == (200, {"seconds": 300})
    with travel(timedelta(minutes=8)):
        assert ask("extend", answer=answer)[0] == 200
    with travel(timedelta(minutes=14)):
        assert ask("extend", answer=answer)[0] == 410


@pytest.mark.parametrize("name", ["begin", "work", "task", "choose", "answer", "extend"])
@pytest.mark.parametrize(
    "sent", [{}, {"answer": "x"}, {"answer": ["a", "b"]}, {"square": ["x", "-1", "9" * 50, "\u0663"], "answer": "x"}]
)
def test_what_is_no_check_of_anybody_is_gone(ask: Ask, name: str, sent: dict[str, Any]) -> None:
    assert ask(name, **sent)[0] == 410


def test_a_form_of_another_site_or_without_our_token_begins_nothing(ask: Ask, browser: Browser) -> None:
    assert ask("begin", csrf_token="x", purpose="log_in")[0] == 400
    refused = browser.send("POST", "/robot/begin", data={}, headers={"Sec-Fetch-Site": "cross-site"})

    assert refused.status == 403


def test_a_network_that_begins_too_many_is_told_to_wait(ask: Ask) -> None:
    for _ in range(10):
        assert ask("begin", purpose="log_in")[0] == 200
    status, told = ask("begin", purpose="log_in")

    assert status == 429
    assert "later" in told["words"]
