"""Letting go of messages that nobody asks after any more."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from idp import batches, settings
from idp.mail.models import OutboxMessage


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete messages that were done with long ago, up to limit at once; yield how many went. Does not commit."""
    old = now - timedelta(days=settings.current().mail.keep_days)
    yield from batches.delete_older(OutboxMessage.id, OutboxMessage.settled_at, old, limit)
