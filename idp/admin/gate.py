"""Who may enter the console or the support desk, and how recently they must have proved who they are.

Every address under /admin answers to a stranger in the same way, whether or not there is a page at it; so does every
one under /desk.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

from flask import Response, abort, after_this_request, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from idp import clock, settings
from idp.accounts.models import ADMIN
from idp.database import db
from idp.login import guard, pages, passage
from idp.login import service as login
from idp.login.password_check import Busy, Refused
from idp.login.robot import ChallengeNeeded
from idp.login.service import LoggedIn
from idp.sessions import browser
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession
from idp.throttle.ladder import Stopped
from idp.throttle.rules import Wait
from idp.web import redirects
from idp.web.context import is_within

PASSWORD_FIELD = "current_password"  # noqa: S105  a field's name

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change may not be made yet, in words to stand beside the password's field."""

    message: str
    status: int


def admit() -> ResponseReturnValue | None:
    """Let nobody but an admin on one of the district's networks into anything under /admin."""
    return admit_under("/admin", ADMIN)


def admit_under(prefix: str, *roles: str) -> ResponseReturnValue | None:
    """Let nobody but staff of some roles, on one of the district's networks, into anything under an address."""
    if request.path != prefix and not request.path.startswith(f"{prefix}/"):
        return None
    if not is_within(request, settings.current().server.admin_networks):
        abort(404)
    session = browser.current()
    if session is None:
        wanted = request.path if request.method in {"GET", "HEAD"} and redirects.is_local(request.path) else prefix
        return redirects.see_other(url_for("login.log_in", next=wanted))
    if session.role not in roles:
        abort(403)
    sessions.touch(session, clock.now())
    db.session.commit()
    return None


def before_page() -> None:
    """Stand before each of the console's pages once more, should admit() ever misread an address."""
    admin()


def admin() -> ActiveSession:
    """Return the session of the admin whose request this is."""
    return one_of(ADMIN)


def one_of(*roles: str) -> ActiveSession:
    """Return the session of whose request this is, who has one of some roles; 403 for anybody else."""
    session = browser.current()
    if session is None or session.role not in roles:
        abort(403)
    return session


def needs_password() -> bool:
    """Tell whether a change asks for the password again."""
    return not (g.get("password_confirmed") or guard.is_recent(guard.get_session()))


def confirm() -> Refusal | None:
    """Return None when a change may be made, or why not: the password was given too long ago, or is wrong now.

    The form that was sent is shown again with a field for the password, so that nothing that was typed is lost.
    """
    if not needs_password():
        return None
    password = request.form.get(PASSWORD_FIELD, "")
    if not password:
        return Refusal(_("You logged in a while ago. Give your password again; what you typed is still here."), 422)
    now = clock.now()
    match login.reauthenticate(guard.get_session(), password, passage.evidence(), now):
        case LoggedIn() as logged_in:
            _remember(logged_in)
            return None
        case Wait(until):
            after_this_request(lambda response: pages.later(response, until, now))
            return Refusal(pages.wait_words(until, now)[0][1], 429)
        case ChallengeNeeded(level):
            pages.ask_robot(level)
            return Refusal(pages.robot_words()[0][1], 422)
        case Stopped():
            return Refusal(pages.stopped_words()[0][1], 403)
        case Refused(level):
            pages.ask_robot(level)
        case Busy():
            after_this_request(pages.busy)
            return Refusal(_("Many people are logging in just now. Nothing was changed; try again."), 503)
    return Refusal(_("The password is not right. Nothing was changed; try again."), 422)


def opened_fresh(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Ask for the password before a form of changes is opened, if it was last given too long ago.

    A form that is sent too late is the view's to show again: see confirm().
    """
    recently = guard.require_recent_log_in(view)

    @wraps(view)
    def opened(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        return recently(*args, **kwargs) if request.method in {"GET", "HEAD"} else view(*args, **kwargs)

    return opened


def _remember(logged_in: LoggedIn) -> None:
    """Give the browser the renewed session's cookie with whatever answer this request gets."""
    g.password_confirmed = True

    @after_this_request
    def remember(response: Response) -> Response:
        browser.remember(response, logged_in.token, shared_computer=logged_in.shared_computer)
        return response
