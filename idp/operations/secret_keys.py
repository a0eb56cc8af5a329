"""Which keys of [secrets] the nodes have and use, and what in the database needs each of them."""

import enum
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from idp import sealing, settings
from idp.accounts.models import Account
from idp.audit.models import AuditEvent, AuditSeal
from idp.database import RELAXED, db, upsert
from idp.mail.models import OutboxMessage
from idp.oidc import keys as signing_keys
from idp.oidc.models import SigningKey
from idp.operations.models import SecretKey
from idp.settings import NamedKey, Secrets

WRAPPING, PEPPER, AUDIT = "wrapping", "pepper", "audit"
SETTINGS = {WRAPPING: "wrapping_keys", PEPPER: "peppers", AUDIT: "audit_keys"}
"""The setting of each kind."""


class Trouble(enum.StrEnum):
    """How a node's key differs from what the others have."""

    MISSING = "missing"
    OTHER_VALUE = "other value"


@dataclass(frozen=True, slots=True)
class Difference:
    """A key that this process has not, although it is used, or has with another value than everybody else."""

    kind: str
    name: str
    trouble: Trouble


def of_kind(secrets: Secrets, kind: str) -> tuple[NamedKey, ...]:
    """Return the keys of one kind, the used one first."""
    keys: tuple[NamedKey, ...] = getattr(secrets, SETTINGS[kind])
    return keys


def note(now: datetime) -> None:
    """Write down which keys this process has and which it uses, if that is not there yet. Commits."""
    rows = known()
    for kind in SETTINGS:
        for key in of_kind(settings.current().secrets, kind):
            if (kind, key.name) not in rows:
                row = {"kind": kind, "name": key.name, "check_value": _check_value(kind, key), "first_seen_at": now}
                db.session.execute(upsert(SecretKey).values(row).on_conflict_do_nothing(), execution_options=RELAXED)
        used = of_kind(settings.current().secrets, kind)[0].name
        last = rows[kind, used].last_used_at if (kind, used) in rows else None
        if last is None or last <= now - _noted_every():
            chosen = (SecretKey.kind == kind) & (SecretKey.name == used)
            db.session.execute(update(SecretKey).where(chosen).values(last_used_at=now), execution_options=RELAXED)
    db.session.commit()


def known() -> dict[tuple[str, str], SecretKey]:
    """Return every key that some node has or had, by kind and name."""
    return {(row.kind, row.name): row for row in db.session.scalars(select(SecretKey))}


def differences(now: datetime, since: datetime | None = None) -> list[Difference]:
    """Tell where this process's keys differ from those that others use now: it can't read what they seal.

    Of a key that is missing here it counts whether others have used it after a moment, such as when this process
    took over a list without it; without one, whether they have in the last minutes.
    """
    own = {
        (kind, key.name): _check_value(kind, key)
        for kind in SETTINGS
        for key in of_kind(settings.current().secrets, kind)
    }
    used_after = max(now - 3 * _noted_every(), since or now - 3 * _noted_every())
    found = []
    for place, row in sorted(known().items()):
        if place not in own and row.last_used_at is not None and row.last_used_at > used_after:
            found.append(Difference(row.kind, row.name, Trouble.MISSING))
        elif place in own and own[place] != row.check_value:
            found.append(Difference(row.kind, row.name, Trouble.OTHER_VALUE))
    return found


def is_new(kind: str, now: datetime) -> bool:
    """Tell whether the used key may not have reached every process yet: nothing at rest should be sealed by it."""
    rows = [row for row in known().values() if row.kind == kind]
    name = of_kind(settings.current().secrets, kind)[0].name
    since = min((row.first_seen_at for row in rows if row.name == name), default=now)
    others_before = any(row.name != name and row.first_seen_at < since for row in rows)
    return others_before and since > now - signing_keys.activation_margin()


def needs(kind: str) -> dict[str, dict[str, int]]:
    """Return for each key, by its name, how many rows of what can't be read or verified without it."""
    counted: dict[str, Counter[str]] = {}
    for names, what, rows in _NEEDS[kind]():
        for name in names - {None, ""}:
            counted.setdefault(name, Counter())[what] += rows
    return {name: dict(counts) for name, counts in counted.items()}


def told(needed_by: Mapping[str, int]) -> str:
    """Return what needs a key in words: `3 signing keys`."""
    return ", ".join(f"{rows} {what}" for what, rows in needed_by.items())


def free_from(kind: str, row: SecretKey | None) -> datetime | None:
    """Return when pages that are open in browsers no longer need a wrapping key; None if it never sealed any."""
    if kind != WRAPPING or row is None or row.last_used_at is None:
        return None
    return row.last_used_at + timedelta(hours=settings.current().tokens.request_at_login_hours)


def _check_value(kind: str, key: NamedKey) -> bytes:
    return sealing.check_value(key, kind)


def _noted_every() -> timedelta:
    """Return how exact last_used_at is: a minute, by default."""
    return 6 * signing_keys.reread_interval()


Needs = Iterator[tuple[set[str], str, int]]


def _of_wrapping_keys() -> Needs:
    for (sealed,) in db.session.execute(select(SigningKey.sealed_private_jwk)):
        yield {sealing.key_name(sealed)}, "signing keys", 1
    message = _before(OutboxMessage.sealed_content, ".")
    sealed_messages = select(message, func.count()).where(OutboxMessage.sealed_content.is_not(None)).group_by(message)
    for name, rows in db.session.execute(sealed_messages):
        yield {name}, "messages", rows


def _of_peppers() -> Needs:
    pepper = _before(Account.password_hash, "$")
    for name, rows in db.session.execute(select(pepper, func.count()).group_by(pepper)):
        yield {name}, "passwords", rows


def _of_audit_keys() -> Needs:
    event, place = _before(AuditEvent.mac, "."), _before(AuditEvent.position_mac, ".")
    for name, place_name, rows in db.session.execute(select(event, place, func.count()).group_by(event, place)):
        yield {name, place_name}, "security events", rows
    seal = _before(AuditSeal.mac, ".")
    for name, rows in db.session.execute(select(seal, func.count()).group_by(seal)):
        yield {name}, "seals on them", rows


_NEEDS: Mapping[str, Any] = {WRAPPING: _of_wrapping_keys, PEPPER: _of_peppers, AUDIT: _of_audit_keys}


def _before(column: "InstrumentedAttribute[str] | InstrumentedAttribute[str | None]", sign: str) -> ColumnElement[str]:
    """Return what stands before a sign, on both databases."""
    if db.engine.dialect.name == "sqlite":
        return func.substr(column, 1, func.instr(column, sign) - 1)
    return func.split_part(column, sign, 1)
