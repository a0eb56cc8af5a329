"""What a browser shows beside a password: that it is known at this username, and that no program is at work in it."""

from dataclasses import dataclass, field
from datetime import datetime

from idp.captcha import service as captcha
from idp.throttle.ladder import Level

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


def spend(evidence: Evidence, purpose: str, now: datetime) -> Level:
    """Return how far the robot check has gone that came with a password, and use it up. Does not commit."""
    return captcha.spend(evidence.robot_answer, browser=evidence.browser, purpose=purpose, now=now)
