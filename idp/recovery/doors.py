"""The pages that mailed links lead to, and what is the same at all of them.

A link's token leaves the address before anything is shown (PR13); a link that is not good gets one answer (PR7).
"""

from dataclasses import dataclass
from datetime import datetime

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from idp.login import pages
from idp.recovery.models import FIRST_PASSWORD, OBJECTION, RESET, VERIFICATION
from idp.throttle.rules import Wait
from idp.web import cookies, errors
from idp.web.redirects import see_other


@dataclass(frozen=True, slots=True)
class Door:
    """What a link is for, the page that it leads to, and the cookie in which its token goes on."""

    purpose: str
    endpoint: str
    cookie: str


VERIFY = Door(VERIFICATION, "security_email.verify", "verify_link")
NOT_ME = Door(OBJECTION, "security_email.not_me", "not_me_link")
NEW_PASSWORD = Door(RESET, "reset.reset_password", "reset")
FIRST = Door(FIRST_PASSWORD, "reset.first_password", "first_password")

_COOKIE_SECONDS = 3600
_NO_TOKEN = "-" * 43
"""Stands for what has not even a token's form: it is refused, and counted, as any other."""


def take(door: Door) -> AnyResponse | None:
    """Lead a link that was just opened on to its page without the token; None when the address holds no token."""
    sent = request.args.get("token")
    return None if sent is None else hand_over(door, cookies.as_token(sent) or _NO_TOKEN)


def hand_over(door: Door, token: str) -> AnyResponse:
    """Lead to a door's page with a token that is in no address."""
    response = unnamed(see_other(url_for(door.endpoint)))
    cookies.write(response, door.cookie, token, max_age=_COOKIE_SECONDS)
    return response


def token(door: Door) -> str:
    """Return the token of the link that this browser has opened; nothing when it has opened none."""
    return cookies.read(door.cookie) or ""


def page(template: str, status: int = 200, **values: object) -> Response:
    """Return a page that a mailed link leads to."""
    response = make_response(render_template(template, **values), status)
    unnamed(response)
    return response


def done(door: Door) -> AnyResponse:
    """Lead to the page that says what the link has done."""
    response = unnamed(see_other(url_for(door.endpoint, done=1)))
    cookies.clear(response, door.cookie)
    return response


def refuse(door: Door) -> Response:
    """Say that a link does not work, whether it is wrong, used, too old or its account is closed (PR7)."""
    response = page("recovery/wrong_link.html", 410, purpose=door.purpose)
    cookies.clear(response, door.cookie)
    return response


def too_many(door: Door, wait: Wait, now: datetime) -> Response:
    """Say to a network from which too many wrong links were opened that it has to wait (PR21)."""
    time = pages.wait_time(wait.until, now)
    words = _(
        "This link does not work, and neither did many others that were opened from your network. "
        "Please wait %(time)s, then open the newest mail.",
        time=time,
    )
    response = pages.later(errors.page(429, _("Too many tries"), words), wait.until, now)
    unnamed(response)
    cookies.clear(response, door.cookie)
    return response


def unnamed(response: AnyResponse) -> AnyResponse:
    """Let nobody learn by a Referer from which page a browser comes (RFC 9700 section 4.2.4)."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
