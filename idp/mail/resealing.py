"""Sealing what waits in the outbox anew after the wrapping key was changed, so that the old one can be taken away."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Row, Table, select, update

from idp import sealing, settings
from idp.database import db
from idp.mail.models import OutboxMessage
from idp.mail.service import PURPOSE

_OUTBOX = cast("Table", OutboxMessage.__table__)
_AT_ONCE = 200


def reseal() -> int:
    """Seal every message that can be opened by the wrapping key that is used now, and return how many were.

    Safe to repeat and to break off: it commits every so many. What can't be opened is given up when it is due.
    """
    used, count, after = settings.current().secrets.wrapping_keys[0].name, 0, None
    while rows := _next(after):
        after = rows[-1].id
        count += sum(_sealed_anew(row) for row in rows if sealing.key_name(row.sealed_content) != used)
        db.session.commit()
    return count


def _next(after: object) -> Sequence[Row[object, str]]:
    chosen = select(_OUTBOX.c.id, _OUTBOX.c.sealed_content).where(_OUTBOX.c.sealed_content.is_not(None))
    if after is not None:
        chosen = chosen.where(_OUTBOX.c.id > after)
    return db.session.execute(chosen.order_by(_OUTBOX.c.id).limit(_AT_ONCE)).all()


def _sealed_anew(row: Row[object, str]) -> bool:
    try:
        anew = sealing.seal(PURPOSE, sealing.open_sealed(PURPOSE, row.sealed_content))
    except sealing.CannotOpen:
        return False
    # Only what was read is replaced: the worker may have delivered it meanwhile, and wiped what it said.
    same = (_OUTBOX.c.id == row.id) & (_OUTBOX.c.sealed_content == row.sealed_content)
    changed = db.session.execute(update(_OUTBOX).where(same).values(sealed_content=anew).returning(_OUTBOX.c.id))
    return changed.first() is not None
