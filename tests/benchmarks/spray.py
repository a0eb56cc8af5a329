"""What a password spray gets, and what parents see of it: `.venv/bin/python -m tests.benchmarks.spray`.

Somebody tries 20 passwords at each of 10,000 usernames in a day, from one network, from 100 and from 5,000. 500 parents
log in on that day and mistype as people do; where there is one network, a fifth of them share it with the attacker, as
guests of a school do. The decisions are those of throttle/ladder.py; no password is hashed.

The attacker's program checks every box (it computes the proof of work), solves one picture task in ten, which is what
the task is built to hold a matcher under, and leaves a guess that has to wait. A parent solves nine in ten at first try
and gets a new task otherwise; after four wrong passwords a parent presses "Forgot Password?".
"""

import argparse
import heapq
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from idp.throttle.ladder import Challenge, Level, Stopped
from idp.throttle.rules import Wait
from tests.benchmarks.memory_ledger import MemoryLedger, Reserved

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
NETWORKS = (1, 100, 5000)
_MACHINE_SOLVES, _PERSON_SOLVES = 0.1, 0.9
_KNOWN = 0.85
"""The share of parents who log in with a browser in which they have logged in before."""
_SHARED = 0.2
"""The share of parents behind the attacker's network, where there is one."""
_MISTYPED, _MISTYPED_AGAIN = 0.15, 0.4
_GIVES_UP = 4
_RETYPED = timedelta(seconds=20)


@dataclass(frozen=True)
class Scene:
    """How large all this is."""

    networks: int
    usernames: int = 10_000
    passwords: int = 20
    parents: int = 500
    hours: float = 24.0


@dataclass(order=True)
class Parent:
    """Somebody on the way in."""

    at: datetime
    number: int
    username: str = field(compare=False)
    device: str | None = field(compare=False)
    network: str = field(compare=False)
    wrong: int = field(default=0, compare=False)
    answered: Level = field(default=Level.NONE, compare=False)
    seen: set[str] = field(default_factory=set, compare=False)
    """What this parent has met: a box, pictures, a wait, a refusal, and how it ended."""


@dataclass(frozen=True)
class Result:
    """What became of it."""

    scene: Scene
    guesses: Counter[str]
    parents: Counter[str]
    longest_wait: timedelta


def simulate(scene: Scene, seed: int = 207) -> Result:
    """Let attacker and parents loose on one ledger, in the order of time."""
    chance, ledger = random.Random(seed), MemoryLedger()  # noqa: S311  people by chance, not secrets
    waiting = [_parent(number, scene, ledger, chance) for number in range(scene.parents)]
    everybody, guesses, longest = list(waiting), Counter[str](), timedelta(0)
    heapq.heapify(waiting)
    for at, username, network in _attack(scene):
        while waiting and waiting[0].at <= at:
            longest = max(longest, _step(heapq.heappop(waiting), ledger, chance, waiting))
        guesses[_guess(ledger, at, username, network, chance)] += 1
    while waiting:
        longest = max(longest, _step(heapq.heappop(waiting), ledger, chance, waiting))
    return Result(scene, guesses, Counter(what for parent in everybody for what in parent.seen), longest)


def _attack(scene: Scene) -> Iterator[tuple[datetime, str, str]]:
    """Yield each guess: one password at all usernames, then the next, evenly over the time, each network in turn."""
    guesses = scene.usernames * scene.passwords
    between = timedelta(hours=scene.hours) / guesses
    for number in range(guesses):
        yield BEGIN + number * between, f"parent{number % scene.usernames}", f"attacker {number % scene.networks}"


def _parent(number: int, scene: Scene, ledger: MemoryLedger, chance: random.Random) -> Parent:
    at = BEGIN + timedelta(hours=scene.hours) * chance.random()
    username = f"parent{chance.randrange(scene.usernames)}"
    is_guest = scene.networks == 1 and chance.random() < _SHARED
    network = "attacker 0" if is_guest else f"home {number}"
    device = f"browser {number}" if chance.random() < _KNOWN else None
    if device:
        ledger.know(device, username, BEGIN)
    return Parent(at, number, username, device, network)


def _guess(ledger: MemoryLedger, at: datetime, username: str, network: str, chance: random.Random) -> str:
    """Try once; a program that is asked for a robot check tries to pass it, once."""
    outcome = ledger.reserve(username, at, device=None, network=network, answered=Level.NONE)
    if isinstance(outcome, Challenge):
        solved = outcome.level == Level.BOX or chance.random() < _MACHINE_SOLVES
        if not solved:
            return "held by pictures"
        outcome = ledger.reserve(username, at, device=None, network=network, answered=outcome.level)
    match outcome:
        case Reserved():
            return "answered"
        case Wait():
            return "had to wait"
        case Stopped():
            return "stopped"
        case Challenge():
            return "held by pictures"


def _step(parent: Parent, ledger: MemoryLedger, chance: random.Random, waiting: list[Parent]) -> timedelta:
    """Let a parent type once, and return how long they were told to wait."""
    outcome = ledger.reserve(
        parent.username, parent.at, device=parent.device, network=parent.network, answered=parent.answered
    )
    now, parent.answered, waited = parent.at, Level.NONE, timedelta(0)
    match outcome:
        case Reserved():
            if chance.random() >= (_MISTYPED_AGAIN if parent.wrong else _MISTYPED):
                ledger.succeed(outcome, now)
                parent.seen.add("got in")
                return waited
            parent.wrong += 1
            if parent.wrong == _GIVES_UP:
                parent.seen.add("chose a new password")
                return waited
            parent.at += _RETYPED
        case Challenge(level):
            parent.seen.add("box" if level == Level.BOX else "pictures")
            tasks = 1
            while level == Level.PICTURES and chance.random() >= _PERSON_SOLVES:
                tasks += 1
            parent.answered, parent.at = level, parent.at + tasks * _RETYPED
        case Wait(until):
            parent.seen.add("had to wait")
            waited, parent.at = until - now, until
        case Stopped():
            parent.seen.add("refused")
            return waited
    heapq.heappush(waiting, parent)
    return waited


def table(results: list[Result]) -> str:
    """Return what became of it, as a table."""
    head = (
        "| networks | hours | guesses | answered | held by pictures | had to wait | parents | saw a box | saw pictures "
        "| had to wait | longest, s | chose a new password | refused | got in |"
    )
    lines = [head, "|" + "---|" * 14]
    for result in results:
        scene, guesses, parents = result.scene, result.guesses, result.parents
        cells = [
            scene.networks,
            f"{scene.hours:g}",
            sum(guesses.values()),
            guesses["answered"],
            guesses["held by pictures"],
            guesses["had to wait"] + guesses["stopped"],
            scene.parents,
            parents["box"],
            parents["pictures"],
            parents["had to wait"],
            int(result.longest_wait.total_seconds()),
            parents["chose a new password"],
            parents["refused"],
            parents["got in"],
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the table; return 1 if a parent was refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.spray", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0, help="how long the spray takes (%(default)s)")
    parser.add_argument("--seed", type=int, default=207, help="whoever comes when (%(default)s)")
    options = parser.parse_args(arguments)
    results = [simulate(Scene(networks, hours=options.hours), options.seed) for networks in NETWORKS]
    sys.stdout.write(table(results) + "\n")
    return int(any(result.parents["refused"] for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
