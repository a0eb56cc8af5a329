"""A password spray gets little, parents get in, and the ledger in memory that shows it counts as the real one does."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from idp.database import db
from idp.throttle import tries
from idp.throttle.ladder import Level
from idp.throttle.rules import LOG_IN
from idp.throttle.tries import Tried
from tests.benchmarks.memory_ledger import MemoryLedger, Reserved
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
    chance, memory, now = random.Random(seed), MemoryLedger(), NOW  # noqa: S311  a sequence, not a secret
    for username in ("a", "b"):
        memory.know("home", username, now)
        tries.remember_browser("home", username, now)
    for _ in range(200):
        now += timedelta(seconds=chance.choice((1, 5, 60, 400, 1000)))
        username, network = chance.choice("abc"), chance.choice(("here", "there"))
        device, answered = chance.choice((None, None, "home")), chance.choice((Level.BOX, Level.PICTURES))
        mine = memory.reserve(username, now, device=device, network=network, answered=answered)
        real = tries.reserve(LOG_IN, username, now, device=device, network=network, answered=answered)
        if isinstance(mine, Reserved):
            assert isinstance(real, Tried)
            db.session.commit()
            if chance.random() < 0.1:
                memory.succeed(mine, now)
                tries.settle(real, succeeded=True, now=now)
                db.session.commit()
        else:
            assert real == mine
            db.session.rollback()
