"""The ledger of all that is tried but passwords (throttle/tries.py): mails, links, codes, secrets. It never commits.

A try is reserved before it is judged, so that parallel guesses share one budget.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Delete, Insert, Update, delete, select, update

from idp import batches, settings
from idp.database import RELAXED, db, upsert
from idp.throttle import rules
from idp.throttle.models import Counter
from idp.throttle.rules import Count, Wait
from idp.web import metrics

_COUNT = (Counter.failures, Counter.first_at, Counter.last_at, Counter.blocked_until, Counter.expires_at)


@dataclass(frozen=True, slots=True)
class Reserved:
    """One try that may be judged now. It counts unless it is released."""

    kind: str
    digest: bytes
    count: Count
    """What the ledger held when it was reserved."""


def reserve(kind: str, subject: str, now: datetime) -> Reserved | Wait:
    """Take one try from a subject's budget, or say how long to wait. The caller commits before the try is judged.

    The rule is a pure function over what the ledger holds; its result is written only where the ledger still holds
    that (compare and swap), so that it stays exact however many ask at once. One that waits writes nothing.
    """
    rule = rules.rule_for(kind, settings.current())
    digest = _digest(kind, subject)
    while True:
        before = _find(digest)
        after = rules.reserve(before, now, rule)
        if isinstance(after, Wait):
            metrics.count_refusal("throttle", kind)
            return after
        # Whoever loses the swap was overtaken by another try, and a handful of those spends the budget: the loop ends.
        if _swap(kind, digest, before, after):
            return Reserved(kind, digest, after)


def release(reserved: Reserved) -> None:
    """Take back a try that was not judged after all: it counts as neither failure nor success."""
    rule = rules.rule_for(reserved.kind, settings.current())
    while (before := _find(reserved.digest)) is not None:
        after = rules.release(before, reserved.count, rule)
        if after is None:
            done = _remove(reserved.digest, before)
        else:
            done = after == before or _swap(reserved.kind, reserved.digest, before, after)
        if done:
            return


def blocked_until(kind: str, subject: str, now: datetime) -> datetime | None:
    """Return until when a subject's tries have to wait; None when they need not."""
    count = _find(_digest(kind, subject))
    until = count.blocked_until if count is not None and count.expires_at > now else None
    return until if until is not None and until > now else None


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete counters that no longer count, up to limit at once; yield how many went."""
    yield from batches.delete_older(Counter.digest, Counter.expires_at, now, limit)


def _find(digest: bytes) -> Count | None:
    row = db.session.execute(select(*_COUNT).where(Counter.digest == digest)).first()
    return None if row is None else Count(*row)


def _swap(kind: str, digest: bytes, before: Count | None, after: Count) -> bool:
    """Write what the ledger is to hold, if it still holds what was read; tell whether it did."""
    values = asdict(after)
    statement: Insert | Update
    if before is None:
        row = upsert(Counter).values(digest=digest, kind=kind, **values)
        statement = row.on_conflict_do_nothing(index_elements=["digest"])
    else:
        statement = update(Counter).where(*_unchanged(digest, before)).values(values)
    return _is_done(statement)


def _remove(digest: bytes, before: Count) -> bool:
    return _is_done(delete(Counter).where(*_unchanged(digest, before)))


def _unchanged(digest: bytes, before: Count) -> tuple[ColumnElement[bool], ...]:
    return (Counter.digest == digest, Counter.failures == before.failures, Counter.last_at == before.last_at)


def _is_done(statement: Insert | Update | Delete) -> bool:
    options = {**RELAXED, "synchronize_session": False}
    return db.session.execute(statement.returning(Counter.failures).execution_options(**options)).first() is not None


def _digest(kind: str, subject: str) -> bytes:
    return hashlib.sha256(f"{kind}:{subject}".encode("utf-8", "surrogatepass")).digest()
