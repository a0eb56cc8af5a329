"""Files that a browser loads once: their version is in their address, and they are sent small."""

import gzip
import hashlib
from functools import lru_cache

from flask import Flask, Response, request, url_for

from idp.settings import PACKAGE

ENDPOINTS = {"static", "bootstrap.static"}

_FOREVER = "public, max-age=31536000, immutable"
_TEXTS = {"text/css", "text/javascript", "image/svg+xml"}


def init_app(app: Flask) -> None:
    """Treat files that are asked for by their version."""
    app.after_request(_finish)


def asset(filename: str) -> str:
    """Return the address of a file of ours in static/, with its content's version."""
    return url_for("static", filename=filename, v=_version(filename))


@lru_cache(maxsize=64)
def _version(filename: str) -> str:
    return hashlib.sha256((PACKAGE / "static" / filename).read_bytes()).hexdigest()[:10]


def _finish(response: Response) -> Response:
    """Let browsers keep what has its version in its address; a file asked for without one is asked for again."""
    if request.endpoint not in ENDPOINTS or "v" not in request.args or response.status_code != 200:
        return response
    response.headers["Cache-Control"] = _FOREVER
    if response.mimetype in _TEXTS:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] > 0:
            _compress(response)
    return response


def _compress(response: Response) -> None:
    """Send a file of ours compressed; pages are not, since they hold secrets beside what others wrote (BREACH)."""
    response.direct_passthrough = False
    body = response.get_data()
    response.set_data(_compressed(body))
    response.headers["Content-Encoding"] = "gzip"
    del response.headers["ETag"]  # it names the bytes before they were compressed (RFC 9110 section 8.8.3)


@lru_cache(maxsize=16)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)
