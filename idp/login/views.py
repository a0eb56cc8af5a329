"""The pages of login."""

from functools import partial

from flask import Blueprint, request
from flask_babel import gettext as _
from werkzeug import Response as AnyResponse

from idp import clock
from idp.accounts import service as accounts
from idp.login import destination, new_password, pages, passage, robot, service, steps
from idp.login.destination import LostContinuation
from idp.login.forms import LogInForm
from idp.login.new_password import Gone, Unfit
from idp.login.password_check import Busy, Refused
from idp.login.robot import ChallengeNeeded
from idp.login.service import Attempt, Expired, LoggedIn, StepsOpen
from idp.sessions import browser
from idp.throttle.ladder import Stopped
from idp.throttle.rules import Wait
from idp.web import cookies, errors
from idp.web.errors import StalePage
from idp.web.redirects import next_path, see_other

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def log_in() -> AnyResponse:
    """Ask for username and password, or go straight on when the browser is logged in well enough."""
    going_to = destination.wanted()
    session = browser.current()
    if session is not None and going_to.accepts(session):
        return see_other(going_to.address)
    username = session.username if session else going_to.hinted_username()
    pages.ask_robot(robot.foreseen(username, cookies.read(cookies.DEVICE), clock.now()))
    return pages.log_in(going_to, LogInForm(username), [], 200)


@blueprint.post("/login")
def check_log_in() -> AnyResponse:
    """Check what was typed, and go on to where the person was heading."""
    going_to = destination.wanted()
    form = LogInForm.read(request.form)
    if missing := form.errors():
        return pages.log_in(going_to, form, missing, 422)
    now = clock.now()
    client_id = going_to.client.client_id if going_to.client else None
    attempt = Attempt(form.username, form.password, form.shared_computer, client_id, passage.this_browser())
    # What is typed on the page with the box stays there; what was typed before it appears is not carried over (R23).
    again = form if "robot_answer" in request.form else LogInForm(shared_computer=form.shared_computer)
    match service.log_in(attempt, now):
        case LoggedIn() as logged_in:
            return passage.go_on(going_to.address, logged_in)
        case StepsOpen() as opened:
            return passage.open_steps(going_to, opened)
        case Refused(level):
            pages.ask_robot(level)
            words = _("The username or the password is not right. Check both, then try again.")
            return pages.log_in(going_to, again if level else form, [("", words)], 422)
        case Expired(offer):
            return pages.expired(going_to, offer)
        case ChallengeNeeded() as challenge:
            return pages.unlooked(challenge, now, partial(pages.log_in, going_to, again))
        case Wait() | Stopped() as unlooked:
            return pages.unlooked(unlooked, now, partial(pages.log_in, going_to, form))
        case Busy():
            return pages.log_in(going_to, form, [], 503)


@blueprint.get("/setup/password")
def setup_password() -> AnyResponse:
    """Ask for a new password in place of the temporary one, before anything else opens."""
    going_to = destination.wanted()
    username = _username_at_step()
    if username is None:
        return passage.to_next_step(going_to)
    return pages.setup_password(going_to, username, [], 200)


@blueprint.post("/setup/password")
def save_password() -> AnyResponse:
    """Store the new password, which spends the temporary one, and log in."""
    going_to = destination.wanted()
    token, username = cookies.read(cookies.STEPS), _username_at_step()
    if username is None:
        return passage.to_next_step(going_to)
    chosen, from_here = request.form.get("new_password", ""), passage.this_browser()
    match new_password.set_up_password(token, chosen, from_here, clock.now()):
        case LoggedIn() as logged_in:
            return passage.go_on(going_to.address, logged_in)
        case StepsOpen() as opened:
            return passage.open_steps(going_to, opened)
        case Unfit(problem):
            return pages.setup_password(going_to, username, [("new_password", problem)], 422)
        case Gone():
            return see_other(going_to.page("login.log_in"))
        case Busy():
            return pages.setup_password(going_to, username, [], 503)


@blueprint.get("/reauthenticate")
def reauthenticate() -> AnyResponse:
    """Ask for the password once more before something that can do harm."""
    going_to = destination.local(next_path(""))
    session = browser.current()
    if session is None:
        return see_other(going_to.page("login.log_in"))
    return pages.reauthenticate(going_to, session, [], 200)


@blueprint.post("/reauthenticate")
def check_reauthentication() -> AnyResponse:
    """Check the password, renew the session, and go on."""
    going_to = destination.local(next_path(""))
    session = browser.current()
    if session is None:
        return see_other(going_to.page("login.log_in"))
    password = request.form.get("password", "")
    if not password:
        return pages.reauthenticate(going_to, session, [("password", _("Enter your password."))], 422)
    now = clock.now()
    match service.reauthenticate(session, password, passage.evidence(), now):
        case LoggedIn() as logged_in:
            return passage.go_on(going_to.address, logged_in)
        case Refused(level):
            pages.ask_robot(level)
            words = _("The password is not right. Try again.")
            return pages.reauthenticate(going_to, session, [("password", words)], 422)
        case ChallengeNeeded() | Wait() | Stopped() as unlooked:
            return pages.unlooked(unlooked, now, partial(pages.reauthenticate, going_to, session))
        case Busy():
            return pages.reauthenticate(going_to, session, [], 503)


@blueprint.errorhandler(StalePage)
def stale(error: StalePage) -> AnyResponse:
    """Show the log-in page anew when its form was too old or not ours: nothing was tried, and the way on is kept."""
    if request.endpoint != "login.check_log_in":
        return errors.stale_page(error)
    try:
        going_to = destination.wanted()
    except LostContinuation as gone:  # what a handler of errors raises is handled by no other
        return lost(gone)
    words = _("This page was open for too long, so nothing was sent. Please log in again.")
    form = LogInForm.read(request.form)
    return pages.log_in(going_to, form, [("", words)], 400)


@blueprint.errorhandler(LostContinuation)
def lost(_error: LostContinuation) -> AnyResponse:
    """Say that an application's request is gone: only the application can ask anew."""
    return errors.page(
        400,
        _("Please start again"),
        _("This page is too old, or was opened in another browser. Go back to where you came from and log in there."),
    )


def _username_at_step() -> str | None:
    """Return who has to choose a new password in this browser; None when nobody has."""
    opened = steps.find_open(cookies.read(cookies.STEPS), steps.NEW_PASSWORD, clock.now())
    return accounts.get(opened.account_id).username if opened else None
