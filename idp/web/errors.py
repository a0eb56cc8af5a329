"""Errors as pages: plain words, no trace, and a reference number where the fault is ours."""

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from idp.web import metrics
from idp.web.context import origin

log = structlog.get_logger(__name__)

# What a program needs to go on: the methods that work (RFC 9110 section 15.5.6), when to come back.
_KEPT_HEADERS = {"Allow", "Retry-After"}


class CookiesRefused(Exception):
    """The browser does not send back the cookie that a page of ours gave it."""


class StalePage(Exception):
    """A form whose token is missing, of another browser, or sealed by a key that is gone."""


def init_app(app: Flask) -> None:
    """Register a page for whatever can go wrong."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CookiesRefused, _cookies_refused)
    app.register_error_handler(StalePage, stale_page)
    app.register_error_handler(OperationalError, _database_down)
    app.register_error_handler(PoolTimeout, _database_down)
    app.register_error_handler(Exception, _our_fault)


def page(status: int, title: str, text: str, *, retry: bool = False, reference: str | None = None) -> Response:
    """Return an error page, which asks nothing of the database."""
    body = render_template("error.html", title=title, text=text, retry=retry, reference=reference)
    return make_response(body, status)


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    status = error.code or 500
    title, text = _words(status)
    response = page(status, title, text, retry=status == 503)
    for name, value in error.get_headers():
        if name in _KEPT_HEADERS:
            response.headers[name] = value
    return response


def _words(status: int) -> tuple[str, str]:
    match status:
        case 403:
            return _("You can't open this page"), _("Your account, or the place you are in, is not allowed to open it.")
        case 404 | 410:
            return _("Page not found"), _(
                "There is no page at this address. Check it for slips, or start from the portal."
            )
        case 405:
            return _("This can't be done here"), _("The address is right, but it can't be used in this way.")
        case 413 | 414 | 431:
            return _("That was too much"), _("What was sent is larger than this page accepts.")
        case 429:
            return _("Too many tries"), _("Please wait a little while, then try again.")
        case _ if status >= 500:
            return _("Something went wrong"), _("The fault is ours. Please try again in a minute.")
    return _("That did not work"), _("The request could not be understood. Go back and try once more.")


def _cookies_refused(_error: CookiesRefused) -> Response:
    return page(
        400,
        _("Your browser refuses cookies"),
        _("Logging in needs one small cookie. Allow cookies for this site in your browser's settings, then try again."),
        retry=True,
    )


def stale_page(_error: StalePage) -> Response:
    """Say that a form was too old, and that nothing came of it."""
    return page(
        400,
        _("This page is too old"),
        _(
            "It lay open for very long, or you logged in or out in another window. Nothing was changed. "
            "Open the page again and repeat what you did."
        ),
        retry=True,
    )


def _database_down(error: Exception) -> Response:
    metrics.count_database_error(error.__class__.__name__)
    log.error("database_unavailable", error=error.__class__.__name__, path=request.path)
    response = page(
        503, _("We are busy"), _("The portal can't be reached just now. Please try again in half a minute."), retry=True
    )
    response.headers["Retry-After"] = "30"
    return response


def _our_fault(error: Exception) -> Response:
    reference = origin().request_id
    log.error("unexpected_error", exc_info=error, path=request.path, reference=reference)
    title, text = _words(500)
    return page(500, title, text, reference=reference)
