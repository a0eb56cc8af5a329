"""Redirects that stay on this site."""

from urllib.parse import urlsplit

from flask import redirect, request
from werkzeug import Response

_LONGEST = 500


def is_local(target: str) -> bool:
    """Tell whether target is a plain path of this site, by what browsers make of it and not only by the RFC.

    They read a backslash as a slash, drop tabs and newlines, and take // for another host.
    """
    if not target.startswith("/") or target.startswith("//") or len(target) > _LONGEST:
        return False
    if any(ord(character) <= 0x20 or ord(character) >= 0x7F or character == "\\" for character in target):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc and "//" not in parts.path and "%" not in parts.path


def see_other(target: str) -> Response:
    """Answer a form with 303, so that the next request is a GET and carries no password (RFC 9700 section 4.12)."""
    return redirect(target, code=303)


def next_path(default: str) -> str:
    """Return the local page named by the request's `next`, or default when it is missing or not local."""
    target = request.values.get("next", "")
    return target if is_local(target) else default
