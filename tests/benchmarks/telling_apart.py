"""Whether two series of times can be told apart: the rank-sum test of Mann and Whitney, with ties."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What somebody can learn who measures."""

    p: float
    """How likely so large a difference is by chance alone (two-sided)."""
    guess: float
    """How often the slower of two tries, one of each kind, is of the second kind: a half is a coin."""
    difference: float
    """Of the medians, in milliseconds."""


def told_apart(first: Sequence[float], second: Sequence[float]) -> Verdict:
    """Compare two series of seconds by their ranks, which outliers do not disturb.

    U counts the pairs in which the second is the larger (half for a tie). By chance its mean is n·m/2, its variance
    n·m/12 · (N + 1 - Σ(t³ - t) / (N(N - 1))), t being the sizes of ties and N = n + m; of twenty values and more it
    is normal enough (Mann and Whitney, Annals of Mathematical Statistics 18, 1947; ties as Lehmann, Nonparametrics).
    """
    n, m = len(first), len(second)
    merged = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    rank_sum, ties, start = 0.0, 0.0, 0
    while start < n + m:
        end = start
        while end < n + m and merged[end][0] == merged[start][0]:
            end += 1
        size = end - start
        rank_sum += sum(kind for _, kind in merged[start:end]) * (start + end + 1) / 2
        ties += size**3 - size
        start = end
    u = rank_sum - m * (m + 1) / 2
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    z = 0.0 if variance == 0 else (u - n * m / 2) / math.sqrt(variance)
    return Verdict(math.erfc(abs(z) / math.sqrt(2)), u / (n * m), (_median(second) - _median(first)) * 1000)


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
