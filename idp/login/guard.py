"""Who may open a page: decorators for the views of whatever needs a log-in, a role, or a log-in of just now."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import ParamSpec
from urllib.parse import urlsplit

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, faults, settings
from idp.database import db
from idp.sessions import browser
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession
from idp.web import errors
from idp.web.redirects import is_local, see_other

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def require_log_in(view: View[P]) -> View[P]:
    """Lead a visitor to the log-in page, and back here afterwards."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if browser.current() is None:
            return see_other(url_for("login.log_in", next=_way_back()))
        return view(*args, **kwargs)

    return guarded


def require_role(*roles: str) -> Callable[[View[P]], View[P]]:
    """Open a page to people of some roles only: others get 403, a visitor the log-in page."""

    def decorate(view: View[P]) -> View[P]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if get_session().role not in roles:
                abort(403)
            return view(*args, **kwargs)

        return require_log_in(guarded)

    return decorate


def require_recent_log_in(view: View[P]) -> View[P]:
    """Ask for the password again when the log-in is older than a setting (ten minutes), and come back here."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not is_recent(get_session()):
            return see_other(url_for("login.reauthenticate", next=_way_back()))
        return view(*args, **kwargs)

    return require_log_in(guarded)


def is_recent(session: ActiveSession) -> bool:
    """Tell whether the password was given recently enough for an act that can do harm."""
    allowed = timedelta(minutes=settings.current().sessions.reauthentication_minutes)
    return clock.now() - session.auth_time <= allowed


def note_visit() -> None:
    """Count this page as a sign of life; where nothing can be written it is shown all the same. Commits."""
    try:
        sessions.touch(get_session(), clock.now())
        db.session.commit()
    except SQLAlchemyError as error:
        if faults.find(error) is None:
            raise
        errors.note(error)
        db.session.rollback()


def get_session() -> ActiveSession:
    """Return the session of the one who is logged in, for a view that one of these guards. Raises LookupError."""
    session = browser.current()
    if session is None:
        raise LookupError("nobody is logged in: the view is not guarded")
    return session


def _way_back() -> str | None:
    """Return the page to come back to; for a form it is the page where its button was pressed."""
    if request.method in {"GET", "HEAD"}:
        here = request.full_path.rstrip("?")
    else:
        came_from = urlsplit(request.referrer or "")
        same_site = f"{came_from.scheme}://{came_from.netloc}" == settings.current().server.issuer
        here = f"{came_from.path}?{came_from.query}".rstrip("?") if same_site else ""
    return here if is_local(here) else None
