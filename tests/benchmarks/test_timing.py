"""The clock tells nothing: the statistic finds what is there, and the pairs that must look alike do."""

import random
from contextlib import closing
from pathlib import Path

import pytest

from tests.benchmarks import timing
from tests.benchmarks.telling_apart import told_apart
from tests.databases import KINDS


def _latencies(seed: int, shift: float = 0.0, tries: int = timing.TRIES) -> list[float]:
    """Return times as a busy server has them: some 8 ms, never much less, now and then much more."""
    drawn = random.Random(seed)  # noqa: S311  noise, not a secret
    return [0.006 + shift + drawn.lognormvariate(-6.5, 0.8) for _ in range(tries)]


def test_a_difference_of_2_ms_is_found() -> None:
    for seed in range(50):
        verdict = told_apart(_latencies(seed), _latencies(1000 + seed, timing.PLANTED))

        assert verdict.p < timing.CHANCE
        assert verdict.guess > 0.6
        assert 0.001 < verdict.difference / 1000 < 0.003


def test_no_difference_is_found_where_there_is_none() -> None:
    verdicts = [told_apart(_latencies(seed), _latencies(1000 + seed)) for seed in range(200)]

    assert sum(verdict.p < 0.05 for verdict in verdicts) < 24, "one in twenty, give or take"
    assert not [verdict for verdict in verdicts if verdict.p < timing.CHANCE / 10]
    assert sum(verdict.guess for verdict in verdicts) / 200 == pytest.approx(0.5, abs=0.02)


def test_the_statistic_is_that_of_a_worked_example() -> None:
    """Four against three: of the second's values 5 is above all four, 2 above one, 0 above none: U = 5 of 12.

    So z = (5 - 6) / √(12 · 8 / 12) = -0.3536, and p = 0.7237.
    """
    verdict = told_apart([1.0, 3.0, 4.0, 4.5], [5.0, 2.0, 0.0])

    assert verdict.guess == pytest.approx(5 / 12)
    assert verdict.p == pytest.approx(0.7237, abs=0.0001)
    assert verdict.difference == pytest.approx(-1500)


def test_ties_count_half_and_nothing_at_all_is_told_by_equal_times() -> None:
    assert told_apart([1.0] * 30, [1.0] * 30).p == 1.0
    assert told_apart([1.0, 2.0], [1.0, 2.0]).guess == 0.5


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_tries_over_http_tell_nothing_but_what_is_planted(kind: str, tmp_path: Path) -> None:
    with timing.served(kind, tmp_path) as (app, origin), closing(timing.Prober(origin)) as prober:
        found = {name: timing.is_told_apart(pair) for name, pair in timing.pairs(app, prober)}
        needed, planted = timing.tries_to_find(timing.planted(app, prober))

    assert not {name: verdict for name, (apart, verdict) in found.items() if apart}
    assert needed, planted
