"""How far the matcher gets: `python -m tests.captcha.attack 1000` says it for so many tasks, in a table.

It chooses among the squares that it sees first: nobody has to wait for new ones in the places of those chosen.
"""

import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2

from idp.captcha import pictures
from idp.settings import RobotCheck
from tests.captcha.matcher import Matcher

LEARNT_FROM = 100
"""How many squares of each kind the matcher has seen with their answers."""
ROUNDS = RobotCheck().rounds
"""How many tasks have to be right one after the other before a check is over, if no setting says otherwise."""


@dataclass(frozen=True, slots=True)
class Success:
    """What came of attacking tasks of one kind."""

    kind: str
    squares: float
    """The share of squares that were judged rightly."""
    passed: int
    tasks: int
    seconds: float
    """CPU time for one task, without what was learnt before."""

    @property
    def share(self) -> float:
        """The share of tasks that were passed."""
        return self.passed / self.tasks


def attack(tasks: int) -> Iterator[Success]:
    """Attack so many tasks, equally often of each kind."""
    cv2.setNumThreads(1)
    random = secrets.SystemRandom()
    for number, kind in enumerate(pictures.ASKED):
        matcher = Matcher(kind, random, LEARNT_FROM)
        mine = tasks // len(pictures.ASKED) + (number < tasks % len(pictures.ASKED))
        passed, judged, seconds = 0, 0, 0.0
        for task in (pictures.task(random, objects=(kind,)) for _ in range(mine)):
            started = time.process_time()
            chosen = matcher.choose(task.tiles)
            seconds += time.process_time() - started
            passed += chosen == task.right
            judged += pictures.TILES - len(chosen ^ task.right)
        if mine:
            yield Success(kind, judged / mine / pictures.TILES, passed, mine, seconds / mine)


def main() -> None:
    """Print the table."""
    found = []
    print(f"{'kind':<12} {'squares':>8} {'one round':>10} {'tasks':>6} {'s a task':>9}")
    for each in attack(int(sys.argv[1])):
        found.append(each)
        print(
            f"{each.kind:<12} {each.squares:>8.1%} {each.share:>10.1%} {each.tasks:>6} {each.seconds:>9.2f}", flush=True
        )
    share = sum(each.passed for each in found) / sum(each.tasks for each in found)
    print(f"{'all':<12} {'':>8} {share:>10.1%} {sum(each.tasks for each in found):>6}")
    print(f"all {ROUNDS} rounds: {share**ROUNDS:.2%}")


if __name__ == "__main__":
    main()
