"""One structured line per request, without secrets: an address's path, never its query."""

import logging
import sys
import time

import structlog
from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from idp import sealing
from idp.settings import Settings
from idp.web.context import Origin, client_address, set_origin

log = structlog.get_logger(__name__)


def configure(settings: Settings) -> None:
    """Send every log line to standard error as JSON; a value's control characters are escaped by that."""
    level = logging.getLevelNamesMapping().get(settings.server.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Authlib's debug lines hold whole tokens (AUTHLIB-37): they are never printed, whatever level is asked for.
    logging.getLogger("authlib").setLevel(logging.WARNING)


def init_app(app: Flask, settings: Settings) -> None:
    """Give each request an id and an origin, and log how it went."""
    configure(settings)
    if settings.server.trusted_proxies:
        hops = settings.server.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()
    g.request_id = sealing.random_token()[:16]
    set_origin(Origin("web", client_address(request), g.request_id))


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    log.info(
        "request",
        id=g.get("request_id"),
        method=request.method,
        endpoint=request.endpoint,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
    )
    return response
