"""The pages that links to a new password lead to."""

import hmac

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from idp import clock, sealing
from idp.accounts import password_rules
from idp.login import pages, passage, steps
from idp.login.forms import Errors
from idp.login.new_password import Gone, Unfit
from idp.login.password_check import Busy
from idp.login.service import LoggedIn, StepsOpen
from idp.recovery import doors, reset, way_on
from idp.recovery.doors import FIRST, NEW_PASSWORD, Door
from idp.recovery.reset import Chosen, Opened
from idp.recovery.way_on import Address, WayOn
from idp.throttle.rules import Wait
from idp.web import cookies
from idp.web.redirects import see_other

blueprint = Blueprint("reset", __name__)

blueprint.after_request(doors.unnamed)


@blueprint.get("/reset-password")
def reset_password() -> AnyResponse:
    """Ask for a new password in place of a forgotten one."""
    return _open(NEW_PASSWORD)


@blueprint.post("/reset-password")
def save_reset_password() -> AnyResponse:
    """Store it, and go on to where the person was heading."""
    return _save(NEW_PASSWORD)


@blueprint.get("/first-password")
def first_password() -> AnyResponse:
    """Ask somebody new for a password."""
    return _open(FIRST)


@blueprint.post("/first-password")
def save_first_password() -> AnyResponse:
    """Store it, and log in."""
    return _save(FIRST)


def _open(door: Door) -> AnyResponse:
    if (moved := doors.take(door)) is not None:
        return moved
    now = clock.now()
    match reset.find(door.purpose, doors.token(door), now):
        case Opened() as opened:
            return _page(door, opened, _way_on(opened), [], 200)
        case None:
            return doors.refuse(door)
        case Wait() as wait:
            return doors.too_many(door, wait, now)


def _save(door: Door) -> AnyResponse:
    now, token = clock.now(), doors.token(door)
    opened = reset.find(door.purpose, token, now)
    if isinstance(opened, Wait):
        return doors.too_many(door, opened, now)
    if opened is None:
        return doors.refuse(door)
    address = _way_on(opened)
    if not hmac.compare_digest(request.form.get("link", "").encode("utf-8", "replace"), _mark(token).encode()):
        words = _("Another link was opened in this browser since. See whose password this is, then type a new one.")
        return _page(door, opened, address, [("", words)], 422)
    password = request.form.get("new_password", "")
    if not password:
        return _page(door, opened, address, [("new_password", _("Enter a new password."))], 422)
    chosen = Chosen(door.purpose, token, password, "shared_computer" in request.form, passage.this_browser())
    match reset.save(chosen, now):
        case LoggedIn() as logged_in:
            response = make_response(see_other(address.url))
            passage.remember(response, logged_in)
            cookies.clear(response, cookies.STEPS)
        case StepsOpen(steps_token, step):
            response = make_response(see_other(address.page(steps.page_of(step))))
            cookies.write(response, cookies.STEPS, steps_token, max_age=None)
        case Unfit(problem):
            return _page(door, opened, address, [("new_password", problem)], 422)
        case Gone():
            return doors.refuse(door)
        case Busy():
            return pages.busy(_page(door, opened, address, [], 503))
    cookies.clear(response, door.cookie)
    return response


def _mark(token: str) -> str:
    """Return what a page is known by to be of this very link: another one's cookie may have come since."""
    return sealing.digest(f"page of {token}").hex()


def _way_on(opened: Opened) -> Address:
    return way_on.resolve(WayOn.read(opened.way_on), clock.now())


def _page(door: Door, opened: Opened, address: Address, wrong: Errors, status: int) -> Response:
    address.allow()
    return make_response(
        render_template(
            "recovery/choose_password.html",
            errors=wrong,
            messages=dict(wrong),
            action=url_for(door.endpoint),
            link=_mark(cookies.read(door.cookie) or ""),
            is_first=door is FIRST,
            username=opened.username,
            shared_computer="shared_computer" in request.form,
            guide=password_rules.guide(opened.username),
            busy=status == 503,
        ),
        status,
    )
