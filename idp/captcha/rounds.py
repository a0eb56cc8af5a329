"""The tasks of a check, round by round: decisions without a database and without pictures."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

PICTURES, SPOKEN = "pictures", "spoken"
MOST_TASKS = 6
"""How many tasks one check may draw: whoever needs more begins anew, which counts for the network.

A program that solves one in ten gets through both rounds within so many tasks less than once in twenty checks.
"""
MOST_REPLACED = 6
"""How many squares of a task are replaced by one that has to be chosen, too: the next ones never are."""


@dataclass(frozen=True, slots=True)
class Squares:
    """A task with pictures: all the squares with one thing on them are to be chosen."""

    kind: str
    """What is looked for."""
    squares: int
    right: frozenset[int]
    """The squares, from 0 on, that have to be chosen and are not yet."""
    is_replacing: bool
    """Whether each square that is chosen makes room for a new one, until none is left."""
    is_spoilt: bool = False
    """Whether a wrong square was chosen; nobody is told before the end."""
    replaced: int = 0

    def choose(self, square: int, *, is_right_again: bool) -> Self:
        """Return the task with one square chosen, and a new one in its place."""
        is_spoilt = self.is_spoilt or square not in self.right
        right = self.right - {square} | ({square} if is_right_again else frozenset())
        return replace(self, right=right, is_spoilt=is_spoilt, replaced=self.replaced + 1)

    def may_be_right_again(self) -> bool:
        """Tell whether the next square that is replaced may have what is looked for: not for ever."""
        return self.replaced < MOST_REPLACED

    def is_solved(self, chosen: Collection[int]) -> bool:
        """Tell whether just the right squares were chosen."""
        return not self.is_spoilt and frozenset(chosen) == self.right

    def stored(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self) | {"right": sorted(self.right)}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A task for the ears: what is heard is to be typed."""

    answer: str

    def stored(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {"answer": self.answer}


def read(stored: Mapping[str, Any]) -> Squares | Spoken | None:
    """Return the task that stored() has written; None where there is none."""
    if "answer" in stored:
        return Spoken(**stored)
    if "right" in stored:
        return Squares(**{**stored, "right": frozenset(stored["right"])})
    return None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check has come."""

    round: int
    rounds: int
    tasks: int
    """How many tasks were drawn."""


@dataclass(frozen=True, slots=True)
class Next:
    """There is another task: the next round's, or after a wrong answer the first one's."""

    round: int


@dataclass(frozen=True, slots=True)
class Finished:
    """All rounds are done."""


@dataclass(frozen=True, slots=True)
class Over:
    """It was answered wrongly too often: a new check has to be begun."""


def after(progress: Progress, *, is_solved: bool) -> Next | Finished | Over:
    """Say what comes after an answer.

    A wrong one leads to a new task and never to a dead end, but rounds have to be right one after the other: whoever
    guesses gets nowhere by guessing often.
    """
    if is_solved and progress.round >= progress.rounds:
        return Finished()
    if progress.tasks >= MOST_TASKS:
        return Over()
    return Next(progress.round + 1 if is_solved else 1)


def is_replacing(round_number: int) -> bool:
    """Tell whether chosen squares are replaced in a round: in every other one, beginning with the first."""
    return round_number % 2 == 1
