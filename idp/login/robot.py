"""What a browser shows beside a password: that it is known at this username, and that no program is at work in it."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from idp import faults
from idp.accounts import usernames
from idp.captcha import providers
from idp.captcha import service as captcha
from idp.database import db
from idp.throttle import tries
from idp.throttle.ladder import Level
from idp.web import context

LOG_IN, REAUTHENTICATION = "log_in", "reauthentication"
"""What a robot check is made for; one that was passed for the first is worth nothing for the second."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came with a password that was typed."""

    device: str | None = field(default=None, repr=False)
    """The token that a browser has kept since it first logged in."""
    browser: str = field(default="", repr=False)
    """The token that a robot check is bound to."""
    robot_answer: str = field(default="", repr=False)
    """What the page's robot check has left in its form; empty where there was none."""


@dataclass(frozen=True, slots=True)
class ChallengeNeeded:
    """No password was looked at: first it has to be shown that no program is at work."""

    level: Level


def foreseen(username: str, device: str | None, now: datetime) -> Level:
    """Return how far a check has to go before a password is typed: by the username, as far as a page knows it.

    A browser that is known somewhere is not asked for its network's sake before it has said where. The page opens
    without its ledger, too: no password is looked at then.
    """
    if not username and device:
        return Level.NONE
    try:
        return tries.level(usernames.key(username) or None, now, device=device, network=context.network())
    except SQLAlchemyError as error:
        if faults.find(error) is None:
            raise
        db.session.rollback()
        return Level.NONE


def spend(evidence: Evidence, purpose: str, now: datetime) -> Level:
    """Return how far the robot check has gone that came with a password, and use it up. Does not commit.

    Where a service checks, it is asked: one that has let somebody through has seen enough for any level. One that does
    not answer leaves the page with the embedded check.
    """
    token = providers.token_in(evidence.robot_answer)
    if token is None:
        return captcha.spend(evidence.robot_answer, browser=evidence.browser, purpose=purpose, now=now)
    db.session.rollback()  # nothing is written yet, and no transaction is open while another server is asked
    is_good = providers.verify(token, context.origin().address or "", now) is True
    return Level.PICTURES if is_good else Level.NONE
