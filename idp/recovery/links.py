"""Opening a mailed link: whoever opens wrong ones from one network too often has to wait (PR21)."""

from collections.abc import Callable
from datetime import datetime

from idp.database import db
from idp.recovery import tokens
from idp.recovery.tokens import Live
from idp.throttle import service as throttle
from idp.throttle.rules import WRONG_LINKS, Wait
from idp.web import metrics
from idp.web.context import network


def find(purpose: str, token: str, now: datetime) -> Live | Wait | None:
    """Return what a link is for, if it is still good; it spends nothing. A wrong one is counted and committed."""
    return _counted(tokens.find, purpose, token, now)


def spend(purpose: str, token: str, now: datetime) -> Live | Wait | None:
    """Use a link up, for the caller to commit. A wrong one is counted and committed."""
    return _counted(tokens.spend, purpose, token, now)


def _counted(
    use: Callable[[str, str, datetime], Live | None], purpose: str, token: str, now: datetime
) -> Live | Wait | None:
    until = throttle.blocked_until(WRONG_LINKS, network(), now)
    if until is not None:
        metrics.count_refusal("throttle", WRONG_LINKS)
        return Wait(until)
    found = use(purpose, token, now) if token else None
    if found is None:
        throttle.reserve(WRONG_LINKS, network(), now)
        db.session.commit()
    return found
