"""How many tries may fail, and how long the next one then waits: decisions without a database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from idp.settings import Settings

LOG_IN, REAUTHENTICATION = "log_in", "reauthentication"
"""Doors that take a password: they share what throttle/ladder.py says of an account."""
CLIENT_SECRET = "client_secret"  # noqa: S105  the name of a kind
"""Wrong secrets of an application."""
VERIFICATION_PAUSE, VERIFICATIONS = "verification_pause", "verifications"
FORGOTTEN_HOUR, FORGOTTEN_DAY = "forgotten_hour", "forgotten_day"
FORGOTTEN_NETWORK, FORGOTTEN_IN_ALL = "forgotten_network", "forgotten_in_all"
"""Mails: each one counts, and nothing wipes it out but time."""
WRONG_LINKS, FORGOTTEN_CODE = "wrong_links", "forgotten_code"
"""Mailed links that are not good, opened from one network, and codes typed for one mail: likewise."""
SUPPORT_NETWORK, SUPPORT_IN_ALL, SUPPORT_MAILS = "support_network", "support_in_all", "support_mails"
"""Requests for support, and the mails that confirm them: likewise."""
ROBOT_CODES_HOUR, ROBOT_CODES_DAY, ROBOT_CODES_NETWORK, ROBOT_CODES_IN_ALL = (
    "robot_codes_hour",
    "robot_codes_day",
    "robot_codes_network",
    "robot_codes_in_all",
)
ROBOT_CODE_TRIES, ROBOT_CODE_USED = "robot_code_tries", "robot_code_used"
"""Codes that are mailed in place of pictures, how often each is typed, and that it is good once: likewise."""
TRIES_TOLD, TRIES_TOLD_IN_ALL = "tries_told", "tries_told_in_all"
"""Mails that tell of wrong passwords at a username: likewise."""
LOOKUP_NETWORK, LOOKUP_TICKET = "lookup_network", "lookup_ticket"
"""Looking for a request by its number: what was found is taken back, so that only wrong tries count."""
ROBOT_CHECKS_NETWORK, ROBOT_CHECKS_IN_ALL = "robot_checks_network", "robot_checks_in_all"
ROBOT_TASKS_NETWORK = "robot_tasks_network"
"""Robot checks that were begun, and tasks that were drawn for them: each one counts."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one kind of try."""

    failures: int
    """The failure that first makes the next try wait."""
    window: timedelta
    """How long failures count from the first one on; all are forgotten together, and the wait ends with them."""


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


def rule_for(kind: str, settings: Settings) -> Rule:
    """Return the rule of a kind of try. Raises KeyError for a kind that does not exist."""
    return _RULES[kind](settings)


_HOUR = timedelta(hours=1)
_NEVER_REACHED = 10**9
"""For what is counted and never made to wait."""
_RULES: Mapping[str, Callable[[Settings], Rule]] = {
    CLIENT_SECRET: lambda of: Rule(of.throttle.client_failures, timedelta(seconds=of.throttle.client_window_seconds)),
    VERIFICATION_PAUSE: lambda of: Rule(1, timedelta(seconds=of.recovery.verification_pause_seconds)),
    VERIFICATIONS: lambda of: Rule(of.recovery.verifications_per_window, 6 * _HOUR),
    FORGOTTEN_HOUR: lambda of: Rule(of.recovery.forgotten_per_hour, _HOUR),
    FORGOTTEN_DAY: lambda of: Rule(of.recovery.forgotten_per_day, 24 * _HOUR),
    FORGOTTEN_NETWORK: lambda of: Rule(of.recovery.forgotten_per_network_hour, _HOUR),
    FORGOTTEN_IN_ALL: lambda of: Rule(of.recovery.forgotten_in_all_per_hour, _HOUR),
    WRONG_LINKS: lambda of: Rule(of.recovery.wrong_links_per_network_hour, _HOUR),
    FORGOTTEN_CODE: lambda of: Rule(of.recovery.code_tries, timedelta(minutes=of.recovery.code_minutes)),
    SUPPORT_NETWORK: lambda of: Rule(of.support.per_network_hour, _HOUR),
    SUPPORT_IN_ALL: lambda of: Rule(of.support.in_all_per_hour, _HOUR),
    SUPPORT_MAILS: lambda of: Rule(of.support.mails_per_address_day, 24 * _HOUR),
    ROBOT_CODES_HOUR: lambda of: Rule(of.recovery.forgotten_per_hour, _HOUR),
    ROBOT_CODES_DAY: lambda of: Rule(of.recovery.forgotten_per_day, 24 * _HOUR),
    ROBOT_CODES_NETWORK: lambda of: Rule(of.recovery.forgotten_per_network_hour, _HOUR),
    ROBOT_CODES_IN_ALL: lambda of: Rule(of.recovery.forgotten_in_all_per_hour, _HOUR),
    ROBOT_CODE_TRIES: lambda of: Rule(of.recovery.code_tries, timedelta(minutes=of.recovery.code_minutes)),
    ROBOT_CODE_USED: lambda of: Rule(1, timedelta(minutes=of.recovery.code_minutes)),
    TRIES_TOLD: lambda _of: Rule(1, 24 * _HOUR),
    TRIES_TOLD_IN_ALL: lambda of: Rule(of.throttle.notices_in_all_per_hour, _HOUR),
    LOOKUP_NETWORK: lambda of: Rule(of.support.lookups_per_network_hour, _HOUR),
    LOOKUP_TICKET: lambda of: Rule(of.support.lookups_per_ticket_hour, _HOUR),
    ROBOT_CHECKS_NETWORK: lambda of: Rule(of.robot_check.begun_per_network_hour, _HOUR),
    ROBOT_CHECKS_IN_ALL: lambda _of: Rule(_NEVER_REACHED, _HOUR),
    ROBOT_TASKS_NETWORK: lambda of: Rule(of.robot_check.tasks_per_network_hour, _HOUR),
}


def reserve(count: Count | None, now: datetime, rule: Rule) -> Count | Wait:
    """Count one try as failed until it has succeeded, or say how long it has to wait."""
    if count is None or count.expires_at <= now:
        count = Count(0, now, now, None, now + rule.window)
    if count.blocked_until is not None and count.blocked_until > now:
        return Wait(count.blocked_until)
    failures = count.failures + 1
    blocked_until = count.expires_at if failures >= rule.failures else None
    return Count(failures, count.first_at, now, blocked_until, count.expires_at)


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
