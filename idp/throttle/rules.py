"""How many tries may fail, and how long the next one then waits: decisions without a database."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from idp.settings import Throttle

LOG_IN, REAUTHENTICATION, CLIENT_SECRET = "log_in", "reauthentication", "client_secret"


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one kind of try."""

    failures: int
    """The failure that first makes the next try wait."""
    waits: tuple[timedelta, ...]
    """How long the next try waits after that failure, after the one that follows it, and so on; the last repeats."""
    remembered: timedelta
    """How long a failure counts."""
    sliding: bool
    """Whether each failure makes the earlier ones count longer, or all are forgotten together."""


@dataclass(frozen=True, slots=True)
class Count:
    """What the ledger holds on one subject."""

    failures: int
    first_at: datetime
    last_at: datetime
    blocked_until: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many tries have failed: the next one is looked at from this moment on."""

    until: datetime


def rule_for(kind: str, settings: Throttle) -> Rule:
    """Return the rule of a kind of try. Raises KeyError for a kind that does not exist."""
    account = Rule(
        failures=settings.account_failures,
        waits=_doubling(settings.account_wait_seconds, settings.account_longest_wait_seconds),
        remembered=timedelta(hours=settings.account_forget_hours),
        sliding=True,
    )
    window = timedelta(seconds=settings.client_window_seconds)
    client = Rule(settings.client_failures, (window,), window, sliding=False)
    return {LOG_IN: account, REAUTHENTICATION: account, CLIENT_SECRET: client}[kind]


def reserve(count: Count | None, now: datetime, rule: Rule) -> Count | Wait:
    """Count one try as failed until it has succeeded, or say how long it has to wait."""
    if count is None or count.expires_at <= now:
        count = Count(0, now, now, None, now + rule.remembered)
    if count.blocked_until is not None and count.blocked_until > now:
        return Wait(count.blocked_until)
    failures = count.failures + 1
    expires_at = now + rule.remembered if rule.sliding else count.expires_at
    blocked_until = None
    if failures >= rule.failures:
        step = min(failures - rule.failures, len(rule.waits) - 1)
        blocked_until = now + rule.waits[step] if rule.sliding else expires_at
    return Count(failures, count.first_at, now, blocked_until, expires_at)


def release(count: Count, reserved: Count, rule: Rule) -> Count | None:
    """Take back one try that was reserved but never judged; None when nothing is left to count.

    A later try may have been reserved since, and keeps its wait; a count that began anew knows nothing of this one.
    """
    if count.first_at > reserved.first_at:
        return count
    failures = count.failures - 1
    if failures <= 0:
        return None
    is_mine = count.blocked_until == reserved.blocked_until
    return replace(
        count, failures=failures, blocked_until=None if is_mine or failures < rule.failures else count.blocked_until
    )


def _doubling(first: int, longest: int) -> tuple[timedelta, ...]:
    waits = [first]
    while waits[-1] < longest:
        waits.append(min(waits[-1] * 2, longest))
    return tuple(timedelta(seconds=wait) for wait in waits)
