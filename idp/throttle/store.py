"""The ledger's statements for a try of a password: one reads what it counts for, one counts it, one takes it back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, case, delete, false, literal, or_, select, update

from idp import settings
from idp.database import RELAXED, UtcDateTime, db, run, upsert
from idp.settings import Throttle
from idp.statements import Prepared
from idp.throttle import known_browsers, ladder
from idp.throttle.models import Counter
from idp.throttle.rules import LOG_IN

ACCOUNT, DEVICE = LOG_IN, known_browsers.KNOWN_BROWSER
NETWORK, NETWORK_HOUR, OVERALL = "log_in_network", "log_in_network_hour", "log_in_overall"
ORDER = (ACCOUNT, NETWORK, NETWORK_HOUR, OVERALL)
"""The order in which a try locks what it counts for, so that no two wait for each other."""

_ROW = (Counter.kind, Counter.digest, Counter.failures, Counter.first_at, Counter.blocked_until)
_OPTIONS = {**RELAXED, "synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Row:
    """What the ledger holds on one subject."""

    digest: bytes
    failures: int
    first_at: datetime
    """When it began to count: a later count knows nothing of a try in this one."""
    blocked_until: datetime | None


def find(digests: Collection[bytes], now: datetime) -> dict[str, Row]:
    """Return what the ledger holds and still counts, by kind, in one statement."""
    named = {f"digest_{number}": digest for number, digest in enumerate(digests)}
    return _rows(run(_held(len(named)), named | {"now": now}))


def count_known(device: bytes, now: datetime) -> dict[str, Row]:
    """Count a try for a known browser, which waits after so many failures, and again after as many more.

    Nothing comes back where it waits or is no longer known.
    """
    limits = settings.current().throttle
    failures = Counter.failures + 1
    waits = now + timedelta(seconds=limits.known_browser_wait_seconds)
    counted = (
        update(Counter)
        .where(
            Counter.digest == device,
            Counter.expires_at > now,
            Counter.failures < limits.account_stop_failures,
            _may_count(now),
        )
        .values(
            failures=failures,
            last_at=now,
            blocked_until=case((failures % limits.known_browser_failures == 0, _moment(waits)), else_=None),
        )
        .returning(*_ROW)
    )
    return _rows(db.session.execute(counted.execution_options(**_OPTIONS)).all())


def count(digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
    """Count a try for its username, its network and everybody; a kind that waits is left out of what comes back."""
    limits = settings.current().throttle
    given = {f"digest_{kind}": digests[kind] for kind in ORDER}
    ends = {
        f"end_{ACCOUNT}": now + timedelta(hours=limits.account_forget_hours),
        f"end_{NETWORK}": now + ladder.NETWORK_WINDOW,
        f"end_{NETWORK_HOUR}": now + ladder.NETWORK_LONG_WINDOW,
        f"end_{OVERALL}": now + ladder.OVERALL_WINDOW,
        "stopped_until": now + ladder.STOPPED_FOR,
        "network_waits_until": now + timedelta(seconds=limits.network_wait_seconds),
    }
    waits = {f"waits_{step}": now + wait for step, wait in ladder.account_waits(limits).items()}
    return _rows(run(_count(db.engine.dialect.name, limits), {**given, **ends, **waits, "now": now}))


def take_back(rows: Mapping[str, Row], now: datetime, *, cleared: bool) -> None:
    """Take a try back where it was counted; its username's count is cleared, if asked."""
    given: dict[str, Any] = {"now": now}
    for kind in ORDER:
        row = rows[kind]
        given |= {f"digest_{kind}": row.digest, f"began_{kind}": row.first_at, f"blocked_{kind}": row.blocked_until}
    run(_take_back(db.engine.dialect.name, settings.current().throttle, cleared=cleared), given)


def take_back_known(row: Row) -> None:
    """Take a known browser's try back, and the wait that it has brought."""
    mine = Counter.blocked_until == row.blocked_until
    taken = (
        update(Counter)
        .where(Counter.digest == row.digest, Counter.failures > 0)
        .values(failures=Counter.failures - 1, blocked_until=case((mine, None), else_=Counter.blocked_until))
    )
    db.session.execute(taken.execution_options(**_OPTIONS))


def clear_known(account: bytes, device: bytes, now: datetime) -> None:
    """Clear a known browser's count and its username's, unless that is stopped; the browser stays known for longer."""
    limits = settings.current().throttle
    is_device = Counter.digest == device
    known_until = now + timedelta(days=limits.known_browser_days)
    cleared = (
        update(Counter)
        .where(Counter.digest.in_((account, device)), or_(is_device, Counter.failures < limits.account_stop_failures))
        .values(
            failures=0,
            last_at=now,
            blocked_until=None,
            expires_at=case((is_device, _moment(known_until)), else_=_moment(now)),
        )
    )
    db.session.execute(cleared.execution_options(**_OPTIONS))


