"""The pages of Forgot Password? and Forgot Username?, and the one answer that both give to everybody."""

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from idp import clock, settings
from idp.login import destination, expired, pages
from idp.login.destination import Destination, LostContinuation
from idp.login.forms import Errors
from idp.recovery import forgotten
from idp.recovery.doors import NEW_PASSWORD, hand_over
from idp.recovery.forgotten import Right, Wrong
from idp.recovery.forgotten_questions import PASSWORD, TEMPORARY_PASSWORD, USERNAME
from idp.recovery.way_on import WayOn
from idp.throttle.rules import Wait
from idp.web import language
from idp.web.errors import CookiesRefused
from idp.web.redirects import see_other

blueprint = Blueprint("forgotten", __name__)


@dataclass(frozen=True, slots=True)
class _Words:
    """What an answer says of the mail that may be under way."""

    title: str
    subject: str
    needs: str
    """What has to be so that there is one."""


@blueprint.get("/forgot-password")
def password() -> AnyResponse:
    """Ask for the username, or the security email."""
    return _password_page([], "", 200)


@blueprint.post("/forgot-password")
def send_password() -> AnyResponse:
    """Write down what was typed, and give the one answer."""
    typed = request.form.get("username", "")
    if not typed.strip():
        return _password_page([("username", _("Enter your username or your security email."))], typed, 422)
    way_on = WayOn.of(_going_to()).write()
    handle = forgotten.ask(PASSWORD, typed, language.current(), clock.now(), way_on)
    return _answer(PASSWORD, handle, [], 200)


@blueprint.post("/forgot-password/code")
def check_code() -> AnyResponse:
    """Take the code of the mail in place of its link."""
    handle, now = request.form.get("handle", ""), clock.now()
    match forgotten.check_code(handle, request.form.get("code", ""), now):
        case Right(token):
            return hand_over(NEW_PASSWORD, token)
        case Wrong():
            words = _("This code is not right, or it is too old. Check it, or click on the link in the mail.")
            return _answer(PASSWORD, handle, [("code", words)], 422)
        case Wait(until):
            return pages.later(_answer(PASSWORD, handle, pages.wait_words(until, now), 429), until, now)


@blueprint.get("/forgot-username")
def username() -> AnyResponse:
    """Ask for the security email."""
    return _username_page([], "", 200)


@blueprint.post("/forgot-username")
def send_username() -> AnyResponse:
    """Write down what was typed, and give the one answer."""
    typed = request.form.get("email", "")
    if not typed.strip():
        return _username_page([("email", _("Enter your security email."))], typed, 422)
    forgotten.ask(USERNAME, typed, language.current(), clock.now())
    return _answer(USERNAME, "", [], 200)


@blueprint.post("/forgot-password/temporary")
def send_temporary_password() -> AnyResponse:
    """Mail a new temporary password to somebody who has typed one that has run out."""
    now = clock.now()
    name = expired.read(request.form.get("offer", ""), now)
    if name is None:
        return see_other(_going_to().page("login.log_in"))
    forgotten.ask(TEMPORARY_PASSWORD, name, language.current(), now)
    return _answer(TEMPORARY_PASSWORD, "", [], 200)


def _going_to() -> Destination:
    """Return where the person was heading; an application's request that is lost is no reason to help nobody."""
    try:
        return destination.wanted()
    except (LostContinuation, CookiesRefused):
        return destination.local("")


def _password_page(errors: Errors, typed: str, status: int) -> Response:
    return _page("recovery/forgot_password.html", errors, status, typed=typed, here="forgotten.send_password")


def _username_page(errors: Errors, typed: str, status: int) -> Response:
    return _page("recovery/forgot_username.html", errors, status, typed=typed, here="forgotten.send_username")


def _page(template: str, errors: Errors, status: int, *, typed: str, here: str) -> Response:
    going_to = _going_to()
    return make_response(
        render_template(
            template,
            errors=errors,
            messages=dict(errors),
            typed=typed[:200],
            action=going_to.page(here),
            log_in=going_to.page("login.log_in"),
        ),
        status,
    )


def _answer(kind: str, handle: str, errors: Errors, status: int) -> Response:
    mail = settings.current().mail
    return make_response(
        render_template(
            "recovery/forgotten_answer.html",
            errors=errors,
            messages=dict(errors),
            words=_words(kind),
            handle=handle,
            sender=mail.sender,
            log_in=url_for("login.log_in"),
        ),
        status,
    )


def _words(kind: str) -> _Words:
    if kind == USERNAME:
        return _Words(
            _("Check Your Email"),
            _("Your username"),
            _("If this is a security email that was verified, we have sent your username to it."),
        )
    if kind == TEMPORARY_PASSWORD:
        return _Words(
            _("Check Your Email"),
            _("Your username and temporary password"),
            _("If we have an email address of yours on file, we have sent a new first password to it."),
        )
    return _Words(
        _("Check Your Email"),
        _("Choose a new password"),
        _("If the account has a security email that was verified, we have sent a link to it."),
    )
