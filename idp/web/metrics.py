"""Counters for whoever watches over the provider: cheap enough for every request, summed over processes.

`idp serve` gives all its processes one directory (PROMETHEUS_MULTIPROC_DIR); without it a process counts for itself.
A label's value is a word of ours, never one that was sent: those are without number. config/README.md explains each.
"""

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from idp.faults import Fault

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_registry = CollectorRegistry()
_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_HASH_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1.0, 2.5, 5.0)
_LIVE = re.compile(r"gauge_live[a-z]*_(\d+)\.db")

_REQUESTS = Counter("idp_requests", "Requests, by endpoint and status.", ["endpoint", "status"], registry=_registry)
_SECONDS = Histogram(
    "idp_request_seconds", "How long answers took.", ["endpoint"], buckets=_BUCKETS, registry=_registry
)
_LOG_INS = Counter("idp_log_ins", "Tries to log in, by outcome.", ["outcome"], registry=_registry)
_CODES = Counter("idp_codes_issued", "Authorization codes issued.", registry=_registry)
_TOKENS = Counter("idp_tokens_issued", "Token answers, by grant type.", ["grant_type"], registry=_registry)
_REFUSALS = Counter("idp_refusals", "What was refused, by kind and reason.", ["kind", "reason"], registry=_registry)
_NOTICES = Counter("idp_logout_notices", "Back-channel log-out deliveries, by result.", ["result"], registry=_registry)
_MAIL = Counter("idp_mail", "Tries to hand a message to the mail server, by result.", ["result"], registry=_registry)
_DATABASE = Counter(
    "idp_database_errors", "Requests that database, disk or keys failed, by fault.", ["fault"], registry=_registry
)
_BREACHED = Counter(
    "idp_breached_lookups", "New passwords looked up among leaked ones, by result.", ["result"], registry=_registry
)
_ROBOT_CHECKS = Counter(
    "idp_robot_checks", "Robot checks, by kind and by what became of them.", ["kind", "result"], registry=_registry
)
_ROBOT_LOOKUPS = Counter(
    "idp_robot_check_lookups",
    "Answers that a robot check's service was asked about, by result.",
    ["result"],
    registry=_registry,
)
_WAITING = Gauge(
    "idp_hash_queue_length",
    "Passwords that wait for their hash.",
    registry=_registry,
    multiprocess_mode="livesum",
)
_HASH_WAIT = Histogram(
    "idp_hash_wait_seconds", "How long a password waited for its hash.", buckets=_HASH_BUCKETS, registry=_registry
)
_HASH = Histogram("idp_hash_seconds", "How long a hash took.", buckets=_HASH_BUCKETS, registry=_registry)

count_code = _CODES.inc
"""Count one authorization code that was issued."""
observe_hash = _HASH.observe
"""Count one password hash, and the seconds that it took."""
observe_hash_wait = _HASH_WAIT.observe
"""Count one password's wait for its hash, in seconds, whether its turn came or not."""
change_hash_queue = _WAITING.inc
"""Note that so many more passwords (or less, below 0) wait for their hash in this process."""


def count_request(endpoint: str, status: int, seconds: float) -> None:
    """Count one answered request. The endpoint is a name of ours, never an address: addresses are without number."""
    _request(endpoint, status).inc()
    _duration(endpoint).observe(seconds)


def count_log_in(outcome: str) -> None:
    """Count one try to log in: success, refused, wait and so on."""
    _child(_LOG_INS, outcome).inc()


def count_tokens(grant_type: str) -> None:
    """Count one answer of the token endpoint that held tokens."""
    _child(_TOKENS, grant_type).inc()


def count_refusal(kind: str, reason: str) -> None:
    """Count one refusal.

    The kind is one of authorization, token and userinfo (the reason is then the protocol's error code),
    client_authentication, throttle (what was tried), robot_check (what asked for one), stopped (what was tried in a
    browser that is not known), busy (what waited for a hash) and form (why it was not ours).
    """
    _refusal(kind, reason).inc()


def count_notice(result: str) -> None:
    """Count one try to deliver a log-out notice: delivered, failed, given_up."""
    _child(_NOTICES, result).inc()


def count_mail(result: str) -> None:
    """Count one try to hand a message over: accepted, refused, given_up, put_off."""
    _child(_MAIL, result).inc()


def count_breached_lookup(result: str) -> None:
    """Count one new password that was looked up among leaked ones: clean, leaked, failed."""
    _child(_BREACHED, result).inc()


def count_robot_check(kind: str, result: str) -> None:
    """Count a step of a robot check.

    The kind is box (the work behind it), pictures, spoken or code; the result is begun, passed or failed.
    """
    _robot_check(kind, result).inc()


def count_robot_lookup(result: str) -> None:
    """Count one answer that the service of [robot_check] provider was asked about: passed, refused, failed."""
    _child(_ROBOT_LOOKUPS, result).inc()


def count_database_error(fault: str) -> None:
    """Count one request that database, disk or keys failed, by the word for what is wrong."""
    _child(_DATABASE, fault).inc()


def exposition(more: Iterable[Metric] = ()) -> bytes:
    """Return all counters in Prometheus's text format, summed over the processes of this `idp serve`, and more."""
    summed = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        _forget_dead_processes(Path(folder))
        MultiProcessCollector(summed)  # type: ignore[no-untyped-call]  # prometheus_client gives it no types
    else:
        summed.register(_registry)
    summed.register(_Read(more))
    return generate_latest(summed)


class _Read(Collector):
    """What was read from the database, for a registry."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        """Return it."""
        return self._metrics


def _forget_dead_processes(folder: Path) -> None:
    """Take away what a process that was killed said of its present: nobody waits in it any more."""
    for path in folder.glob("gauge_live*.db"):
        found = _LIVE.fullmatch(path.name)
        if found and not Path(f"/proc/{found[1]}").exists() and Path("/proc/self").exists():
            mark_process_dead(int(found[1]), str(folder))  # type: ignore[no-untyped-call]  # as above


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


@lru_cache(maxsize=256)
def _refusal(kind: str, reason: str) -> Counter:
    return _REFUSALS.labels(kind, reason)


@lru_cache(maxsize=32)
def _robot_check(kind: str, result: str) -> Counter:
    return _ROBOT_CHECKS.labels(kind, result)


# A counter that is there at 0 from the start shows its first event as a rise; one that begins at 1 shows none.
for _fault in Fault:
    _child(_DATABASE, _fault.value)
for _kind in ("box", "pictures", "spoken", "code"):
    for _result in ("begun", "passed", "failed"):
        _robot_check(_kind, _result)
for _result in ("passed", "refused", "failed"):
    _child(_ROBOT_LOOKUPS, _result)
for _outcome in ("robot_check", "stopped"):
    _child(_LOG_INS, _outcome)
