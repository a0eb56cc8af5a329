"""Security headers, on every response."""

from collections.abc import Iterable, Mapping

from flask import Flask, Response, g, request

from idp import settings
from idp.settings import Settings
from idp.web import cookies

_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000; includeSubDomains"
_NOTHING = "default-src 'none'; frame-ancestors 'none'"


def init_app(app: Flask) -> None:
    """Add the headers to whatever the application answers."""
    app.after_request(_finish)


def for_programs(settings: Settings, more: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the headers of every answer that is no page; more adds to them, or overrules one."""
    ready = {**_FIXED, "Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": _NOTHING}
    if settings.is_https:
        ready["Strict-Transport-Security"] = _HSTS
    return tuple((ready | dict(more)).items())


def allow_form_target(origin: str) -> None:
    """Let this page's forms end at one validated application: Chromium checks redirects after a form, too."""
    g.setdefault("form_targets", []).append(origin)


def allow_image(origin: str) -> None:
    """Let this page show a picture from one validated application's site."""
    g.setdefault("image_sources", []).append(origin)


def allow_sources(more: Mapping[str, Iterable[str]]) -> None:
    """Let this page load from so many more places, by directive, such as a service's box that a setting names."""
    g.setdefault("more_sources", []).append(more)


def _finish(response: Response) -> Response:
    headers = response.headers
    for name, value in _FIXED.items():
        headers.setdefault(name, value)
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if settings.current().is_https:
        headers["Strict-Transport-Security"] = _HSTS
    headers.setdefault("Content-Security-Policy", _policy() if response.mimetype == "text/html" else _NOTHING)
    if request.endpoint not in {"static", "bootstrap.static"} or response.status_code >= 400:
        headers.setdefault("Cache-Control", "no-store")
    cookies.write_pending(response)
    return response


def _policy() -> str:
    allowed: dict[str, list[str]] = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", *g.get("image_sources", [])],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", *g.get("form_targets", [])],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    for more in g.get("more_sources", []):
        for directive, sources in more.items():
            allowed.setdefault(directive, []).extend(sources)
    return "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in allowed.items())
