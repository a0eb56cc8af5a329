"""The picture task stands against programs: against clicking at random, and against a matcher that knows the method."""

import math
from collections import Counter

import pytest

from idp.captcha import pictures
from tests.captcha import attack
from tests.captcha.chance import seeded

TASKS = 1000


def test_clicking_at_random_passes_less_than_one_task_in_a_hundred() -> None:
    random = seeded(207)
    for number in range(pictures.FEWEST, pictures.MOST + 1):
        passed = sum(
            pictures.places(random) == frozenset(random.sample(range(pictures.TILES), number)) for _ in range(TASKS)
        )

        assert passed < TASKS / 100


def test_no_choice_is_better_than_another_by_more_than_that() -> None:
    drawn = Counter(pictures.places(seeded(number)) for number in range(5 * TASKS))
    numbers = pictures.MOST - pictures.FEWEST + 1

    assert drawn.most_common(1)[0][1] < 5 * TASKS / 100
    for number in range(pictures.FEWEST, pictures.MOST + 1):
        assert 1 / numbers / math.comb(pictures.TILES, number) < 0.01


@pytest.mark.long
@pytest.mark.matcher
def test_a_matcher_that_knows_the_method_passes_less_than_one_task_in_ten() -> None:
    found = list(attack.attack(TASKS))

    assert sum(each.passed for each in found) / TASKS < 0.1
    assert max(each.seconds for each in found) < 60
