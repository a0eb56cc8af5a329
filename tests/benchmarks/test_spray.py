"""A password spray gets little, parents get in, and the ledger in memory that shows it counts as the real one does."""

from datetime import UTC, datetime

import pytest

from tests.benchmarks import memory_ledger
from tests.benchmarks.spray import NETWORKS, Scene, simulate, table

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("networks", NETWORKS)
def test_no_parent_is_refused_beside_a_spray(networks: int) -> None:
    """A tenth of the usernames, in as long a time: each meets what it would, and its network a tenth."""
    result = simulate(Scene(networks, usernames=1000, parents=200, hours=24.0))

    assert sum(result.guesses.values()) == 20_000
    assert result.guesses["answered"] < 0.5 * 20_000
    assert result.parents["refused"] == 0
    assert result.parents["got in"] + result.parents["chose a new password"] == 200
    assert f"| {networks} | 24 | 20000 |" in table([result])


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("seed", range(3))
def test_the_ledger_in_memory_decides_as_the_real_one(seed: int) -> None:
    memory_ledger.compare(seed)
