"""A rolling restart, as for an upgrade: one node after the other under load, and nobody is refused anything."""

import time

import pytest

from tests.nodes.conftest import Site
from tests.nodes.journey import Patience

pytestmark = pytest.mark.long

_ROUNDS = 2
_LOAD_SECONDS = 2
_NOTICES_SECONDS = 60


def test_a_rolling_restart_under_load_fails_no_request(running_site: Site) -> None:
    crowd = running_site.crowd(8, Patience(reloads=0))
    restarted = 0
    for node in running_site.nodes * _ROUNDS:
        time.sleep(_LOAD_SECONDS)
        if crowd.failures:
            break
        node.stop()
        assert node.ended_with == 0, node.log[-5000:]
        node.start()
        restarted += 1
    time.sleep(_LOAD_SECONDS)
    crowd.finish()
    running_site.wait_for_notices(_NOTICES_SECONDS)

    tally = running_site.tally
    print(f"restarted: {restarted}; acknowledged: {dict(tally.acknowledged)}")
    assert restarted == len(running_site.nodes) * _ROUNDS
    assert tally.acknowledged["log-in"] > 8
    assert not tally.errors
    assert _broken(running_site.proxy.log) == [], "nginx asked again what a node had taken and dropped"


def _broken(log: str) -> list[str]:
    """Return what nginx says of requests that a node has taken; a connection that it did not take is none."""
    return [line for line in log.splitlines() if "[error]" in line and "while connecting to upstream" not in line]
