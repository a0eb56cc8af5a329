"""Tasks are drawn and spoken one at a time in each process, so that asking for many of them takes no more than that."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from idp import places
from idp.captcha import pictures, speech
from idp.captcha.objects import Kind
from idp.captcha.pictures import Task
from idp.captcha.speech import Spoken

LONGEST_WAIT = 3.0
"""Seconds that a task is waited for: many ask at once when it takes longer, and not all of them are people."""

_chance = secrets.SystemRandom()
_pen = threading.BoundedSemaphore()


class Busy(Exception):
    """Too many tasks are being drawn."""


def draw() -> Task:
    """Return a new task with pictures. Raises Busy."""
    with turn():
        return pictures.task(_chance)


def draw_square(kind: str, *, is_right: bool) -> bytes:
    """Return one more square for a task of this kind. Raises Busy."""
    with turn():
        return pictures.tile(Kind(kind), is_right, _chance)


def speak(language: str) -> Spoken:
    """Return a new spoken task. Raises Busy."""
    with places.lent():  # another process speaks
        try:
            return speech.task(_chance, language)
        except speech.NotSpoken as error:
            raise Busy from error


def is_by_chance(share: float) -> bool:
    """Return yes in this share of all cases."""
    return _chance.random() < share


@contextmanager
def turn() -> Iterator[None]:
    """Be the only one in this process that draws. Raises Busy when that takes too long."""
    with places.lent():
        is_mine = _pen.acquire(timeout=LONGEST_WAIT)
    if not is_mine:
        raise Busy
    try:
        yield
    finally:
        _pen.release()
