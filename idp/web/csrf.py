"""Every form that changes something proves that it came from a page of ours, in this browser."""

import hmac
from collections.abc import Callable
from typing import Any, TypeVar

from flask import abort, current_app, request
from markupsafe import Markup

from idp import sealing
from idp.web import cookies, metrics
from idp.web.errors import CookiesRefused, StalePage

FIELD = "csrf_token"
_PURPOSE = "csrf"
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

View = TypeVar("View", bound=Callable[..., Any])


def exempt(view: View) -> View:
    """Mark a view that other sites and programs call by POST: it must not act on a cookie alone."""
    view.csrf_exempt = True  # type: ignore[attr-defined]  # a mark that protect() looks for
    return view


def token() -> str:
    """Return a form's token: sealed anew each time, so that a compressed page tells nothing (BREACH)."""
    return sealing.seal(_PURPOSE, cookies.browser_token().encode())


def field() -> Markup:
    """Return the hidden field that every form carries."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token())


def protect() -> None:
    """Refuse a changing request that no page of ours sent. Runs before every view, so that none can forget it."""
    if request.method in _SAFE_METHODS:
        return
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "csrf_exempt", False):
        return
    check()


def check() -> None:
    """Raise unless the request at hand is a form of ours, sent by this browser."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        metrics.count_refusal("form", "other_site")
        abort(403)
    if not cookies.has_browser_token():
        metrics.count_refusal("form", "no_cookie")
        raise CookiesRefused
    try:
        bound = sealing.open_sealed(_PURPOSE, request.form.get(FIELD, ""))
    except sealing.CannotOpen:
        metrics.count_refusal("form", "no_token")
        raise StalePage from None
    if not hmac.compare_digest(bound, cookies.browser_token().encode()):
        metrics.count_refusal("form", "other_browser")
        raise StalePage
