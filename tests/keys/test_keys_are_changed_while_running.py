"""Pepper, wrapping key and signing key are changed under load, as config/README.md says: nobody notices."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt

from tests import factories
from tests.factories import Person, Registered
from tests.keys.conftest import Place
from tests.keys.crowd import Crowd, RelyingParty, Visitor, kid_of
from tests.oidc.conftest import ALGORITHMS
from tests.servers import Running


def _needs(place: Place) -> dict[str, dict[str, int]]:
    listed = place.idp("keys", "list", "--json")
    assert listed.exit_code == 0, listed.output
    return {row["name"]: row["needed_by"] for row in json.loads(listed.stdout)["secrets"]}


def _wait(until: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def _wait_for(running: Running, event: str, times: int) -> None:
    _wait(lambda: running.lines.count(f'"event": "{event}"') >= times, 60)


@pytest.mark.one_database
def test_all_three_are_changed_under_load_and_nobody_is_logged_out(place: Place, node: Flask, tmp_path: Path) -> None:
    change_all(place, tmp_path, workers=2)


@pytest.mark.long
def test_they_are_changed_likewise_in_more_processes_and_on_both_databases(
    place: Place, node: Flask, tmp_path: Path
) -> None:
    change_all(place, tmp_path, workers=4)


def change_all(place: Place, folder: Path, workers: int) -> None:
    """Go through the three steps while people come and go."""
    processes = workers + 1  # those that serve, and the worker beside them
    application: Registered = factories.client("Gradebook", first_party=True)
    people = [factories.account() for _ in range(7)]
    with place.serving(folder, workers) as running:
        _wait_for(running, "secrets_read", processes)
        party = RelyingParty(running.origin, application)
        logged_in = [Visitor(party, person) for person in people[:2]]
        for visitor in logged_in:
            visitor.log_in()
        waiting = [(visitor, *visitor.open_log_in()) for visitor in (Visitor(party, one) for one in people[3:7])]
        published_before, first = party.cached, kid_of(party.id_tokens[0])
        with Crowd().at_it(logged_in, [Visitor(party, person) for person in people[2:3]]) as crowd:
            # First step: the new keys are read everywhere.
            place.files.write("wrapping_keys", "w1", "w2")
            place.files.write("peppers", "p1", "p2")
            _wait_for(running, "secrets_read", 2 * processes)
            # A process says that it has read them a moment before it notes it: until then `idp` asks to try again.
            _wait(lambda: place.idp("keys", "rotate").exit_code == 0, 20)
            time.sleep(1.5)  # by then each process has read the keys again
            published_between = party.fetch_keys()
            _send(waiting.pop())
            # Second step: they are used.
            place.files.write("wrapping_keys", "w2", "w1")
            place.files.write("peppers", "p2", "p1")
            _wait_for(running, "secrets_used", processes)
            _send(waiting.pop())
            resealed = place.idp("keys", "reseal")
            assert resealed.exit_code == 0, resealed.output
            _send(waiting.pop())
            _wait(lambda: kid_of(party.id_tokens[-1]) != first, 20)
            _log_in_all(party, people)
            needs = _needs(place)
            assert (needs["w1"], needs["p1"]) == ({}, {})
            _send(waiting.pop())
            # Third step: what nothing needs is taken away, and all goes on.
            read_before = running.lines.count('"secrets_read"')
            place.files.write("wrapping_keys", "w2")
            place.files.write("peppers", "p2")
            _wait_for(running, "secrets_read", read_before + processes)
            _log_in_all(party, people)
        for visitor in logged_in:
            visitor.come_again()
        published_after = party.fetch_keys()
        log = running.lines
    assert crowd.failures == []
    assert min(crowd.done.values()) > 10, crowd.done
    _hold_tokens_to(party, first, published_before, published_between, published_after)
    for word in ("secrets_not_taken", '"level": "error"', '"status": 5'):
        assert word not in log


def _send(waiting: tuple[Visitor, str, str]) -> None:
    """Send a log-in page that was opened before the change: what it carries was sealed by the old key."""
    visitor, page, form_token = waiting
    visitor.send_log_in(page, form_token)


def _log_in_all(party: RelyingParty, people: list[Person]) -> None:
    for person in people:
        Visitor(party, person).log_in()


def _hold_tokens_to(party: RelyingParty, first: str, before: Any, between: Any, after: Any) -> None:
    """All ID tokens are good by the keys published last; those by the old key also by the ones published first."""
    kids = [kid_of(token) for token in party.id_tokens]
    assert len(set(kids)) == 2
    for kid, token in zip(kids, party.id_tokens, strict=True):
        jwt.decode(token, after, algorithms=ALGORITHMS)
        jwt.decode(token, before if kid == first else between, algorithms=ALGORITHMS)
