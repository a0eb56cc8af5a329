"""Tries of a password: reserved before they are judged, so that parallel guesses share one budget. It never commits.

A try counts for its username, its network and everybody at once, or for the one browser that is known to belong to the
account. It costs a SELECT and one statement that counts it everywhere; a success costs one more. Until it is settled a
try has failed.
"""

import hashlib
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idp import settings
from idp.throttle import counting, known_browsers, ladder, redis_store, store
from idp.throttle.counting import Ledger
from idp.throttle.ladder import Challenge, Count, Counts, Go, Level, Stopped
from idp.throttle.rules import Wait
from idp.throttle.store import ACCOUNT, DEVICE, NETWORK, NETWORK_HOUR, ORDER, OVERALL, Row
from idp.web import metrics


@dataclass(frozen=True, slots=True)
class Tried:
    """One try that may be judged now. It counts as failed until it is settled."""

    rows: dict[str, Row]
    """What the ledger holds with this try in it, by kind."""
    account: bytes
    """The ledger's name of the username."""
    is_known: bool
    """Whether it has the budget of a known browser."""
    level: Level
    """How far the robot check of the next try has to go if this one fails."""
    stops: bool
    """Whether, if it fails, the password is looked at in known browsers only from now on: once for each stop."""
    ledger: Ledger = field(repr=False)
    """Where it is counted."""


def reserve(
    door: str, subject: str, now: datetime, *, device: str | None, network: str, answered: Level = Level.NONE
) -> Tried | Challenge | Wait | Stopped:
    """Take one try from the budgets of a username_key and of where it comes from, or say what stands against it.

    The caller commits a try before it is judged, and rolls anything else back: nothing was tried, so a robot check that
    was spent for it is not.
    """
    digests = _digests(subject, device, network)
    outcome = counting.in_turn(lambda ledger: _reserve(ledger, digests, answered, now))
    if not isinstance(outcome, Tried):
        metrics.count_refusal(_COUNTED_AS[type(outcome)], door)
    return outcome


def settle(tried: Tried, *, succeeded: bool, now: datetime) -> None:
    """Say how a try ended. A failure is counted already; a success clears the account and its browser.

    It is also taken back from its network and from everybody, whose other failures stay. A stopped account is not
    opened by a known browser: whoever guesses elsewhere would begin anew each time its owner logs in.
    """
    if not succeeded:
        return
    if tried.is_known:
        store.clear_known(tried.account, tried.rows[DEVICE].digest, now)
        counting.if_it_answers(tried.ledger, lambda ledger: ledger.clear(tried.account))
    else:
        counting.if_it_answers(tried.ledger, lambda ledger: ledger.take_back(tried.rows, now, cleared=True))


def release(tried: Tried, now: datetime) -> None:
    """Take back a try that was not judged after all: it counts as neither failure nor success."""
    if not tried.is_known:
        counting.if_it_answers(tried.ledger, lambda ledger: ledger.take_back(tried.rows, now, cleared=False))
        return
    store.take_back_known(tried.rows[DEVICE])


def level(subject: str | None, now: datetime, *, device: str | None, network: str) -> Level:
    """Return how far the robot check of the next try has to go; without a username, as far as that is known."""
    digests = _digests(subject or "", device if subject else None, network)
    if subject is None:
        del digests[ACCOUNT]
    return ladder.needed(_counts(_find(digests, now)), settings.current().throttle)


def waits_until(subject: str, now: datetime) -> datetime | None:
    """Return until when a username's tries wait in browsers that are not known; None when they need not."""
    row = _find({ACCOUNT: digest(ACCOUNT, subject)}, now).get(ACCOUNT)
    return None if row is None else Count(row.failures, row.blocked_until).wait(now)


def is_stopped(subject: str, now: datetime) -> bool:
    """Tell whether a username's password is looked at in known browsers only."""
    counts = _counts(_find({ACCOUNT: digest(ACCOUNT, subject)}, now))
    return ladder.is_stopped(counts.account, settings.current().throttle)


def clear(subject: str) -> None:
    """Forget what failed at a username: in browsers that are not known, and in those that are."""
    store.clear(digest(ACCOUNT, subject))
    _clear_in_redis(subject)


