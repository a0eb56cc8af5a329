"""A node is killed at any moment: nothing that was acknowledged is lost, and a reload cures every error."""

import os
import random
import signal
import time
from collections import Counter

import pytest
from sqlalchemy import text

from idp.database import db
from tests.nodes.conftest import Site
from tests.nodes.journey import Patience
from tests.nodes.node import Node
from tests.programs import Commands

pytestmark = pytest.mark.long

_SEED = 207
_TIMES = 12
_WAYS = ("whole node", "whole node", "main process", "one process")
_NOTICES_SECONDS = 100
"""A worker that is killed while it delivers has a notice leased for a minute; then another one takes it."""

_TOKENS_THAT_ARE_NOT_ON_RECORD = """
    SELECT count(*) FROM accounts AS people
    WHERE (SELECT count(*) FROM access_tokens AS t
           WHERE t.account_id = people.id AND (t.revoked_at IS NULL OR t.revoked_at <> t.issued_at)) <>
          (SELECT count(*) FROM audit_events AS e WHERE e.account_id = people.id AND e.event = 'authorization_granted')
"""


def test_a_node_is_killed_at_any_moment(running_site: Site) -> None:
    chance = random.Random(_SEED)  # noqa: S311  the same moments in every run, as far as a machine repeats itself
    killed: Counter[str] = Counter()
    crowd = running_site.crowd(6, Patience(reloads=1))
    for _ in range(_TIMES):
        time.sleep(chance.uniform(0.2, 2.0))
        node, way = chance.choice(running_site.nodes), chance.choice(_WAYS)
        if crowd.failures:
            break
        _kill(node, way, chance)
        killed[way] += 1
    crowd.finish()
    running_site.wait_for_notices(_NOTICES_SECONDS)

    tally = running_site.tally
    print(f"killed: {dict(killed)}; acknowledged: {dict(tally.acknowledged)}; cured by a reload: {dict(tally.errors)}")
    assert killed.total() == _TIMES
    assert tally.acknowledged["log-in"] > 2 * _TIMES
    assert not [error for error in tally.errors if error.startswith("GET")], "nginx asks the other node by itself"
    assert db_scalar(running_site, _TOKENS_THAT_ARE_NOT_ON_RECORD) == 0
    assert Commands(running_site.app.config["IDP"])("audit", "verify").exit_code == 0


def _kill(node: Node, way: str, chance: random.Random) -> None:
    """Kill a node, or what the kernel may choose of it, and see to it that it runs again."""
    if way == "whole node":
        node.kill()
        time.sleep(chance.uniform(0.0, 1.0))
        node.start()
    elif way == "main process":
        node.kill_main()
        node.start()
    else:
        os.kill(chance.choice(node.family()[1:]), signal.SIGKILL)
        node.wait_until_ready()


def db_scalar(site: Site, question: str) -> int:
    """Ask the database for one number."""
    with site.app.app_context():
        count: int = db.session.execute(text(question)).scalar_one()
        return count
