"""Counters for whoever watches over the provider: cheap enough for every request, summed over processes.

`idp serve` gives all its processes one directory (PROMETHEUS_MULTIPROC_DIR); without it a process counts for itself.
"""

import os
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_registry = CollectorRegistry()
_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

_REQUESTS = Counter("idp_requests", "Requests, by endpoint and status.", ["endpoint", "status"], registry=_registry)
_SECONDS = Histogram(
    "idp_request_seconds", "How long answers took.", ["endpoint"], buckets=_BUCKETS, registry=_registry
)
_LOG_INS = Counter("idp_log_ins", "Tries to log in, by outcome.", ["outcome"], registry=_registry)
_TOKENS = Counter("idp_tokens_issued", "Tokens issued, by kind.", ["kind"], registry=_registry)
_THROTTLED = Counter("idp_throttle_refusals", "Tries refused for being too many.", ["kind"], registry=_registry)
_NOTICES = Counter("idp_logout_notices", "Back-channel log-out deliveries, by result.", ["result"], registry=_registry)


def count_request(endpoint: str, status: int, seconds: float) -> None:
    """Count one answered request. The endpoint is a name of ours, never an address: addresses are without number."""
    _request(endpoint, status).inc()
    _duration(endpoint).observe(seconds)


def count_log_in(outcome: str) -> None:
    """Count one try to log in: success, refused, wait and so on."""
    _child(_LOG_INS, outcome).inc()


def count_token(kind: str) -> None:
    """Count one issued token: code, access_token, id_token."""
    _child(_TOKENS, kind).inc()


def count_throttled(kind: str) -> None:
    """Count one try that was refused for its number, by the throttle's kind."""
    _child(_THROTTLED, kind).inc()


def count_notice(result: str) -> None:
    """Count one try to deliver a log-out notice: delivered, failed, given_up."""
    _child(_NOTICES, result).inc()


def exposition() -> bytes:
    """Return all counters in Prometheus's text format, summed over the processes of this `idp serve`."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(_registry)
    summed = CollectorRegistry()
    MultiProcessCollector(summed)  # type: ignore[no-untyped-call]  # prometheus_client gives it no types
    return generate_latest(summed)


# labels() takes a lock and builds a key each time; what it returns is bound once instead.
@lru_cache(maxsize=1024)
def _request(endpoint: str, status: int) -> Counter:
    return _REQUESTS.labels(endpoint, str(status))


@lru_cache(maxsize=256)
def _duration(endpoint: str) -> Histogram:
    return _SECONDS.labels(endpoint)


@lru_cache(maxsize=256)
def _child(counter: Counter, value: str) -> Counter:
    return counter.labels(value)
