"""The ledger: a try is reserved before it is judged, so that parallel guesses share one budget. It never commits."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Insert, Update, delete, select, update

from idp import settings
from idp.database import RELAXED, db, upsert
from idp.throttle import rules
from idp.throttle.models import Counter
from idp.throttle.rules import Count, Wait
from idp.web import metrics

_COUNT = (Counter.failures, Counter.first_at, Counter.last_at, Counter.blocked_until, Counter.expires_at)


@dataclass(frozen=True, slots=True)
class Reserved:
    """One try that may be judged now. It counts as failed until it is settled."""

    kind: str
    digest: bytes


def reserve(kind: str, subject: str, now: datetime) -> Reserved | Wait:
    """Take one try from a subject's budget, or say how long to wait. The caller commits before the try is judged.

    The rule is a pure function over what the ledger holds; its result is written only where the ledger still holds
    that (compare and swap), so that it stays exact however many ask at once. One that waits writes nothing.
    """
    rule = rules.rule_for(kind, settings.current().throttle)
    digest = _digest(kind, subject)
    while True:
        before = _find(digest)
        after = rules.reserve(before, now, rule)
        if isinstance(after, Wait):
            metrics.count_refusal("throttle", kind)
            return after
        # Whoever loses the swap was overtaken by another try, and a handful of those spends the budget: the loop ends.
        if _swap(kind, digest, before, after):
            return Reserved(kind, digest)


def settle(reserved: Reserved, *, succeeded: bool) -> None:
    """Say how a reserved try ended. A failure is counted already; a success wipes out what failed before."""
    if succeeded:
        db.session.execute(delete(Counter).where(Counter.digest == reserved.digest).execution_options(**RELAXED))


def delete_expired(now: datetime, limit: int) -> int:
    """Delete up to limit counters that no longer count; return how many went."""
    old = select(Counter.digest).where(Counter.expires_at <= now).limit(limit)
    deleted = db.session.execute(
        delete(Counter)
        .where(Counter.digest.in_(old), Counter.expires_at <= now)
        .returning(Counter.digest)
        .execution_options(**RELAXED, synchronize_session=False)
    )
    return len(deleted.all())


def _find(digest: bytes) -> Count | None:
    row = db.session.execute(select(*_COUNT).where(Counter.digest == digest)).first()
    return None if row is None else Count(*row)


def _swap(kind: str, digest: bytes, before: Count | None, after: Count) -> bool:
    values = asdict(after)
    statement: Insert | Update
    if before is None:
        row = upsert(Counter).values(digest=digest, kind=kind, **values)
        statement = row.on_conflict_do_nothing(index_elements=["digest"])
    else:
        unchanged = (Counter.failures == before.failures, Counter.last_at == before.last_at)
        statement = update(Counter).where(Counter.digest == digest, *unchanged).values(values)
    options = {**RELAXED, "synchronize_session": False}
    return db.session.execute(statement.returning(Counter.failures).execution_options(**options)).first() is not None


def _digest(kind: str, subject: str) -> bytes:
    return hashlib.sha256(f"{kind}:{subject}".encode("utf-8", "surrogatepass")).digest()
