"""What the ledger holds on many at once, for those who watch over it: it knows no names, so it is asked by them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp import settings
from idp.database import db
from idp.throttle import ladder, tries
from idp.throttle.ladder import Count, Level
from idp.throttle.models import Counter
from idp.throttle.store import ACCOUNT, NETWORK_HOUR, OVERALL


@dataclass(frozen=True, slots=True)
class Standing:
    """What failed at one username in a row, or from one network in an hour, and what follows from it."""

    failures: int
    waits_until: datetime | None
    last_at: datetime


def of_accounts(username_keys: Collection[str], now: datetime) -> dict[str, Standing]:
    """Return what still counts at each of some usernames, in browsers that are not known."""
    return _of(ACCOUNT, username_keys, now)


def of_networks(networks: Collection[str], now: datetime) -> dict[str, Standing]:
    """Return what still counts for each of some networks."""
    return _of(NETWORK_HOUR, networks, now)


def overall(now: datetime) -> int:
    """Return how many passwords were wrong everywhere, in the five minutes that are counted just now."""
    found = _of(OVERALL, [""], now).get("")
    return found.failures if found else 0


def level_of_account(failures: int) -> Level:
    """Return how far the robot check goes after so many failures at one username."""
    return ladder.needed(ladder.Counts(account=Count(failures)), settings.current().throttle)


def _of(kind: str, subjects: Collection[str], now: datetime) -> dict[str, Standing]:
    if not subjects:
        return {}
    named = {tries.digest(kind, subject): subject for subject in subjects}
    columns = (Counter.digest, Counter.failures, Counter.blocked_until, Counter.last_at)
    chosen = select(*columns).where(Counter.digest.in_(named), Counter.expires_at > now, Counter.failures > 0)
    return {
        named[row.digest]: Standing(row.failures, Count(0, row.blocked_until).wait(now), row.last_at)
        for row in db.session.execute(chosen)
    }
