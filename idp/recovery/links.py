"""Opening a mailed link: whoever opens wrong ones from one network too often has to wait (PR21).

A link that is good opens all the same: nobody guesses one, and a whole school may share a network with somebody who
tries.
"""

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
    found = use(purpose, token, now) if token else None
    if found is not None or not token:
        return found
    reserved = throttle.reserve(WRONG_LINKS, network(), now)
    db.session.commit()
    if isinstance(reserved, Wait):
        metrics.count_refusal("throttle", WRONG_LINKS)
        return reserved
    return None
