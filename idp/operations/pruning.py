"""Letting go of what is past its time, feature by feature, in small batches: cost must not grow with history."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

from idp.audit import retention
from idp.captcha import checks as captcha
from idp.database import commit
from idp.mail import pruning as mail
from idp.oidc import store as oidc
from idp.recovery import forgotten_questions, tokens
from idp.sessions import pruning as sessions
from idp.support import pruning as support
from idp.throttle import service as throttle

BATCH = 500
_PAUSE_SECONDS = 0.02
"""Between two batches, so that on SQLite others get to write, too."""

FEATURES: tuple[tuple[str, Callable[[datetime, int], Iterator[int]]], ...] = (
    ("throttle counters", throttle.delete_expired),
    ("robot checks", captcha.delete_expired),
    # Codes and tokens go before the sessions in which they were issued.
    ("codes and tokens", oidc.delete_expired),
    ("sessions and notices", sessions.delete_expired),
    ("messages", mail.delete_expired),
    ("links and codes", tokens.delete_expired),
    ("unanswered questions", forgotten_questions.delete_expired),
    ("requests for support", support.delete_expired),
    ("audit events", retention.delete_expired),
)
"""What is let go of, in this order, and by what: it yields after each batch, which the caller commits."""


def prune(
    now: datetime,
    progress: Callable[[str, int], None] = lambda _what, _gone: None,
    stopping: threading.Event | None = None,
    batch: int = BATCH,
) -> dict[str, int]:
    """Delete whatever has expired and return how much of each went. Commits after each batch.

    It may be stopped, or killed, at any moment: the next run goes on with what is left.
    """
    stopping = stopping or threading.Event()
    counts = dict.fromkeys((name for name, _delete in FEATURES), 0)
    for name, delete_expired in FEATURES:
        for gone in delete_expired(now, batch):
            commit()
            if gone:
                counts[name] += gone
                progress(name, counts[name])
            if stopping.wait(_PAUSE_SECONDS):
                return counts
    return counts
