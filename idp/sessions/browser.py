"""The session behind a request's cookie."""

from flask import g
from sqlalchemy.exc import SQLAlchemyError
from werkzeug import Response

from idp import clock, faults, sealing, settings
from idp.sessions import store
from idp.sessions.store import ActiveSession
from idp.web import cookies, errors


def current() -> ActiveSession | None:
    """Return the session of this request's cookie, looked up once, or None for a visitor."""
    if "browser_session" not in g:
        token = cookies.read(cookies.SESSION)
        g.browser_session = store.find(sealing.digest(token), clock.now()) if token else None
    found: ActiveSession | None = g.browser_session
    return found


def known() -> ActiveSession | None:
    """Return the session if this request has looked it up, without asking the database."""
    found: ActiveSession | None = g.get("browser_session")
    return found


def remember(response: Response, token: str, *, shared_computer: bool) -> None:
    """Give the browser its session's cookie; on a shared computer it goes when the browser closes."""
    lifetime = settings.current().sessions.absolute_hours * 3600
    cookies.write(response, cookies.SESSION, token, max_age=None if shared_computer else lifetime)
    g.pop("browser_session", None)


def forget(response: Response) -> None:
    """Take the session's cookie away."""
    cookies.clear(response, cookies.SESSION)
    g.browser_session = None


def go_on_without_database(error: SQLAlchemyError) -> None:
    """Take this request for a visitor's from here on: the database can't be asked. Raises what is no such trouble."""
    if faults.find(error) is None:
        raise error
    errors.note(error)
    g.browser_session = None
