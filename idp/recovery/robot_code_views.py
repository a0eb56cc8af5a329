"""The pages of a mailed code in place of pictures: they answer everybody alike."""

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from idp import clock, settings
from idp.captcha.component import PAGES
from idp.captcha.models import LOG_IN, PURPOSES, REAUTHENTICATION
from idp.captcha.vouching import Vouched
from idp.login import destination, pages
from idp.login.destination import Destination, LostContinuation
from idp.login.forms import Errors
from idp.recovery import robot_code
from idp.recovery.robot_code import Wrong
from idp.sessions import browser
from idp.throttle.rules import Wait
from idp.web import cookies, language
from idp.web.errors import CookiesRefused
from idp.web.redirects import see_other

blueprint = Blueprint("robot_code", __name__, url_prefix="/robot/code")

_LONGEST_SHOWN = 200


@blueprint.get("")
def form() -> AnyResponse:
    """Ask for the username."""
    session = browser.current()
    return _form_page([], session.username if session else "", 200)


@blueprint.post("")
def send() -> AnyResponse:
    """Write down what was typed, and give the one answer."""
    typed = request.form.get("username", "")
    if not typed.strip():
        return _form_page([("username", _("Enter your username."))], typed, 422)
    now = clock.now()
    handle = robot_code.ask(_purpose(), typed, language.current(), browser=cookies.browser_token(), now=now)
    return _answer_page(handle, [], 200)


@blueprint.post("/check")
def check() -> AnyResponse:
    """Take the code, and lead back to the box, which is checked then."""
    handle, now = request.form.get("handle", ""), clock.now()
    match robot_code.check(handle, request.form.get("code", ""), browser=cookies.browser_token(), now=now):
        case Vouched(answer, until):
            back = see_other(_back())
            cookies.write(back, cookies.ROBOT, answer, max_age=int((until - now).total_seconds()))
            return back
        case Wrong():
            words = _("This code is not right, or it is too old. Check it, or ask for a new one.")
            return _answer_page(handle, [("code", words)], 422)
        case Wait(until):
            return pages.later(_answer_page(handle, pages.wait_words(until, now), 429), until, now)


def _form_page(errors: Errors, typed: str, status: int) -> Response:
    return _page("recovery/robot_code.html", errors, status, here="robot_code.send", typed=typed[:_LONGEST_SHOWN])


def _answer_page(handle: str, errors: Errors, status: int) -> Response:
    sender = settings.current().mail.sender
    return _page(
        "recovery/robot_code_answer.html", errors, status, here="robot_code.check", handle=handle, sender=sender
    )


def _page(template: str, errors: Errors, status: int, *, here: str, **values: object) -> Response:
    going_to = _going_to()
    return pages.page(
        template,
        status,
        errors,
        action=going_to.page(here),
        again=going_to.page("robot_code.form"),
        back=_back(),
        purpose=_purpose(),
        **values,
    )


def _back() -> str:
    """Return the page that the box is on: where somebody is logged in, that is the page where they go on to."""
    going_to, purpose = _going_to(), _purpose()
    if purpose == REAUTHENTICATION and going_to.carried:
        return going_to.address
    return going_to.page(PAGES[purpose])


def _purpose() -> str:
    purpose = request.values.get("purpose", "")
    return purpose if purpose in PURPOSES else LOG_IN


def _going_to() -> Destination:
    """Return where the person was heading; an application's request that is lost is no reason to help nobody."""
    try:
        return destination.wanted()
    except (LostContinuation, CookiesRefused):
        return destination.local("")
