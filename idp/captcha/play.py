"""The tasks of a check: shown, answered, and followed by the next one. Its functions commit."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from idp import settings
from idp.captcha import checks, drawing, rounds, speech
from idp.captcha.checks import Check
from idp.captcha.rounds import SPOKEN, Finished, Next, Over, Progress, Squares
from idp.captcha.rounds import Spoken as Heard
from idp.captcha.service import Checked, Gone
from idp.database import db
from idp.throttle import service as throttle
from idp.throttle.ladder import Level
from idp.throttle.rules import ROBOT_TASKS_NETWORK, Wait
from idp.web import context, metrics

_RIGHT_AGAIN = 1 / 3
"""How often a new square has what is looked for."""
_MOST_CHOSEN = 30
"""How many squares of one task are replaced at all."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """A task with pictures, as it is shown."""

    round: int
    until: datetime
    kind: str
    tiles: tuple[bytes, ...] = field(repr=False)
    is_replacing: bool
    is_after_a_wrong_answer: bool


@dataclass(frozen=True, slots=True)
class Speech:
    """A task for the ears, as it is played."""

    round: int
    until: datetime
    audio: bytes = field(repr=False)
    language: str
    """In which language it is spoken: English where there is no voice for the page's."""
    is_after_a_wrong_answer: bool


@dataclass(frozen=True, slots=True)
class Replaced:
    """A square was chosen, and this one stands in its place."""

    tile: bytes = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class Busy:
    """Too many tasks are being drawn; nothing has changed, and the same can be asked again in a moment."""


Shown = Pictures | Speech
Outcome = Shown | Checked | Gone | Wait | Busy


def show(answer: str, sort: str, language: str, *, browser: str, now: datetime) -> Shown | Gone | Wait | Busy:
    """Show a new task, in place of the one that may be open: with pictures, or spoken in a language."""
    found = checks.find(answer, browser, now)
    db.session.commit()
    if found is None or found.level >= Level.PICTURES:
        return Gone()
    return _shown(found, sort, language, now, after_a_wrong_answer=False)


def choose(answer: str, square: int, *, browser: str, now: datetime) -> Replaced | Gone | Busy:
    """Take one chosen square away from a task that replaces them."""
    found = checks.find(answer, browser, now)
    db.session.commit()
    task = rounds.read(found.task) if found else None
    if found is None or not isinstance(task, Squares) or not task.is_replacing or task.replaced >= _MOST_CHOSEN:
        return Gone()
    if not 0 <= square < task.squares:
        return Gone()
    is_right_again = task.may_be_right_again() and drawing.is_by_chance(_RIGHT_AGAIN)
    try:
        tile = drawing.draw_square(task.kind, is_right=is_right_again)
    except drawing.Busy:
        return _busy()
    after, until = task.choose(square, is_right_again=is_right_again), now + checks.lifetime()
    is_mine = checks.change(found, task=after.stored(), expires_at=until)
    db.session.commit()
    return Replaced(tile, until) if is_mine else Gone()


def answer_squares(answer: str, chosen: Collection[int], language: str, *, browser: str, now: datetime) -> Outcome:
    """Take what was chosen for an answer: the next task comes, or the box is checked."""
    found = checks.find(answer, browser, now)
    task = rounds.read(found.task) if found else None
    db.session.commit()
    if found is None or not isinstance(task, Squares):
        return Gone()
    return _after(found, rounds.PICTURES, language, now, is_solved=task.is_solved(chosen))


def answer_spoken(answer: str, typed: str, language: str, *, browser: str, now: datetime) -> Outcome:
    """Take what was heard and typed for an answer: likewise."""
    found = checks.find(answer, browser, now)
    task = rounds.read(found.task) if found else None
    db.session.commit()
    if found is None or not isinstance(task, Heard):
        return Gone()
    return _after(found, SPOKEN, language, now, is_solved=speech.is_right(task.answer, typed))


def _after(found: Check, sort: str, language: str, now: datetime, *, is_solved: bool) -> Outcome:
    metrics.count_robot_check(sort, "passed" if is_solved else "failed")
    progress = Progress(found.round, settings.current().robot_check.rounds, found.tasks)
    until = now + checks.lifetime()
    match rounds.after(progress, is_solved=is_solved):
        case Finished():
            is_mine = checks.change(found, level=int(Level.PICTURES), task={}, expires_at=until)
            db.session.commit()
            return Checked(until) if is_mine else Gone()
        case Over():
            checks.change(found, task={}, expires_at=now)
            db.session.commit()
            return Gone()
        case Next(following):
            # The task goes before the next one is drawn: of many answers that are sent at once, one is looked at.
            is_mine = checks.change(found, task={}, round=following, expires_at=until)
            db.session.commit()
            if not is_mine:
                return Gone()
            left = replace(found, task={}, round=following, turn=found.turn + 1)
            return _shown(left, sort, language, now, after_a_wrong_answer=not is_solved)


def _shown(
    found: Check, sort: str, language: str, now: datetime, *, after_a_wrong_answer: bool
) -> Shown | Gone | Wait | Busy:
    if found.tasks >= rounds.MOST_TASKS:
        return Gone()
    reserved = throttle.reserve(ROBOT_TASKS_NETWORK, context.network(), now)
    db.session.commit()
    if isinstance(reserved, Wait):
        return reserved
    try:
        task, shown = _drawn(found, sort, language, now + checks.lifetime(), after_a_wrong_answer=after_a_wrong_answer)
    except drawing.Busy:
        return _busy()
    is_mine = checks.change(found, task=task.stored(), tasks=found.tasks + 1, expires_at=shown.until)
    db.session.commit()
    metrics.count_robot_check(sort, "begun")
    return shown if is_mine else Gone()


def _drawn(
    found: Check, sort: str, language: str, until: datetime, *, after_a_wrong_answer: bool
) -> tuple[Heard, Speech] | tuple[Squares, Pictures]:
    if sort == SPOKEN:
        spoken = drawing.speak(language)
        return Heard(spoken.answer), Speech(found.round, until, spoken.audio, spoken.language, after_a_wrong_answer)
    drawn, is_replacing = drawing.draw(), rounds.is_replacing(found.round)
    task = Squares(drawn.kind, len(drawn.tiles), drawn.right, is_replacing)
    return task, Pictures(found.round, until, drawn.kind, drawn.tiles, is_replacing, after_a_wrong_answer)


def _busy() -> Busy:
    metrics.count_refusal("busy", "robot_check")
    return Busy()
