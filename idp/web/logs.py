"""One structured line per request, without secrets: the endpoint's name, never an address or its query."""

import json
import logging
import secrets
import sys
import time
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import structlog
from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from idp import clock
from idp.settings import Settings
from idp.web import metrics
from idp.web.context import Origin, client_address, origin, set_origin

_as_json = lru_cache(maxsize=64)(json.dumps)
_requests = logging.getLogger("idp.requests")
"""Whether requests are logged."""


def configure(settings: Settings) -> None:
    """Send every log line to standard error as JSON; a value's control characters are escaped by that."""
    level = logging.getLevelNamesMapping().get(settings.server.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[*_SHARED, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_StandardError,
        cache_logger_on_first_use=True,
    )
    logging.root.handlers = [_for_libraries()]
    logging.root.setLevel(logging.WARNING)
    _requests.setLevel(level)
    # Authlib's debug lines hold whole tokens (AUTHLIB-37): they are never printed, whatever level is asked for.
    logging.getLogger("authlib").setLevel(logging.WARNING)


def init_app(app: Flask, settings: Settings) -> None:
    """Give each request an id and an origin, and log how it went."""
    configure(settings)
    if settings.server.trusted_proxies:
        hops = settings.server.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # Flask's documented way
    app.before_request(_begin)
    app.after_request(_end)


class Exchange(NamedTuple):
    """A request that is being answered."""

    request_id: str
    began: float
    """By the clock that measures how long it took."""


def begin(address: str) -> Exchange:
    """Give the request at hand an id and an origin."""
    exchange = g.exchange = Exchange(secrets.token_urlsafe(12), time.perf_counter())
    set_origin(Origin("web", address, exchange.request_id))
    return exchange


def end(exchange: Exchange, method: str, endpoint: str, status: int) -> None:
    """Count a request that is answered, and log how it went."""
    seconds = time.perf_counter() - exchange.began
    metrics.count_request(endpoint, status, seconds)
    if _requests.isEnabledFor(logging.INFO):
        # Written out: structlog's processors take longer than a look into the database. The rest is of our own making.
        _StandardError().msg(
            f'{{"method": {_as_json(method)}, "endpoint": "{endpoint}", "status": {status}, '
            f'"milliseconds": {seconds * 1000:.1f}, "event": "request", "request_id": "{exchange.request_id}", '
            f'"level": "info", "timestamp": "{clock.spelled(clock.now())}Z"}}'
        )


def _begin() -> None:
    begin(client_address(request))


class _StandardError:
    """Writes lines to what standard error is at that moment: a logger is kept for good, and outlives a redirection."""

    def __init__(self, *_names: Any) -> None:
        """Take what structlog gives every logger, and need none of it."""

    def msg(self, line: str) -> None:
        """Write one line, whatever its level, in one piece: other threads write, too.

        A log on a full disk loses its lines, and nobody is refused for that.
        """
        with suppress(OSError):
            sys.stderr.write(f"{line}\n")

    debug = info = warning = error = critical = msg


class _ForLibraries(logging.Handler):
    """Writes what libraries log to the same place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        with suppress(OSError):
            sys.stderr.write(f"{self.format(record)}\n")


def _end(response: Response) -> Response:
    exchange: Exchange = g.get("exchange") or begin(client_address(request))
    response.headers["X-Request-Id"] = exchange.request_id
    end(exchange, request.method, request.endpoint or "none", response.status_code)
    return response


def _add_origin(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let every line of a request carry the request's id, so that a reference number finds them all."""
    if request_id := origin().request_id:
        line.setdefault("request_id", request_id)
    return line


def _for_libraries() -> logging.Handler:
    """Return what brings the lines of libraries, which use the standard logging, into the same form."""
    handler = _ForLibraries()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    return handler


_SHARED: list[structlog.types.Processor] = [
    _add_origin,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
