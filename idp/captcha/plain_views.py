"""The questions for whoever has no JavaScript: by plain forms, before a username and a password are typed."""

from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug import Response

from idp import clock
from idp.captcha import component, play, rounds, service, speech, views, words
from idp.captcha.component import PAGES
from idp.captcha.models import LOG_IN, PURPOSES, REAUTHENTICATION
from idp.captcha.objects import Kind
from idp.captcha.pictures import MEDIA_TYPE
from idp.captcha.play import Busy, Pictures, Speech
from idp.captcha.service import Checked, Gone
from idp.throttle.ladder import Level
from idp.throttle.rules import Wait
from idp.web import cookies, headers, language
from idp.web.redirects import see_other

blueprint = Blueprint("robot_plain", __name__)


@blueprint.get("/robot")
def start() -> Response:
    """Say what is going to be asked, and why."""
    return _start_page([], 200)


@blueprint.post("/robot")
def begin() -> Response:
    """Begin a check, and ask the first question."""
    now, browser = clock.now(), cookies.browser_token()
    begun = service.begin(_purpose(), Level.PICTURES, browser=browser, now=now)
    if isinstance(begun, Wait):
        return _page(begun, "", now)
    return _page(play.show(begun.answer, _sort(), language.current(), browser=browser, now=now), begun.answer, now)


@blueprint.post("/robot/questions")
def answer() -> Response:
    """Take an answer, or ask another question in its place."""
    now, browser, spoken_in = clock.now(), cookies.browser_token(), language.current()
    mine = request.form.get("answer", "")
    outcome: play.Outcome
    if "sort" in request.form:
        outcome = play.show(mine, _sort(), spoken_in, browser=browser, now=now)
    elif "heard" in request.form:
        outcome = play.answer_spoken(mine, request.form["heard"], spoken_in, browser=browser, now=now)
    else:
        chosen = views.squares(request.form.getlist("square"))
        outcome = play.answer_squares(mine, chosen, spoken_in, browser=browser, now=now)
    return _page(outcome, mine, now)


def _page(outcome: play.Outcome, mine: str, now: datetime) -> Response:
    match outcome:
        case Checked(until):
            back = see_other(_back())
            cookies.write(back, cookies.ROBOT, mine, max_age=int((until - now).total_seconds()))
            return back
        case Pictures() | Speech():
            return _task_page(outcome, mine)
        case Gone():
            return _start_page([views.gone_words()], 410)
        case Busy():
            return _start_page([views.busy_words()], 503)
        case Wait(until):
            response = _start_page([views.wait_words()], 429)
            response.headers["Retry-After"] = str(max(1, int((until - now).total_seconds())))
            return response


def _start_page(problems: list[str], status: int) -> Response:
    return _rendered("captcha/start.html", status, errors=[("", problem) for problem in problems])


def _task_page(shown: Pictures | Speech, mine: str) -> Response:
    headers.allow_sources({"media-src": ("data:",)})
    if isinstance(shown, Speech):
        drawn: dict[str, object] = {"audio": views.as_data(shown.audio, speech.MEDIA_TYPE), "spoken_in": shown.language}
    else:
        tiles = [views.as_data(tile, MEDIA_TYPE) for tile in shown.tiles]
        drawn = {"tiles": tiles, "question": words.question(Kind(shown.kind))}
    return _rendered(
        "captcha/question.html",
        422 if shown.is_after_a_wrong_answer else 200,
        answer=mine,
        counter=views.counter(shown.round),
        errors=[("", views.again_words())] if shown.is_after_a_wrong_answer else [],
        credit=component.credit(),
        **drawn,
    )


def _rendered(template: str, status: int, **values: object) -> Response:
    carried = {"purpose": _purpose(), **component.carried(_purpose())}
    return make_response(
        render_template(template, carried=carried, back=_back(), code=component.page_of_code(_purpose()), **values),
        status,
    )


def _back() -> str:
    """Return the page that the box is on, with what leads on from there."""
    carried = component.carried(_purpose())
    if _purpose() == REAUTHENTICATION and carried:
        return carried["next"]
    return url_for(PAGES[_purpose()]) + (f"?{urlencode(carried, safe='/')}" if carried else "")


def _purpose() -> str:
    purpose = request.values.get("purpose", "")
    return purpose if purpose in PURPOSES else LOG_IN


def _sort() -> str:
    return rounds.SPOKEN if request.form.get("sort") == rounds.SPOKEN else rounds.PICTURES
