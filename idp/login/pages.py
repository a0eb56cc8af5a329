"""How the pages of login are drawn."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Response, g, make_response, render_template
from flask_babel import format_timedelta
from flask_babel import gettext as _

from idp import settings
from idp.accounts import password_rules
from idp.login.destination import Destination
from idp.login.forms import Errors, LogInForm
from idp.login.password_check import Unlooked
from idp.login.robot import ChallengeNeeded
from idp.sessions.store import ActiveSession
from idp.throttle.ladder import Level, Stopped
from idp.throttle.rules import Wait


def log_in(going_to: Destination, form: LogInForm, errors: Errors, status: int) -> Response:
    """Return the log-in page; it names the application that sent the person here. Status 503 says that many wait."""
    going_to.allow()
    return page(
        "login/log_in.html",
        status,
        errors,
        action=going_to.page("login.log_in"),
        form=form,
        client=going_to.client,
        forgot_password=going_to.page("forgotten.password"),
        forgot_username=going_to.page("forgotten.username"),
    )


def expired(going_to: Destination, offer: str) -> Response:
    """Return the page of somebody whose temporary password was right, but too old: it offers to mail a new one."""
    return page(
        "login/expired.html",
        422,
        [],
        action=going_to.page("forgotten.send_temporary_password"),
        offer=offer,
        log_in=going_to.page("login.log_in"),
    )


def setup_password(going_to: Destination, username: str, errors: Errors, status: int) -> Response:
    """Return the page that asks for a new password. Status 503 says that many wait."""
    going_to.allow()
    action = going_to.page("login.setup_password")
    guide = password_rules.guide(username)
    return page("login/setup_password.html", status, errors, action=action, username=username, guide=guide)


def reauthenticate(going_to: Destination, session: ActiveSession, errors: Errors, status: int) -> Response:
    """Return the page that asks for the password once more. Status 503 says that many wait."""
    action = going_to.page("login.reauthenticate")
    forgot_password = going_to.page("forgotten.password")
    return page(
        "login/reauthenticate.html", status, errors, action=action, session=session, forgot_password=forgot_password
    )


def unlooked(outcome: Unlooked, now: datetime, draw: Callable[[Errors, int], Response]) -> Response:
    """Return a page again whose password was not looked at, drawn with what is said about it and a status."""
    match outcome:
        case ChallengeNeeded(level):
            ask_robot(level)
            return draw(robot_words(), 422)
        case Wait(until):
            return later(draw(wait_words(until, now), 429), until, now)
        case Stopped():
            return draw(stopped_words(), 403)


def ask_robot(level: Level) -> None:
    """Let the page that answers this request ask for a robot check where it takes a password."""
    g.robot_level = level


def robot_words() -> Errors:
    """Say that a robot check has to come first: the same for a username that nobody has."""
    return [("robot", _("Check the box “I'm not a robot” first. Your password was not looked at yet."))]


def stopped_words() -> Errors:
    """Say that only a known browser, or a new password, helps: the same for a username that nobody has."""
    words = _(
        "The password was wrong too often, so it no longer works in this browser. Use a browser in which you have "
        "logged in before, or press “Forgot Password?” to choose a new one."
    )
    return [("", words)]


def wait_words(until: datetime, now: datetime) -> Errors:
    """Say that it was tried too often, and how long to wait: the same for a username that nobody has."""
    words = _("That did not work too often. Please wait %(time)s, then try again.", time=wait_time(until, now))
    return [("", words)]


def wait_time(until: datetime, now: datetime) -> str:
    """Return how long to wait, in words and rounded up."""
    wait = timedelta(seconds=_seconds(until, now))
    if wait > timedelta(minutes=1):
        wait = timedelta(minutes=math.ceil(wait / timedelta(minutes=1)))
    return str(format_timedelta(wait, threshold=1))


def later(response: Response, until: datetime, now: datetime) -> Response:
    """Tell programs, too, how long to wait (RFC 6585 section 4)."""
    response.headers["Retry-After"] = str(_seconds(until, now))
    return response


def busy(response: Response) -> Response:
    """Say when to try again: by then whoever waits now has been served, or has been sent away like this one."""
    response.headers["Retry-After"] = str(settings.current().passwords.longest_wait_seconds)
    return response


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, math.ceil((until - now).total_seconds()))


def page(template: str, status: int, errors: Errors, **values: object) -> Response:
    """Return a page with a form, and what is wrong with that. Status 503 says that many wait."""
    messages = {name: words for name, words in errors if name}
    is_busy = status == 503
    response = make_response(
        render_template(template, errors=errors, messages=messages, busy=is_busy, **values), status
    )
    return busy(response) if is_busy else response
