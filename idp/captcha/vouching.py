"""A check that somebody has passed in another way than by pictures: whoever calls this has made sure of that."""

from dataclasses import dataclass, field
from datetime import datetime

from idp import sealing
from idp.captcha import checks
from idp.captcha.models import RobotCheck
from idp.database import db
from idp.throttle.ladder import Level


@dataclass(frozen=True, slots=True)
class Vouched:
    """An answer that is good for one log-in, until this moment."""

    answer: str = field(repr=False)
    until: datetime


def vouch(purpose: str, *, browser: str, now: datetime) -> Vouched:
    """Put a check down as passed, for one browser and purpose; it is worth what pictures are. Does not commit."""
    answer, until = sealing.random_token(), now + checks.lifetime()
    db.session.add(
        RobotCheck(
            digest=sealing.digest(answer),
            browser_digest=sealing.digest(browser),
            purpose=purpose,
            wanted=Level.PICTURES,
            level=Level.PICTURES,
            work_secret="",
            begun_at=now,
            expires_at=until,
        )
    )
    return Vouched(answer, until)
