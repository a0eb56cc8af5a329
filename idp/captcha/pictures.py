"""The picture task: squares of which those with a kind of thing have to be chosen, all of them and no other."""

from dataclasses import dataclass, field
from random import Random

from idp.captcha.objects import ALIKE, ASKED, OTHERS, SHOWN_BY, SIDE, Kind

__all__ = [
    "ASKED",
    "FEWEST",
    "MEDIA_TYPE",
    "MOST",
    "SIDE",
    "TILES",
    "Kind",
    "Task",
    "places",
    "task",
    "tile",
]

TILES = 18
"""How many squares a task has."""
FEWEST, MOST = 4, 6
"""How many squares of a task are right: by chance, so that their number can't be relied on."""
MEDIA_TYPE = "image/webp"
_ALIKE_SHARE = 0.5
"""How often what stands in a wrong square looks like what is asked for."""


@dataclass(frozen=True, slots=True)
class Task:
    """What to choose, the squares from top left to bottom right, and the places (from 0) of those that are right."""

    kind: Kind
    tiles: tuple[bytes, ...] = field(repr=False)
    right: frozenset[int] = field(repr=False)


def task(random: Random, *, objects: tuple[Kind, ...] = ASKED) -> Task:
    """Return a new task about one of these kinds. The source of chance has to be SystemRandom, but for tests."""
    kind, right = random.choice(objects), places(random)
    return Task(kind, tuple(tile(kind, place in right, random) for place in range(TILES)), right)


def places(random: Random) -> frozenset[int]:
    """Return which squares of a task are right, from 0 on."""
    return frozenset(random.sample(range(TILES), random.randint(FEWEST, MOST)))


def tile(kind: Kind, is_right: bool, random: Random) -> bytes:
    """Return one square with a thing of this kind or of another: for a task, or in the place of a chosen one."""
    from idp.captcha import scenes  # it loads Pillow and resvg: 9 MiB that most processes never need

    others = ALIKE[kind] if random.random() < _ALIKE_SHARE else OTHERS[kind]
    return scenes.draw(random.choice(SHOWN_BY[kind] if is_right else others), random)
