"""Chance that comes out the same each time, so that a test sees the same squares again."""

from random import Random


def seeded(seed: int) -> Random:
    """Return a source of chance that begins with this number."""
    return Random(seed)  # noqa: S311  a test wants it to be foreseen
