"""What the box on a page asks for by its script: answers are JSON, and each request carries the page's form token."""

from base64 import b64encode
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask_babel import gettext as _

from idp import clock, settings
from idp.captcha import component, play, rounds, service, speech, words
from idp.captcha.models import PURPOSES
from idp.captcha.objects import Kind
from idp.captcha.pictures import MEDIA_TYPE
from idp.captcha.play import Busy, Pictures, Replaced, Speech
from idp.captcha.service import Checked, Extended, Gone
from idp.throttle.ladder import Level
from idp.throttle.rules import Wait
from idp.web import cookies, language
from idp.web.errors import StalePage

blueprint = Blueprint("robot", __name__)

_BUSY_SECONDS = 5
_MOST_SQUARES = 100


@blueprint.post("/robot/begin")
def begin() -> Response:
    """Begin a check: the box was checked."""
    purpose = request.form.get("purpose", "")
    if purpose not in PURPOSES:
        return told(Gone(), clock.now())
    wanted = Level.PICTURES if request.form.get("level") == str(int(Level.PICTURES)) else Level.BOX
    now = clock.now()
    match service.begin(purpose, wanted, browser=cookies.browser_token(), now=now):
        case Wait() as waits:
            return told(waits, now)
        case begun:
            return jsonify(answer=begun.answer, work=begun.work)


@blueprint.post("/robot/work")
def finish_work() -> Response:
    """Take the browser's work; where pictures are wanted, the first task comes back."""
    now, browser, answer = clock.now(), cookies.browser_token(), _answer()
    outcome = service.finish_work(answer, request.form.get("payload", ""), browser=browser, now=now)
    if isinstance(outcome, (Checked, Gone)):
        return told(outcome, now)
    return told(play.show(answer, rounds.PICTURES, language.current(), browser=browser, now=now), now)


@blueprint.post("/robot/task")
def show() -> Response:
    """Show another task: pictures, or a spoken one."""
    now, sort = clock.now(), request.form.get("sort", "")
    sort = rounds.SPOKEN if sort == rounds.SPOKEN else rounds.PICTURES
    return told(play.show(_answer(), sort, language.current(), browser=cookies.browser_token(), now=now), now)


@blueprint.post("/robot/choose")
def choose() -> Response:
    """Take one chosen square, and return what stands in its place."""
    now, (square,) = clock.now(), squares(request.form.getlist("square")[:1]) or (-1,)
    return told(play.choose(_answer(), square, browser=cookies.browser_token(), now=now), now)


@blueprint.post("/robot/answer")
def answer() -> Response:
    """Take the answer to a task: what was typed for a spoken one, or what was chosen."""
    now, browser, spoken_in = clock.now(), cookies.browser_token(), language.current()
    if "heard" in request.form:
        typed = request.form["heard"]
        return told(play.answer_spoken(_answer(), typed, spoken_in, browser=browser, now=now), now)
    chosen = squares(request.form.getlist("square"))
    return told(play.answer_squares(_answer(), chosen, spoken_in, browser=browser, now=now), now)


@blueprint.post("/robot/extend")
def extend() -> Response:
    """Give more time."""
    now = clock.now()
    return told(service.extend(_answer(), browser=cookies.browser_token(), now=now), now)


@blueprint.app_template_global("robot_box")
def box() -> component.Box | None:
    """Let each page that takes a password ask for the box."""
    return component.here()


@blueprint.errorhandler(StalePage)
def stale(_error: StalePage) -> Response:
    """Say to the script that its page is too old."""
    response = jsonify(words=_("This page was open for too long. Load it again."))
    response.status_code = 400
    return response


def squares(sent: list[str]) -> list[int]:
    """Return the numbers of squares that were sent; what is none is left out, and -1 stands for it."""
    return [int(one) if one.isascii() and one.isdigit() and len(one) < 4 else -1 for one in sent[:_MOST_SQUARES]]


def told(outcome: play.Outcome | Replaced | Extended, now: datetime) -> Response:
    """Return an outcome as the script reads it."""
    match outcome:
        case Checked(until):
            return jsonify(checked=True, seconds=_seconds(until, now))
        case Extended(until):
            return jsonify(seconds=_seconds(until, now))
        case Replaced(tile, until):
            return jsonify(tile=as_data(tile, MEDIA_TYPE), seconds=_seconds(until, now))
        case Pictures() | Speech():
            return jsonify(task=_task(outcome), seconds=_seconds(outcome.until, now))
        case Gone():
            return _refused(410, gone_words())
        case Busy():
            return _refused(503, busy_words(), _BUSY_SECONDS)
        case Wait(until):
            return _refused(429, wait_words(), _seconds(until, now))


def again_words() -> str:
    """Say that an answer was wrong, and that it goes on."""
    return str(_("That was not right. Here is a new question."))


def gone_words() -> str:
    """Say that a check is over, and what to do."""
    return str(_("This check is over: it took too long, or it did not work too often. Check the box again."))


def busy_words() -> str:
    """Say that many ask at once."""
    return str(_("Many people ask for this just now. Wait a few seconds, then try again."))


def wait_words() -> str:
    """Say that a network has asked too often."""
    return str(_("Too many checks came from where you are. Please try again later."))


def counter(round_number: int) -> str:
    """Say which task of how many this is (R28)."""
    rounds_in_all = settings.current().robot_check.rounds
    return str(_("Question %(number)s of %(all)s", number=round_number, all=rounds_in_all))


def as_data(content: bytes, media_type: str) -> str:
    """Return a picture or a sound as an address: nothing that a name could tell, and nothing to fetch."""
    return f"data:{media_type};base64,{b64encode(content).decode()}"


def _task(shown: Pictures | Speech) -> dict[str, Any]:
    common = {"counter": counter(shown.round), "again": shown.is_after_a_wrong_answer}
    if isinstance(shown, Speech):
        audio = as_data(shown.audio, speech.MEDIA_TYPE)
        return common | {"audio": audio, "spokenIn": shown.language, "question": _("Type the digits that you hear.")}
    pictures = [as_data(tile, MEDIA_TYPE) for tile in shown.tiles]
    question = words.question(Kind(shown.kind))
    return common | {"tiles": pictures, "question": question, "replacing": shown.is_replacing}


def _refused(status: int, said: str, seconds: int | None = None) -> Response:
    response = jsonify(words=said)
    response.status_code = status
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, int((until - now).total_seconds()))


def _answer() -> str:
    return request.form.get("answer", "")
