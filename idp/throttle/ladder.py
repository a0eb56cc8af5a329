"""How hard it becomes to guess passwords: decisions without a database.

Who guesses at one account meets a robot check, then waits that grow, and at last a stop; who guesses at many meets the
checks of their network, and of everybody. A browser that has logged in to an account before has a budget of its own,
so that nobody else's failures keep its owner out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from idp.settings import Throttle
from idp.throttle.rules import Wait

NETWORK_WINDOW = timedelta(minutes=5)
NETWORK_LONG_WINDOW = timedelta(hours=1)
OVERALL_WINDOW = timedelta(minutes=5)
STOPPED_FOR = timedelta(days=365)
"""How long a stop is remembered that nobody has lifted: a new password or the support team lifts it."""


class Level(IntEnum):
    """How far a robot check has to have gone before a password is looked at; a higher one is worth the lower, too."""

    NONE = 0
    BOX = 1
    """The box is checked; most visitors see no more."""
    PICTURES = 2
    """A task with pictures, or what stands in for it, is solved."""


@dataclass(frozen=True, slots=True)
class Count:
    """What the ledger holds on one subject and still counts."""

    failures: int = 0
    blocked_until: datetime | None = None
    """Before this moment the next try is not looked at."""

    def wait(self, now: datetime) -> datetime | None:
        """Return until when the next try waits; None when it need not."""
        return self.blocked_until if self.blocked_until is not None and self.blocked_until > now else None


@dataclass(frozen=True, slots=True)
class Counts:
    """What the ledger holds on all that one try counts for."""

    account: Count = Count()
    """Failures in a row at this username, whether or not anybody has it, in browsers that are not known."""
    device: Count | None = None
    """Failures in a row in this browser, which has logged in to the account before; None for any other browser."""
    network: Count = Count()
    network_hour: Count = Count()
    overall: Count = Count()
    """Failures in browsers that are not known: of five minutes, an hour, and of five minutes everywhere."""


@dataclass(frozen=True, slots=True)
class Go:
    """The password may be looked at."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """First it has to be shown that no program is at work."""

    level: Level


@dataclass(frozen=True, slots=True)
class Stopped:
    """So many failed in a row that the password is looked at in known browsers only; a new one can be had by mail."""


def verdict(counts: Counts, answered: Level, now: datetime, settings: Throttle) -> Go | Challenge | Wait | Stopped:
    """Decide about the next try, whose robot check has gone as far as `answered`."""
    if not is_known(counts, settings) and is_stopped(counts.account, settings):
        return Stopped()
    waits = [until for count in _waited_for(counts, settings) if (until := count.wait(now)) is not None]
    if waits:
        return Wait(max(waits))
    level = needed(counts, settings)
    return Go() if answered >= level else Challenge(level)


def needed(counts: Counts, settings: Throttle) -> Level:
    """Return how far the robot check of the next try has to go."""
    everybody = Level.BOX if counts.overall.failures >= settings.overall_robot_failures else Level.NONE
    if counts.device is not None and is_known(counts, settings):
        return max(everybody, _level_of_known(counts.device, counts.account, settings))
    return max(everybody, _level_of_account(counts.account, settings), _level_of_network(counts, settings))


def is_known(counts: Counts, settings: Throttle) -> bool:
    """Tell whether the try has a known browser's budget. One that fails too often in a row is a stranger's again."""
    return counts.device is not None and counts.device.failures < settings.account_stop_failures


def is_stopped(account: Count, settings: Throttle) -> bool:
    """Tell whether an account's password is looked at in known browsers only (NIST SP 800-63B-4 section 3.2.2)."""
    return account.failures >= settings.account_stop_failures


def account_waits(settings: Throttle) -> dict[int, timedelta]:
    """Return how long the next try at an account waits after each failure that brings a wait; the last repeats."""
    seconds = [settings.account_wait_seconds]
    while seconds[-1] < settings.account_longest_wait_seconds:
        seconds.append(min(seconds[-1] * 2, settings.account_longest_wait_seconds))
    return {settings.account_failures + step: timedelta(seconds=wait) for step, wait in enumerate(seconds)}


def _waited_for(counts: Counts, settings: Throttle) -> tuple[Count, ...]:
    if counts.device is not None and is_known(counts, settings):
        return (counts.device,)
    return (counts.account, counts.network_hour)


def _level_of_known(device: Count, account: Count, settings: Throttle) -> Level:
    """Ask for the box after failures from anywhere (R21), and for more only after the browser's own."""
    if device.failures >= settings.account_pictures_failures:
        return Level.PICTURES
    elsewhere = 0 if is_stopped(account, settings) else account.failures  # nobody guesses on at what is stopped
    return Level.BOX if device.failures + elsewhere >= settings.account_robot_failures else Level.NONE


def _level_of_account(account: Count, settings: Throttle) -> Level:
    if account.failures >= settings.account_pictures_failures:
        return Level.PICTURES
    return Level.BOX if account.failures >= settings.account_robot_failures else Level.NONE


def _level_of_network(counts: Counts, settings: Throttle) -> Level:
    if counts.network_hour.failures >= settings.network_pictures_failures:
        return Level.PICTURES
    return Level.BOX if counts.network.failures >= settings.network_robot_failures else Level.NONE
