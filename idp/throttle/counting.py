"""Where tries are counted: in Redis where that is set, else in the database, and there, too, while Redis is away."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import structlog

from idp import settings
from idp.throttle import redis_store, store
from idp.throttle.store import DEVICE, Row

T = TypeVar("T")

_PAUSE = 5.0
"""Seconds for which a process leaves Redis alone that did not answer: each try would wait for it once more."""
_log = structlog.get_logger()
_paused_until = 0.0


class Ledger(Protocol):
    """A place where tries are counted."""

    def find(self, digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
        """Return what is held and still counts, by kind."""

    def count(self, digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
        """Count a try everywhere; a kind that waits is left out of what comes back."""

    def undo(self, rows: Mapping[str, Row]) -> None:
        """Take back what count() has just counted, unless the caller's rollback does."""

    def take_back(self, rows: Mapping[str, Row], now: datetime, *, cleared: bool) -> None:
        """Take a try back where it was counted; its username's count is cleared, if asked."""

    def clear(self, account: bytes) -> None:
        """Forget what failed at a username, unless it is stopped."""


class _Database:
    def find(self, digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
        return store.find(digests.values(), now)

    def count(self, digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
        return store.count(digests, now)

    def undo(self, rows: Mapping[str, Row]) -> None:
        pass

    def take_back(self, rows: Mapping[str, Row], now: datetime, *, cleared: bool) -> None:
        store.take_back(rows, now, cleared=cleared)

    def clear(self, account: bytes) -> None:
        pass  # clear_known has done it, in one statement with the browser


class _Redis:
    def find(self, digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
        known = store.find([digests[DEVICE]], now) if DEVICE in digests else {}
        return known | redis_store.find(digests, now)

    def count(self, digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
        return redis_store.count(digests, now)

    def undo(self, rows: Mapping[str, Row]) -> None:
        redis_store.take_back(rows, cleared=False)

    def take_back(self, rows: Mapping[str, Row], now: datetime, *, cleared: bool) -> None:
        del now
        redis_store.take_back(rows, cleared=cleared)

    def clear(self, account: bytes) -> None:
        redis_store.clear(account, settings.current().throttle.account_stop_failures)


DATABASE: Ledger = _Database()
REDIS: Ledger = _Redis()


def in_turn(ask: Callable[[Ledger], T]) -> T:
    """Return what the ledger says that is set, or what the database says if that does not answer."""
    if is_redis_asked():
        try:
            return ask(REDIS)
        except redis_store.failures() as error:
            _leave_alone(error)
    return ask(DATABASE)


def if_it_answers(ledger: Ledger, tell: Callable[[Ledger], None]) -> None:
    """Tell a ledger how a try ended; where it no longer answers, the try goes on counting as failed."""
    if ledger is DATABASE:
        tell(ledger)
        return
    try:
        tell(ledger)
    except redis_store.failures() as error:
        _leave_alone(error)


def is_redis_asked() -> bool:
    """Tell whether Redis is set, and has answered this process lately."""
    return bool(settings.current().throttle.redis) and time.monotonic() >= _paused_until


def _leave_alone(error: Exception) -> None:
    global _paused_until  # noqa: PLW0603  a process may forget it: it only saves waiting
    _paused_until = time.monotonic() + _PAUSE
    _log.warning("throttle_counts_in_the_database", error=type(error).__name__)
