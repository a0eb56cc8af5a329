"""The pages of Settings."""

import uuid
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime
from flask_babel import gettext as _

from idp import clock
from idp.accounts import password_rules, security_emails, usernames
from idp.accounts import service as accounts
from idp.login import guard, new_password, pages, passage
from idp.login.forms import Errors
from idp.login.guard import get_session, require_log_in, require_recent_log_in
from idp.login.new_password import Changed, Unfit
from idp.login.password_check import Busy, Refused
from idp.login.robot import ChallengeNeeded
from idp.profile import overview, service
from idp.sessions import browser
from idp.throttle.ladder import Stopped
from idp.throttle.rules import Wait
from idp.web.redirects import see_other

blueprint = Blueprint("profile", __name__, url_prefix="/account")


@blueprint.get("")
@require_log_in
def settings() -> str:
    """List what can be looked at and changed."""
    guard.note_visit()
    return render_template("profile/settings.html")


@blueprint.get("/settings")
@require_log_in
def account() -> str:
    """Show the account's password, security email and username, each with what can be done about it."""
    guard.note_visit()
    account_id = get_session().account_id
    on_file = accounts.get(account_id)
    return render_template(
        "profile/account.html",
        done=request.args.get("done", ""),
        address=security_emails.status(account_id),
        new_address=on_file.email if usernames.is_former_address(on_file.username, on_file.email) else None,
    )


@blueprint.get("/password")
@require_log_in
def password() -> ResponseReturnValue:
    """Ask for the current password and a new one."""
    guard.note_visit()
    return _password_page([], 200)


@blueprint.post("/password")
@require_log_in
def save_password() -> ResponseReturnValue:
    """Change the password; every other browser is logged out."""
    current, new = request.form.get("current_password", ""), request.form.get("new_password", "")
    if missing := _missing(current, new):
        return _password_page(missing, 422)
    now = clock.now()
    match new_password.change_password(get_session(), current, new, passage.evidence(), now):
        case Changed(token, shared_computer, is_address_dropped):
            done = "password-and-address" if is_address_dropped else "password"
            response = make_response(see_other(url_for("profile.account", done=done)))
            browser.remember(response, token, shared_computer=shared_computer)
            return response
        case Unfit(problem):
            return _password_page([("new_password", problem)], 422)
        case Refused(level):
            pages.ask_robot(level)
            return _password_page([("current_password", _("This is not your current password. Try again."))], 422)
        case ChallengeNeeded() | Wait() | Stopped() as unlooked:
            return pages.unlooked(unlooked, now, _password_page)
        case Busy():
            return pages.busy(_password_page([], 503))


@blueprint.get("/sessions")
@require_log_in
def places() -> str:
    """Show where the account is logged in."""
    guard.note_visit()
    found = overview.places(get_session(), clock.now())
    return render_template("profile/sessions.html", places=found, done=request.args.get("done", ""), moment=_moment)


@blueprint.post("/sessions/end")
@require_log_in
def end_places() -> ResponseReturnValue:
    """Log one other browser out, or all others."""
    chosen = request.form.get("session", "")
    if chosen == "all":
        service.end_all_elsewhere(get_session(), clock.now())
    else:
        service.end_elsewhere(get_session(), _identifier(chosen), clock.now())
    return see_other(url_for("profile.places", done="ended"))


@blueprint.get("/history")
@require_log_in
def history() -> str:
    """Show what happened on the account."""
    guard.note_visit()
    found = overview.happenings(get_session().account_id, clock.now())
    return render_template("profile/history.html", happenings=found, moment=_moment)


@blueprint.get("/applications")
@require_log_in
def applications() -> str:
    """Show which applications know the account."""
    guard.note_visit()
    found = overview.applications(get_session().account_id)
    return render_template(
        "profile/applications.html", applications=found, done=request.args.get("done", ""), moment=_moment
    )


@blueprint.post("/applications/withdraw")
@require_recent_log_in
def withdraw() -> ResponseReturnValue:
    """Take back what an application was allowed."""
    service.withdraw(get_session(), _identifier(request.form.get("grant", "")), clock.now())
    return see_other(url_for("profile.applications", done="withdrawn"))


def _password_page(errors: Errors, status: int) -> Response:
    known = get_session()
    return make_response(
        render_template(
            "profile/password.html",
            errors=errors,
            messages=dict(errors),
            guide=password_rules.guide(known.username, known.name),
            busy=status == 503,
        ),
        status,
    )


def _missing(current: str, new: str) -> Errors:
    missing = []
    if not current:
        missing.append(("current_password", _("Enter your current password.")))
    if not new:
        missing.append(("new_password", _("Enter a new password.")))
    return missing


def _moment(at: datetime) -> str:
    return str(format_datetime(at, "medium"))


def _identifier(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        abort(404)
