"""Writing a security event, in the transaction of what it tells."""

import json
import uuid
from typing import Any, cast

from sqlalchemy import Table, insert

from idp import clock, settings
from idp.audit import chain
from idp.audit.models import AuditEvent
from idp.database import run
from idp.ids import new_id
from idp.statements import Prepared
from idp.web.context import origin

SUCCESS, FAILURE = "success", "failure"

_INSERT = Prepared(insert(cast("Table", AuditEvent.__table__)))


def record(
    event: str,
    outcome: str = SUCCESS,
    *,
    actor_id: uuid.UUID | None = None,
    account_id: uuid.UUID | None = None,
    client_id: str | None = None,
    address: str | None = None,
    **details: Any,
) -> None:
    """Write one event without secrets; it stands or falls with the caller's transaction. Does not commit.

    An address is named where it is not the request's own: the person's, while an application's server asks.
    """
    came_from = origin()
    row = {
        "id": new_id(),
        "at": clock.now(),
        "event": event,
        "outcome": outcome,
        "actor_id": actor_id,
        "account_id": account_id,
        "client_id": _storable(client_id, 100),
        "source": came_from.source,
        "address": _storable(came_from.address if address is None else address, 50),
        "request_id": _storable(came_from.request_id, 50),
        # As the database will give it back, or the digest would not match what is read.
        "details": details if all(type(value) is str for value in details.values()) else _plain(details),
    }
    row["mac"] = chain.mac(settings.current().secrets.audit_keys[0], chain.event_content(row))
    run(_INSERT, row)


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(details, default=str))
    return plain


def _storable(text: str | None, longest: int) -> str | None:
    """Return what PostgreSQL's columns take: an event must never be lost for what a stranger has sent."""
    return None if text is None else text.replace("\0", "\ufffd")[:longest]
