"""The ledger of password tries, in memory: it decides by the provider's own functions and counts as its tables do."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from idp.database import db
from idp.settings import Throttle
from idp.throttle import ladder, tries
from idp.throttle.ladder import Challenge, Count, Counts, Go, Level, Stopped
from idp.throttle.rules import LOG_IN, Wait
from idp.throttle.store import ACCOUNT, DEVICE, NETWORK, NETWORK_HOUR, OVERALL
from idp.throttle.tries import Tried

Key = tuple[str, str]


@dataclass(slots=True)
class _Row:
    failures: int
    blocked_until: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Reserved:
    """One try that may be judged."""

    account: Key
    device: Key | None
    counted: tuple[Key, ...]


@dataclass
class MemoryLedger:
    """Counts as throttle/store.py does, one try at a time."""

    limits: Throttle = field(default_factory=Throttle)
    _rows: dict[Key, _Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._waits = ladder.account_waits(self.limits)
        self._known_for = timedelta(days=self.limits.known_browser_days)
        self._ends = {
            ACCOUNT: timedelta(hours=self.limits.account_forget_hours),
            NETWORK: ladder.NETWORK_WINDOW,
            NETWORK_HOUR: ladder.NETWORK_LONG_WINDOW,
            OVERALL: ladder.OVERALL_WINDOW,
        }

    def know(self, device: str, username: str, now: datetime) -> None:
        """Let a browser be known at a username."""
        self._rows[DEVICE, f"{device} {username}"] = _Row(0, None, now + self._known_for)

    def reserve(
        self, username: str, now: datetime, *, device: str | None, network: str, answered: Level
    ) -> Reserved | Challenge | Wait | Stopped:
        """Take one try, as throttle/tries.py does."""
        account, known = (ACCOUNT, username), (DEVICE, f"{device} {username}") if device else None
        everywhere = (account, (NETWORK, network), (NETWORK_HOUR, network), (OVERALL, ""))
        counts = self._counts(everywhere, known, now)
        verdict = ladder.verdict(counts, answered, now, self.limits)
        if not isinstance(verdict, Go):
            return verdict
        if known is not None and ladder.is_known(counts, self.limits):
            self._count_known(known, now)
            return Reserved(account, known, (known,))
        for key in everywhere:
            self._count(key, now)
        return Reserved(account, None, everywhere)

    def succeed(self, reserved: Reserved, now: datetime) -> None:
        """Clear the account and the browser; take the try back from the network and from everybody."""
        account = self._rows.get(reserved.account)
        if account and not (reserved.device and account.failures >= self.limits.account_stop_failures):
            del self._rows[reserved.account]
        if reserved.device is not None:
            self._rows[reserved.device] = _Row(0, None, now + self._known_for)
            return
        for key in reserved.counted[1:]:
            row = self._rows[key]
            row.failures -= 1
            if row.failures < self.limits.network_wait_failures:
                row.blocked_until = None

    def _counts(self, everywhere: tuple[Key, ...], known: Key | None, now: datetime) -> Counts:
        account, network, hour, overall = (self._find(key, now) or Count() for key in everywhere)
        return Counts(account, self._find(known, now) if known else None, network, hour, overall)

    def _find(self, key: Key, now: datetime) -> Count | None:
        row = self._rows.get(key)
        return Count(row.failures, row.blocked_until) if row is not None and row.expires_at > now else None

    def _count_known(self, key: Key, now: datetime) -> None:
        row = self._rows[key]
        row.failures += 1
        waits = row.failures % self.limits.known_browser_failures == 0
        row.blocked_until = now + timedelta(seconds=self.limits.known_browser_wait_seconds) if waits else None

    def _count(self, key: Key, now: datetime) -> None:
        kind, row = key[0], self._rows.get(key)
        if row is None or row.expires_at <= now:
            row = self._rows[key] = _Row(0, None, now + self._ends[kind])
        row.failures += 1
        row.blocked_until = None
        if kind == ACCOUNT:
            stopped = row.failures >= self.limits.account_stop_failures
            row.expires_at = now + (ladder.STOPPED_FOR if stopped else self._ends[kind])
            if row.failures >= self.limits.account_failures:
                row.blocked_until = now + self._waits[min(row.failures, max(self._waits))]
        elif kind == NETWORK_HOUR and row.failures >= self.limits.network_wait_failures:
            row.blocked_until = now + timedelta(seconds=self.limits.network_wait_seconds)


def compare(seed: int) -> None:
    """Carry the same tries out here and in the ledger that the settings name, and let it decide alike each time."""
    chance, memory = random.Random(seed), MemoryLedger()  # noqa: S311  a sequence, not a secret
    now = datetime(2026, 9, 1, 12, tzinfo=UTC)
    for username in ("a", "b"):
        memory.know("home", username, now)
        tries.remember_browser("home", username, now)
    for _ in range(300):
        now += timedelta(seconds=chance.choice((1, 5, 60, 400, 1000)))
        username, network = chance.choice("abc"), chance.choice(("here", "there"))
        device, answered = chance.choice((None, None, "home")), chance.choice((Level.BOX, Level.PICTURES))
        mine = memory.reserve(username, now, device=device, network=network, answered=answered)
        real = tries.reserve(LOG_IN, username, now, device=device, network=network, answered=answered)
        if isinstance(mine, Reserved):
            assert isinstance(real, Tried)
            db.session.commit()
            if chance.random() < 0.1:
                memory.succeed(mine, now)
                tries.settle(real, succeeded=True, now=now)
                db.session.commit()
        else:
            assert real == mine
            db.session.rollback()
