"""Browsers that have logged in to an account before: rows of the ledger, and never on a shared computer.

A browser keeps one random token, and is known only at usernames where its password was right. So a stolen cookie gives
some more tries at one username and nothing else, and an account of one's own gives none at another's.
"""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from idp import settings
from idp.database import RELAXED, db, upsert
from idp.throttle.models import Counter

KNOWN_BROWSER = "known_browser"
_OPTIONS = {**RELAXED, "synchronize_session": False}


def digest(device: str, subject: str) -> bytes:
    """Return the name by which the ledger knows a browser at one username_key."""
    return hashlib.sha256(f"{KNOWN_BROWSER}:{device} {subject}".encode("utf-8", "surrogatepass")).digest()


def remember(device: str, subject: str, owner: bytes, now: datetime) -> None:
    """Let a browser be known at a username; the one that was used longest ago makes room. Its account is locked.

    The owner is the ledger's name of the username. Does not commit.
    """
    limits = settings.current().throttle
    expires_at = now + timedelta(days=limits.known_browser_days)
    again = {"failures": 0, "last_at": now, "blocked_until": None, "expires_at": expires_at}
    row = upsert(Counter).values(digest=digest(device, subject), kind=KNOWN_BROWSER, first_at=now, owner=owner, **again)
    db.session.execute(row.on_conflict_do_update(index_elements=["digest"], set_=again).execution_options(**_OPTIONS))
    by_age = select(Counter.digest).where(Counter.owner == owner).order_by(Counter.last_at.desc())
    too_many = delete(Counter).where(Counter.digest.in_(by_age.offset(limits.known_browsers)))
    db.session.execute(too_many.execution_options(**_OPTIONS))
