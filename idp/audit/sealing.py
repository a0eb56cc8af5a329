"""Sealing what was written, batch by batch, so that writers never wait for each other.

An event gets its keyed digest when it is written and its place when it is sealed; the order of commits does not
matter, since whatever has no place yet is due. Any number of workers may seal: a seal's number is taken once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, desc, select, update

from idp import settings
from idp.audit import chain
from idp.audit.models import AuditEvent, AuditHead, AuditSeal
from idp.database import db, upsert

BATCH = 500

_SEALS = cast("Table", AuditSeal.__table__)
_EVENTS = cast("Table", AuditEvent.__table__)
_NEWEST = select(_SEALS).order_by(desc(_SEALS.c.number)).limit(1)
_DUE = select(_EVENTS.c.id, _EVENTS.c.mac).where(_EVENTS.c.position.is_(None)).order_by(_EVENTS.c.id)
_PLACE = (
    update(_EVENTS)
    .where(_EVENTS.c.id == bindparam("event_id"), _EVENTS.c.position.is_(None))
    .values(position=bindparam("place"), position_mac=bindparam("place_mac"))
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that was set: what to keep elsewhere, so that nobody can cut the chain off unseen."""

    number: int
    last_position: int
    events: int
    mac: str

    @property
    def head(self) -> str:
        """Return what `idp audit verify --head` takes."""
        return f"{self.number}:{self.mac}"


def seal_next(now: datetime, limit: int = BATCH) -> Sealed | None:
    """Seal up to limit events that have no place yet; None when there are none or another worker was first.

    Does not commit.
    """
    newest = newest_seal()
    # Read after the newest seal: what another worker seals between the two takes the number that this one will want.
    events = db.session.execute(_DUE.limit(limit)).all()
    if not events:
        return None
    return _set_seal(newest, [tuple(event) for event in events], _removed(newest), now)


def set_checkpoint(removed_through: int, now: datetime) -> Sealed | None:
    """Seal an empty batch that says how far retention takes events away. Does not commit."""
    newest = newest_seal()
    return _set_seal(newest, [], max(removed_through, _removed(newest)), now)


def newest_seal() -> dict[str, Any] | None:
    """Return the seal at the end of the chain."""
    row = db.session.execute(_NEWEST).mappings().first()
    return None if row is None else dict(row)


def _removed(newest: dict[str, Any] | None) -> int:
    return 0 if newest is None else int(newest["removed_through"])


def _set_seal(newest: dict[str, Any] | None, events: list[Any], removed_through: int, now: datetime) -> Sealed | None:
    key = settings.current().secrets.audit_keys[0]
    first = 1 if newest is None else newest["last_position"] + 1
    seal: dict[str, Any] = {
        "number": 1 if newest is None else newest["number"] + 1,
        "first_position": first,
        "last_position": first + len(events) - 1,
        "events_digest": chain.events_digest(events),
        "removed_through": removed_through,
        "sealed_at": now,
        "previous_mac": "" if newest is None else newest["mac"],
    }
    seal["mac"] = chain.mac(key, chain.seal_content(seal))
    # The seal comes before the places: of two workers, the second waits here and then finds the number taken.
    taken = upsert(AuditSeal).values(seal).on_conflict_do_nothing().returning(_SEALS.c.number)
    if db.session.execute(taken).scalar() is None:
        return None
    places = [
        {
            "event_id": event_id,
            "place": first + index,
            "place_mac": chain.mac(key, chain.position_content(first + index, event_id, mac)),
        }
        for index, (event_id, mac) in enumerate(events)
    ]
    if places and db.session.connection().execute(_PLACE, places).rowcount != len(places):
        raise RuntimeError("an event that was due has a place already")
    _move_head(seal)
    return Sealed(seal["number"], seal["last_position"], len(events), seal["mac"])


def _move_head(seal: dict[str, Any]) -> None:
    key = settings.current().secrets.audit_keys[0]
    head = {name: seal[name] for name in ("number", "last_position", "removed_through")}
    head["mac"] = chain.mac(key, chain.head_content(head, seal["mac"]))
    row = upsert(AuditHead).values(id=1, **head)
    db.session.execute(row.on_conflict_do_update(index_elements=["id"], set_=head))
