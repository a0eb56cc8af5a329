"""Authorization responses: one place that adds code or error, state and issuer to an application's address."""

import re
from functools import lru_cache
from urllib.parse import quote_plus, urlsplit

from idp import settings
from idp.web import metrics

_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII)
"""Codes and most states have no other characters (RFC 3986 section 2.3)."""


def with_parameters(redirect_uri: str, parameters: dict[str, str | None]) -> str:
    """Return the registered address with parameters added to its query, the rest of it untouched."""
    query = _encoded(parameters)
    return _joined(redirect_uri, query) if query else redirect_uri


def code(redirect_uri: str, value: str, state: str | None) -> str:
    """Return where a code goes, with the issuer beside it against mix-up (RFC 6749 4.1.2, RFC 9207 section 2)."""
    return _answered(redirect_uri, {"code": value, "state": state})


def error(redirect_uri: str, name: str, description: str, state: str | None) -> str:
    """Return where an error goes; its description is a fixed text (RFC 6749 4.1.2.1, RFC 9207 section 2)."""
    metrics.count_refusal("authorization", name)
    return _answered(redirect_uri, {"error": name, "error_description": description, "state": state})


def form_target(address: str) -> str:
    """Return what a Content-Security-Policy calls the place of an address: its origin, or a native app's scheme."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


def _answered(redirect_uri: str, parameters: dict[str, str | None]) -> str:
    return _joined(redirect_uri, f"{_encoded(parameters)}&{_issuer(settings.current().server.issuer)}")


def _joined(redirect_uri: str, query: str) -> str:
    joint = "&" if urlsplit(redirect_uri).query else "" if redirect_uri.endswith("?") else "?"
    return f"{redirect_uri}{joint}{query}"


def _encoded(parameters: dict[str, str | None]) -> str:
    return "&".join(
        f"{name}={value if _NEEDS_NO_QUOTES.fullmatch(value) else quote_plus(value)}"
        for name, value in parameters.items()
        if value is not None
    )


@lru_cache(maxsize=4)
def _issuer(issuer: str) -> str:
    return _encoded({"iss": issuer})
