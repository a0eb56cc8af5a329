"""The outbox's inside: what is to be sent is a row in the caller's own transaction."""

import json
import re
import uuid
from dataclasses import asdict
from datetime import datetime
from typing import Any

from idp import sealing, settings
from idp.database import db
from idp.ids import new_id
from idp.mail import composing
from idp.mail.composing import Content
from idp.mail.models import OutboxMessage

PURPOSE = "mail"
_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]+@[^\s\x00-\x20\x7f<>()\[\],;:\\\"@]+")
"""Whatever was checked where it was typed: an address that could hold two, or a header, never gets into the outbox."""


def send(
    kind: str,
    recipient: str,
    *,
    now: datetime,
    language: str | None = None,
    account_id: uuid.UUID | None = None,
    useful_until: datetime | None = None,
    **values: Any,
) -> OutboxMessage:
    """Write a message to one address; it leaves once the caller's transaction is committed. Does not commit.

    Kind names the template below templates/emails, and values are what it tells. Raises ValueError for what is no
    single address. A language that the district does not offer gives its first one. From useful_until on nobody sends
    it: its link would be dead.
    """
    if not is_address(recipient):
        raise ValueError("this is no single address")
    offered = settings.current().district.languages
    language = language if language in offered else offered[0]
    content = composing.compose(kind, language, values)
    message = OutboxMessage(
        id=new_id(),
        kind=kind,
        recipient=recipient,
        account_id=account_id,
        language=language,
        subject=content.subject,
        sealed_content=seal(content),
        message_id=f"<{sealing.random_token()}@{_domain()}>",
        created_at=now,
        due_at=now,
        useful_until=useful_until,
    )
    db.session.add(message)
    return message


def is_address(text: str) -> bool:
    """Tell whether a message can be written to this: one address, and nothing that could be read as more."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


def seal(content: Content) -> str:
    """Encrypt what a message says."""
    return sealing.seal(PURPOSE, json.dumps(asdict(content)).encode())


def opened(message: OutboxMessage) -> Content | None:
    """Return what a message says; None once that is gone. Raises sealing.CannotOpen for a key that is gone."""
    if message.sealed_content is None:
        return None
    return Content(**json.loads(sealing.open_sealed(PURPOSE, message.sealed_content)))


def _domain() -> str:
    return settings.current().mail.sender.rpartition("@")[2] or "localhost"
