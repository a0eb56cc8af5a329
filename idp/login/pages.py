"""How the pages of login are drawn."""

import math
from datetime import datetime, timedelta

from flask import Response, make_response, render_template
from flask_babel import format_timedelta
from flask_babel import gettext as _

from idp import settings
from idp.accounts import password_rules
from idp.login.destination import Destination
from idp.login.forms import Errors, LogInForm
from idp.sessions.store import ActiveSession


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
