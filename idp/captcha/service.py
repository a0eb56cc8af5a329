"""A check from its beginning to the one log-in that it is good for. Its functions commit, but for spend()."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import update

from idp import sealing, settings
from idp.captcha import checks, work
from idp.captcha.models import RobotCheck
from idp.database import RELAXED, db
from idp.throttle import service as throttle
from idp.throttle.ladder import Level
from idp.throttle.rules import ROBOT_CHECKS_IN_ALL, ROBOT_CHECKS_NETWORK, Wait
from idp.web import context, metrics

BOX = "box"
"""What the metrics call a check as far as the browser's work."""
_MOST_EXTENSIONS = 10
"""WCAG 2.2 success criterion 2.2.1: whoever needs more time gets it ten times."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A check was begun: the browser has to do this work, or its person a task."""

    answer: str = field(repr=False)
    work: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """The box is checked, until this moment: the answer is good for one log-in."""

    until: datetime


@dataclass(frozen=True, slots=True)
class TaskNeeded:
    """The work is done, and a task is to follow."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such check in this browser: it was never begun here, has run out, was used, or went wrong."""


@dataclass(frozen=True, slots=True)
class Extended:
    """There is more time, until this moment."""

    until: datetime


def begin(purpose: str, wanted: Level, *, browser: str, now: datetime) -> Begun | Wait:
    """Begin a check in one browser, for one purpose. Commits.

    A check costs the server two counters and a row; the more of them a network begins, the more it has to compute.
    """
    by_network = throttle.reserve(ROBOT_CHECKS_NETWORK, context.network(), now)
    if isinstance(by_network, Wait):
        db.session.commit()
        return by_network
    in_all = throttle.reserve(ROBOT_CHECKS_IN_ALL, "", now)
    tries = work.tries(
        by_network.count.failures,
        0 if isinstance(in_all, Wait) else in_all.count.failures,
        settings.current().robot_check,
    )
    answer, work_secret = sealing.random_token(), sealing.random_token()
    db.session.add(
        RobotCheck(
            digest=sealing.digest(answer),
            browser_digest=sealing.digest(browser),
            purpose=purpose,
            wanted=max(wanted, Level.BOX),
            work_secret=work_secret,
            begun_at=now,
            expires_at=now + checks.lifetime(),
        )
    )
    db.session.commit()
    metrics.count_robot_check(BOX, "begun")
    return Begun(answer, work.draw(work_secret, tries, secrets.randbelow(tries)))


def finish_work(answer: str, payload: str, *, browser: str, now: datetime) -> Checked | TaskNeeded | Gone:
    """Take the browser's proof of work: with it the box is checked, unless pictures are wanted. Commits."""
    found = checks.find(answer, browser, now)
    if found is None or not work.is_done(payload, found.work_secret):
        db.session.commit()
        metrics.count_robot_check(BOX, "failed")
        return Gone()
    level, until = max(found.level, Level.BOX), now + checks.lifetime()
    # The secret goes, so that one work is done once, and cannot make an answer last.
    is_mine = checks.change(found, level=int(level), expires_at=until, work_secret="")
    db.session.commit()
    if not is_mine:
        return Gone()
    metrics.count_robot_check(BOX, "passed")
    return Checked(until) if level >= found.wanted else TaskNeeded()


def extend(answer: str, *, browser: str, now: datetime) -> Extended | Gone:
    """Give somebody more time, for a task or for typing what comes after it. Commits."""
    found = checks.find(answer, browser, now)
    until = now + checks.lifetime()
    is_extended = (
        found is not None
        and found.extended < _MOST_EXTENSIONS
        and checks.change(found, extended=found.extended + 1, expires_at=until)
    )
    db.session.commit()
    return Extended(until) if is_extended else Gone()


def checked(answer: str, *, browser: str, purpose: str, now: datetime, level: Level = Level.BOX) -> Checked | None:
    """Return until when an answer is good that has come this far, without using it up; None when it is not."""
    found = checks.find(answer, browser, now) if answer else None
    is_good = found is not None and found.purpose == purpose and found.level >= max(found.wanted, level)
    return Checked(found.expires_at) if found and is_good else None


def spend(answer: str, *, browser: str, purpose: str, now: datetime) -> Level:
    """Use an answer up and return what it is worth; nothing when it is anybody else's, of another purpose, or too old.

    One statement decides, so that of any number of tries with one answer a single one gets it. It does not commit: the
    caller does, before anything comes of it.
    """
    spent = db.session.execute(
        update(RobotCheck)
        .where(
            RobotCheck.digest == sealing.digest(answer),
            RobotCheck.browser_digest == sealing.digest(browser),
            RobotCheck.purpose == purpose,
            RobotCheck.level > 0,
            RobotCheck.spent_at.is_(None),
            RobotCheck.expires_at > now,
        )
        .values(spent_at=now)
        .returning(RobotCheck.level)
        .execution_options(**RELAXED, synchronize_session=False)
    ).first()
    return Level.NONE if spent is None else Level(spent.level)
