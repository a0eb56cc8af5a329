"""What the tests of the robot check share: a browser's token, and a check that is begun and done in it."""

from datetime import UTC, datetime
from typing import Any

import altcha
import pytest
from sqlalchemy import select, update

from idp import sealing
from idp.captcha import rounds, service
from idp.captcha.models import LOG_IN, RobotCheck
from idp.captcha.rounds import Spoken, Squares
from idp.captcha.service import Begun, Checked
from idp.database import db
from idp.throttle.ladder import Level

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def mine() -> str:
    """The token of somebody's browser."""
    return sealing.random_token()


def solved(challenge: dict[str, Any]) -> str:
    """Do the work as a browser does it, and return what it sends."""
    asked = altcha.Challenge.from_dict(challenge)
    found = altcha.solve_challenge(asked)
    assert found is not None
    return str(altcha.Payload(asked, found).to_base64())


def begun(browser: str, purpose: str = LOG_IN, wanted: Level = Level.BOX, now: datetime = NOW) -> Begun:
    """Begin a check."""
    made = service.begin(purpose, wanted, browser=browser, now=now)
    assert isinstance(made, Begun)
    return made


def done(browser: str, purpose: str = LOG_IN, now: datetime = NOW) -> str:
    """Begin a check, do its work, and return the answer."""
    made = begun(browser, purpose, now=now)
    assert isinstance(service.finish_work(made.answer, solved(made.work), browser=browser, now=now), Checked)
    return made.answer


def open_task(answer: str) -> Squares | Spoken | None:
    """Return the task that is open, with what is right: it stands in the database alone."""
    db.session.rollback()
    found = db.session.scalar(select(RobotCheck.task).where(RobotCheck.digest == sealing.digest(answer)))
    return rounds.read(found or {})


def set_level(answer: str, level: Level) -> None:
    """Let a check have come to a level."""
    db.session.execute(update(RobotCheck).where(RobotCheck.digest == sealing.digest(answer)).values(level=int(level)))
    db.session.commit()


def spend(answer: str, browser: str, purpose: str = LOG_IN, now: datetime = NOW) -> Level:
    """Use an answer up."""
    worth = service.spend(answer, browser=browser, purpose=purpose, now=now)
    db.session.commit()
    return worth
