"""How far the matcher gets: `python -m tests.captcha.attack 1000` says it for so many tasks, in a table."""

import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import cv2

from idp.captcha import pictures, rounds
from idp.captcha.pictures import Task
from idp.captcha.play import RIGHT_AGAIN
from idp.captcha.rounds import Squares
from idp.settings import RobotCheck
from tests.captcha.matcher import Matcher

LEARNT_FROM = 100
"""How many squares of each kind the matcher has seen with their answers."""
ROUNDS = RobotCheck().rounds
"""How many tasks have to be right one after the other before a check is over, if no setting says otherwise."""


@dataclass(frozen=True, slots=True)
class Success:
    """What came of attacking tasks of one kind in one round; as many of each round as of the other."""

    kind: str
    round: int
    passed: int
    tasks: int
    seconds: float
    """CPU time for one task, without what was learnt before."""

    @property
    def share(self) -> float:
        """The share of tasks that were passed."""
        return self.passed / self.tasks


def attack(tasks: int) -> Iterator[Success]:
    """Attack so many tasks, equally often of each kind and of each round."""
    cv2.setNumThreads(1)
    random = secrets.SystemRandom()
    sorts = [(kind, number) for kind in pictures.ASKED for number in range(1, ROUNDS + 1)]
    matcher: Matcher | None = None
    for order, (kind, number) in enumerate(sorts):
        mine = tasks // len(sorts) + (order < tasks % len(sorts))
        if not mine:
            continue
        if matcher is None or number == 1:
            matcher = Matcher(kind, random, LEARNT_FROM)
        passed, seconds = 0, 0.0
        for task in (pictures.task(random, objects=(kind,)) for _ in range(mine)):
            started = time.process_time()
            passed += play(matcher, task, random, is_replacing=rounds.is_replacing(number))
            seconds += time.process_time() - started
        yield Success(kind, number, passed, mine, seconds / mine)


def play(matcher: Matcher, task: Task, random: Random, *, is_replacing: bool) -> bool:
    """Let a matcher answer a task as a browser would, new squares in the places of chosen ones included."""
    squares = Squares(task.kind, pictures.TILES, task.right, is_replacing)
    chosen = matcher.choose(task.tiles)
    if not is_replacing:
        return squares.is_solved(chosen)
    while chosen and not squares.is_spoilt:
        following = set()
        for place in chosen:
            is_right_again = squares.may_be_right_again() and random.random() < RIGHT_AGAIN
            squares = squares.choose(place, is_right_again=is_right_again)
            if matcher.is_right(pictures.tile(task.kind, is_right_again, random)):
                following.add(place)
        chosen = frozenset(following)
    return squares.is_solved(())


def main() -> None:
    """Print the table."""
    found = []
    print(f"{'kind':<12} {'round':>5} {'passed':>7} {'tasks':>6} {'s a task':>9}")
    for each in attack(int(sys.argv[1])):
        found.append(each)
        print(f"{each.kind:<12} {each.round:>5} {each.share:>7.1%} {each.tasks:>6} {each.seconds:>9.2f}", flush=True)
    for number in range(1, ROUNDS + 1):
        print(f"{'all':<12} {number:>5} {share(found, number):>7.1%} {tasks(found, number):>6}")
    print(f"{'all':<12} {'':>5} {share(found):>7.1%} {tasks(found):>6}")


def share(found: list[Success], number: int | None = None) -> float:
    """Return the share of tasks that were passed, of one round or of all."""
    return sum(each.passed for each in found if number in {None, each.round}) / tasks(found, number)


def tasks(found: list[Success], number: int | None = None) -> int:
    """Return how many tasks there were, of one round or of all."""
    return sum(each.tasks for each in found if number in {None, each.round})


if __name__ == "__main__":
    main()
