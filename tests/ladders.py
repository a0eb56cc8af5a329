"""The throttle's ladder in tests: settings without the robot checks, and tries that fail."""

from dataclasses import replace

from idp import clock
from idp.accounts import usernames
from idp.database import db
from idp.settings import Settings, Throttle
from idp.throttle import tries
from idp.throttle.ladder import Level
from idp.throttle.rules import LOG_IN
from idp.throttle.tries import Tried

WITHOUT_ROBOT_CHECKS = Throttle(
    account_robot_failures=100,  # by then the password is stopped
    account_pictures_failures=100,
    network_robot_failures=10**6,
    network_pictures_failures=10**6,
    network_wait_failures=10**6,
    overall_robot_failures=10**7,
)


def without_robot_checks(settings: Settings) -> Settings:
    """Let wrong passwords bring a wait, and no robot check."""
    return replace(settings, throttle=WITHOUT_ROBOT_CHECKS)


def fail(username: str, times: int = 5, network: str = "203.0.113.9") -> None:
    """Let a stranger's tries at a username fail so often, at once, whatever robot checks they have to pass."""
    for _ in range(times):
        outcome = tries.reserve(
            LOG_IN, usernames.key(username), clock.now(), device=None, network=network, answered=Level.PICTURES
        )
        assert isinstance(outcome, Tried), outcome
        db.session.commit()
