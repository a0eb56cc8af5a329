"""The pages that links to a new password lead to. A link's token leaves the address before anything is shown (PR13)."""

import hmac
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from idp import clock, sealing
from idp.accounts import password_rules
from idp.database import db
from idp.login import pages, steps
from idp.login.forms import Errors
from idp.login.new_password import Gone, Unfit
from idp.login.password_check import Busy
from idp.login.service import Browser, LoggedIn, StepsOpen
from idp.recovery import reset, way_on
from idp.recovery.models import FIRST_PASSWORD, RESET
from idp.recovery.reset import Chosen, Opened
from idp.recovery.way_on import Address, WayOn
from idp.sessions import browser
from idp.throttle import service as throttle
from idp.throttle.rules import WRONG_LINKS, Wait
from idp.web import context, cookies, errors, language
from idp.web.redirects import see_other

blueprint = Blueprint("reset", __name__)

_COOKIE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Door:
    """What differs between the two pages."""

    purpose: str
    endpoint: str
    cookie: str


RESET_DOOR = Door(RESET, "reset.reset_password", cookies.RESET)
FIRST_DOOR = Door(FIRST_PASSWORD, "reset.first_password", cookies.FIRST_PASSWORD)


@blueprint.after_request
def _say_nothing_elsewhere(response: Response) -> Response:
    """Let no page that follows learn the address of a link (RFC 9700 section 4.2.4)."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/reset-password")
def reset_password() -> AnyResponse:
    """Ask for a new password in place of a forgotten one."""
    return _open(RESET_DOOR)


@blueprint.post("/reset-password")
def save_reset_password() -> AnyResponse:
    """Store it, and go on to where the person was heading."""
    return _save(RESET_DOOR)


@blueprint.get("/first-password")
def first_password() -> AnyResponse:
    """Ask somebody new for a password."""
    return _open(FIRST_DOOR)


@blueprint.post("/first-password")
def save_first_password() -> AnyResponse:
    """Store it, and log in."""
    return _save(FIRST_DOOR)


def hand_over(door: Door, token: str) -> AnyResponse:
    """Lead to a door's page with a token that is in no address."""
    response = make_response(see_other(url_for(door.endpoint)))
    cookies.write(response, door.cookie, token, max_age=_COOKIE_SECONDS)
    return response


def _open(door: Door) -> AnyResponse:
    sent = request.args.get("token")
    if sent is not None:
        # One that has not even a token's form is refused, and counted, as any other.
        return hand_over(door, cookies.as_token(sent) or _NO_TOKEN)
    token = cookies.read(door.cookie)
    opened = reset.find(door.purpose, token, clock.now()) if token else None
    return _refuse(door) if opened is None else _page(door, opened, _way_on(opened), [], 200)


_NO_TOKEN = "-" * 43


def _save(door: Door) -> AnyResponse:
    now, token = clock.now(), cookies.read(door.cookie)
    opened = reset.find(door.purpose, token, now) if token else None
    if token is None or opened is None:
        return _refuse(door)
    address = _way_on(opened)
    if not hmac.compare_digest(request.form.get("link", "").encode("utf-8", "replace"), _mark(token).encode()):
        words = _("Another link was opened in this browser since. See whose password this is, then type a new one.")
        return _page(door, opened, address, [("", words)], 422)
    password = request.form.get("new_password", "")
    if not password:
        return _page(door, opened, address, [("new_password", _("Enter a new password."))], 422)
    chosen = Chosen(door.purpose, token, password, "shared_computer" in request.form, _browser())
    match reset.save(chosen, now):
        case LoggedIn() as logged_in:
            response = make_response(see_other(address.url))
            browser.remember(response, logged_in.token, shared_computer=logged_in.shared_computer)
            cookies.clear(response, cookies.STEPS)
        case StepsOpen(steps_token, step):
            response = make_response(see_other(address.page(steps.page_of(step))))
            cookies.write(response, cookies.STEPS, steps_token, max_age=None)
        case Unfit(problem):
            return _page(door, opened, address, [("new_password", problem)], 422)
        case Gone():
            return _refuse(door)
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
            is_first=door is FIRST_DOOR,
            username=opened.username,
            shared_computer="shared_computer" in request.form,
            guide=password_rules.guide(opened.username),
            busy=status == 503,
        ),
        status,
    )


def _refuse(door: Door) -> AnyResponse:
    """Say that a link does not work, whether it is wrong, used, too old or its account is closed (PR7)."""
    now = clock.now()
    if cookies.read(door.cookie) is not None:
        reserved = throttle.reserve(WRONG_LINKS, context.network(), now)
        db.session.commit()
        if isinstance(reserved, Wait):
            page = errors.page(429, _("Too many tries"), _("Please wait a little while, then try again."))
            return pages.later(page, reserved.until, now)
    response = make_response(render_template("recovery/link_refused.html", is_first=door is FIRST_DOOR), 410)
    cookies.clear(response, door.cookie)
    return response


def _browser() -> Browser:
    return Browser(browser.current(), request.user_agent.string, context.origin().address or "", language.spoken())
