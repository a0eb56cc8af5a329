"""The provider's cookies: one way to name, set and clear them."""

import re

from flask import Request, g, request
from werkzeug import Response

from idp import sealing, settings

SESSION, STEPS, BROWSER, DEVICE, ROBOT = "session", "steps", "browser", "device", "robot"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def name(purpose: str) -> str:
    """Return the cookie's full name; __Host- binds it to this very host (RFC 6265bis section 4.1.3), HTTPS only."""
    return f"__Host-idp_{purpose}" if settings.current().is_https else f"idp_{purpose}"


def read(purpose: str, source: Request | None = None) -> str | None:
    """Return the random token of a cookie, or None when it is missing or not of a token's form."""
    return as_token((source or request).cookies.get(name(purpose), ""))


def as_token(value: str) -> str | None:
    """Return a cookie's value if it has a token's form."""
    return value if _TOKEN.fullmatch(value) else None


def write(response: Response, purpose: str, token: str, max_age: int | None) -> None:
    """Set a cookie for max_age seconds, or until the browser closes."""
    response.set_cookie(
        name(purpose),
        token,
        max_age=max_age,
        path="/",
        secure=settings.current().is_https,
        httponly=True,
        samesite="Lax",
    )


def clear(response: Response, purpose: str) -> None:
    """Take a cookie away, with the attributes it was set with (or a browser keeps a __Host- cookie)."""
    response.delete_cookie(name(purpose), path="/", secure=settings.current().is_https, httponly=True, samesite="Lax")


def browser_token() -> str:
    """Return the token that stays the same while this browser lives, and give it one with the response if it has none.

    Sealed requests and forms are bound to it, so that what is stolen from one browser is worthless in another.
    """
    if "browser_token" not in g:
        g.browser_token = read(BROWSER)
        if g.browser_token is None:
            g.browser_token = g.new_browser_token = sealing.random_token()
    token: str = g.browser_token
    return token


def has_browser_token() -> bool:
    """Tell whether the browser sent the token back: one that never does refuses cookies."""
    return read(BROWSER) is not None


def write_pending(response: Response) -> None:
    """Send the browser token that browser_token() made during this request."""
    if token := g.pop("new_browser_token", None):
        write(response, BROWSER, token, max_age=None)
