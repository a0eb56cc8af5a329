"""Writing a security event, in the transaction of what it tells."""

import json
import uuid
from typing import Any

from sqlalchemy import insert

from idp import clock, settings
from idp.audit import chain
from idp.audit.models import AuditEvent
from idp.database import db, new_id
from idp.web.context import origin

SUCCESS, FAILURE = "success", "failure"

_INSERT = insert(AuditEvent)


def record(
    event: str,
    outcome: str = SUCCESS,
    *,
    actor_id: uuid.UUID | None = None,
    account_id: uuid.UUID | None = None,
    client_id: str | None = None,
    **details: Any,
) -> None:
    """Write one event without secrets; it stands or falls with the caller's transaction. Does not commit."""
    came_from = origin()
    row = {
        "id": new_id(),
        "at": clock.now(),
        "event": event,
        "outcome": outcome,
        "actor_id": actor_id,
        "account_id": account_id,
        "client_id": client_id,
        "source": came_from.source,
        "address": came_from.address,
        "request_id": came_from.request_id,
        "details": json.loads(json.dumps(details, default=str)),
    }
    row["mac"] = chain.event_mac(settings.current().secrets.audit_keys[0], row)
    db.session.execute(_INSERT, row)