def clear(account: bytes) -> None:
    """Forget what failed at a username: in browsers that are not known, and in those that are."""
    known = update(Counter).where(Counter.owner == account).values(failures=0, blocked_until=None)
    db.session.execute(known.execution_options(**_OPTIONS))
    db.session.execute(delete(Counter).where(Counter.digest == account).execution_options(**_OPTIONS))


def forget(account: bytes) -> None:
    """Forget what failed at a username, and which browsers are known there."""
    gone = delete(Counter).where(or_(Counter.digest == account, Counter.owner == account))
    db.session.execute(gone.execution_options(**_OPTIONS))


# SQLAlchemy compiles an INSERT of several rows for every execution anew, which took longer than all else but the hash.
# So each is built once for the kind of database and the limits that stand in it; moments are parameters.
@lru_cache(maxsize=16)
def _held(how_many: int) -> Prepared[Any]:
    digests: list[BindParameter[bytes]] = [bindparam(f"digest_{number}") for number in range(how_many)]
    return Prepared(select(*_ROW).where(Counter.digest.in_(digests), Counter.expires_at > _given("now")))


@lru_cache(maxsize=16)
def _count(_dialect: str, limits: Throttle) -> Prepared[Any]:
    now = _given("now")
    counted = upsert(Counter).values([_new(kind, 1, now, _given(f"end_{kind}")) for kind in ORDER])
    given = counted.excluded
    is_over, is_account = Counter.expires_at <= now, Counter.kind == ACCOUNT
    failures = case((is_over, 1), else_=Counter.failures + 1)
    is_stopped = and_(is_account, failures >= limits.account_stop_failures)
    written = counted.on_conflict_do_update(
        index_elements=["digest"],
        set_={
            "failures": failures,
            "first_at": case((is_over, given.first_at), else_=Counter.first_at),
            "last_at": given.last_at,
            "blocked_until": _blocked_until(failures, limits),
            "expires_at": case(
                (is_stopped, _given("stopped_until")),
                (or_(is_over, is_account), given.expires_at),  # an account's next failure makes earlier ones count on
                else_=Counter.expires_at,
            ),
        },
        where=_may_count(now),
    )
    return Prepared(written.returning(*_ROW), relaxed=True)


@lru_cache(maxsize=16)
def _take_back(_dialect: str, limits: Throttle, *, cleared: bool) -> Prepared[Any]:
    """Return an INSERT: finding its rows there, it locks them in the order given, which no UPDATE of several does."""
    now = _given("now")
    mine = [
        _new(kind, 0, _given(f"began_{kind}"), now) | {"blocked_until": _given(f"blocked_{kind}")} for kind in ORDER
    ]
    taken = upsert(Counter).values(mine)
    given = taken.excluded
    is_cleared = Counter.kind == ACCOUNT if cleared else false()
    has_no_wait = or_(
        # A later try may have brought a wait since, which stays: but not where fewer are left than bring one.
        Counter.blocked_until == given.blocked_until,
        and_(Counter.kind == ACCOUNT, Counter.failures <= limits.account_failures),
    )
    written = taken.on_conflict_do_update(
        index_elements=["digest"],
        set_={
            "failures": case((is_cleared, 0), else_=Counter.failures - 1),
            "blocked_until": case((or_(is_cleared, has_no_wait), None), else_=Counter.blocked_until),
            "expires_at": case((is_cleared, now), else_=Counter.expires_at),
        },
        where=or_(is_cleared, and_(Counter.first_at == given.first_at, Counter.failures > 0)),
    )
    return Prepared(written, relaxed=True)


def _blocked_until(failures: ColumnElement[int], limits: Throttle) -> ColumnElement[datetime | None]:
    """Return until when the try after this failure waits."""
    is_account, is_hour = Counter.kind == ACCOUNT, Counter.kind == NETWORK_HOUR
    steps = list(ladder.account_waits(limits))
    return case(
        *[(and_(is_account, failures == step), _given(f"waits_{step}")) for step in steps],
        (and_(is_account, failures > steps[-1]), _given(f"waits_{steps[-1]}")),
        (and_(is_hour, failures >= limits.network_wait_failures), _given("network_waits_until")),
        else_=None,
    )


def _given(name: str) -> BindParameter[datetime]:
    return bindparam(name, type_=UtcDateTime())


def _may_count(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return or_(Counter.blocked_until.is_(None), Counter.blocked_until <= now, Counter.expires_at <= now)


def _moment(value: datetime) -> ColumnElement[datetime]:
    return literal(value, UtcDateTime())


def _rows(found: Iterable[Any]) -> dict[str, Row]:
    return {kind: Row(*rest) for kind, *rest in found}


def _new(
    kind: str, failures: int, first_at: BindParameter[datetime], expires_at: BindParameter[datetime]
) -> dict[str, Any]:
    moments = {"first_at": first_at, "last_at": first_at, "blocked_until": None, "expires_at": expires_at}
    return {"digest": bindparam(f"digest_{kind}"), "kind": kind, "failures": failures, **moments}
