"""Letting go of requests that were closed long ago, with all that was noted on them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from idp import batches, settings
from idp.support.models import Ticket


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete closed requests that are past their time, up to limit at once; yield how many went. Does not commit."""
    old = now - timedelta(days=settings.current().support.keep_days)
    yield from batches.delete_older(Ticket.id, Ticket.closed_at, old, limit)