def remember_browser(device: str, subject: str, now: datetime) -> None:
    """Let a browser be known at a username_key, in the transaction that has locked its account."""
    known_browsers.remember(device, subject, digest(ACCOUNT, subject), now)


def begin_anew(subject: str) -> None:
    """Forget all about a username_key that gets another password: what failed there, and which browsers are known.

    Somebody else may have known the one before, in a browser of their own.
    """
    store.forget(digest(ACCOUNT, subject))
    _clear_in_redis(subject)


def digest(kind: str, subject: str) -> bytes:
    """Return the name by which the ledger knows a subject."""
    return hashlib.sha256(f"{kind}:{subject}".encode("utf-8", "surrogatepass")).digest()


_COUNTED_AS = {Challenge: "robot_check", Wait: "throttle", Stopped: "stopped"}


def _reserve(
    ledger: Ledger, digests: dict[str, bytes], answered: Level, now: datetime
) -> Tried | Challenge | Wait | Stopped:
    limits = settings.current().throttle
    before = ledger.find(digests, now)
    verdict = ladder.verdict(_counts(before), answered, now, limits)
    if not isinstance(verdict, Go):
        return verdict
    is_known = ladder.is_known(_counts(before), limits)
    after = store.count_known(digests[DEVICE], now) if is_known else ledger.count(digests, now)
    # Others may have tried since it was read. Each has counted itself, and a count that waits counts nobody, so that
    # what came back tells whether this try is one of those that are allowed: no more than that many ever are.
    if after.keys() != ({DEVICE} if is_known else set(ORDER)):
        return _wait_of(ledger.find(digests, now), now)
    overtaken = _judged_again(before, after, answered, now, is_known=is_known)
    if not isinstance(overtaken, Go):
        if not is_known:
            ledger.undo(after)
        return overtaken
    level = ladder.needed(_counts(before | after), limits)
    stops = not is_known and after[ACCOUNT].failures == limits.account_stop_failures
    return Tried(after, digests[ACCOUNT], is_known, level, stops, ledger)


def _find(digests: dict[str, bytes], now: datetime) -> dict[str, Row]:
    return counting.in_turn(lambda ledger: ledger.find(digests, now))


def _clear_in_redis(subject: str) -> None:
    if counting.is_redis_asked():
        everything = sys.maxsize
        counting.if_it_answers(counting.REDIS, lambda _ledger: redis_store.clear(digest(ACCOUNT, subject), everything))


def _digests(subject: str, device: str | None, network: str) -> dict[str, bytes]:
    known = {} if device is None else {DEVICE: known_browsers.digest(device, subject)}
    return known | {
        ACCOUNT: digest(ACCOUNT, subject),
        NETWORK: digest(NETWORK, network),
        NETWORK_HOUR: digest(NETWORK_HOUR, network),
        OVERALL: digest(OVERALL, ""),
    }


def _counts(rows: dict[str, Row]) -> Counts:
    counts = {kind: Count(row.failures, row.blocked_until) for kind, row in rows.items()}
    none = Count()
    return Counts(
        counts.get(ACCOUNT, none),
        counts.get(DEVICE),
        counts.get(NETWORK, none),
        counts.get(NETWORK_HOUR, none),
        counts.get(OVERALL, none),
    )


def _judged_again(
    before: dict[str, Row], after: dict[str, Row], answered: Level, now: datetime, *, is_known: bool
) -> Go | Challenge | Wait | Stopped:
    """Judge a try by what had been counted when it was; what waits by then has counted nothing."""
    counted = {kind: Row(row.digest, row.failures - 1, row.first_at, None) for kind, row in after.items()}
    others = {kind: row for kind, row in before.items() if is_known and kind != DEVICE}
    return ladder.verdict(_counts(others | counted), answered, now, settings.current().throttle)


def _wait_of(rows: dict[str, Row], now: datetime) -> Wait:
    """Return the wait that somebody else's try has brought since it was read."""
    counts = [Count(row.failures, row.blocked_until) for row in rows.values()]
    waits = [until for count in counts if (until := count.wait(now)) is not None]
    return Wait(max(waits, default=now + timedelta(seconds=1)))
