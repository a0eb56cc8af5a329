"""Errors as pages: plain words, no trace, and a reference number where the fault is ours."""

from dataclasses import dataclass

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from idp import faults
from idp.web import language, metrics
from idp.web.context import origin

log = structlog.get_logger(__name__)

RETRY_SECONDS = 30
"""When to come back while the database, its disk or a key can't be had."""

# What a program needs to go on: the methods that work (RFC 9110 section 15.5.6), when to come back.
_KEPT_HEADERS = {"Allow", "Retry-After"}


class CookiesRefused(Exception):
    """The browser does not send back the cookie that a page of ours gave it."""


class StalePage(Exception):
    """A form whose token is missing, of another browser, or sealed by a key that is gone."""


def init_app(app: Flask) -> None:
    """Register a page for whatever can go wrong."""
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(CookiesRefused, _cookies_refused)
    app.register_error_handler(StalePage, stale_page)
    app.register_error_handler(Exception, _our_fault)


@dataclass(frozen=True, slots=True)
class Failure:
    """What an answer may say of something that went wrong here."""

    is_passing: bool
    """Whether it is a trouble of the machine that ends one day (503), or a mistake of ours (500)."""
    reference: str | None
    """The number by which the operator finds the line in the log."""


def note(error: Exception) -> Failure:
    """Write down what went wrong: one line, with what to do where that is known, and a trace only where it is not."""
    language.forget_account()
    reference = origin().request_id
    fault = faults.find(error)
    if fault is None:
        log.error("unexpected_error", exc_info=error, path=request.path, reference=reference)
        return Failure(is_passing=False, reference=reference)
    metrics.count_database_error(fault.value)
    log.error("unavailable", **faults.told(fault, error), path=request.path, reference=reference)
    return Failure(is_passing=True, reference=reference)


def page(status: int, title: str, text: str, *, retry: bool = False, reference: str | None = None) -> Response:
    """Return an error page, which asks nothing of the database."""
    body = render_template("error.html", title=title, text=text, retry=retry, reference=reference)
    return make_response(body, status)


def http_error(error: HTTPException) -> Response:
    """Return the page of an HTTP error."""
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


def _our_fault(error: Exception) -> Response:
    failure = note(error)
    if not failure.is_passing:
        title, text = _words(500)
        return page(500, title, text, reference=failure.reference)
    response = page(
        503,
        _("We are busy"),
        _("The portal can't be reached just now. Please try again in half a minute."),
        retry=True,
        reference=failure.reference,
    )
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
