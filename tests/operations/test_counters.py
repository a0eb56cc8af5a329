"""What happens is counted by what it was, and by nothing that a visitor chooses."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import update

from idp.database import db
from idp.throttle.models import Counter
from tests.factories import Person
from tests.figures import value_of
from tests.ladders import fail
from tests.pages import Browser

_STANDS_AGAINST = ("throttle", "robot_check", "stopped")


def _counted(app: Flask) -> Callable[[str], float]:
    """Return how far a counter has gone since now."""

    def read(name: str) -> float:
        return value_of(app.test_client().get("/metrics").text, name)

    before: dict[str, float] = {}

    def since(name: str) -> float:
        return read(name) - before.setdefault(name, read(name))

    return since


def test_log_ins_are_counted_by_outcome(app: Flask, browser: Browser, parent: Person) -> None:
    since = _counted(app)
    success, refused = 'idp_log_ins_total{outcome="success"}', 'idp_log_ins_total{outcome="refused"}'
    since(success), since(refused)

    browser.log_in(parent.username, "not the password at all")
    browser.log_in("nobody", "not the password at all")
    browser.log_in(parent.username, parent.password)

    assert (since(success), since(refused)) == (1, 2)


def test_refusals_for_too_many_tries_are_counted(app: Flask, browser: Browser, parent: Person) -> None:
    since = _counted(app)
    waits, checks, stops = (f'idp_refusals_total{{kind="{kind}",reason="log_in"}}' for kind in _STANDS_AGAINST)
    since(waits), since(checks), since(stops)

    for _ in range(5):
        browser.log_in(parent.username, "not the password at all", path="/login")
    fail(parent.username, 2)
    browser.log_in(parent.username, "not the password at all", path="/login")
    db.session.execute(update(Counter).values(failures=100))
    db.session.commit()
    browser.log_in(parent.username, "not the password at all", path="/login")

    assert (since(checks), since(waits), since(stops)) == (2, 1, 1)


def test_addresses_that_strangers_make_up_are_one_name(app: Flask) -> None:
    for number in range(20):
        app.test_client().get(f"/no-such-page-{number}")

    text = app.test_client().get("/metrics").text

    assert 'idp_requests_total{endpoint="none",status="404"}' in text
    assert "no-such-page" not in text


_COUNTING = """
import sys
from idp.web import metrics
metrics.change_hash_queue(3)
print("counted", flush=True)
sys.stdin.readline()
"""


def test_what_a_killed_process_said_of_its_present_is_forgotten(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    reading = [sys.executable, "-c", "from idp.web import metrics; print(metrics.exposition().decode())"]

    def shown() -> float:
        told = subprocess.run(reading, env=environment, capture_output=True, text=True, check=True)
        return value_of(told.stdout, "idp_hash_queue_length")

    with subprocess.Popen(
        [sys.executable, "-c", _COUNTING], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as counting:
        assert counting.stdout is not None
        counting.stdout.readline()
        assert shown() == 3
        counting.kill()
    assert shown() == 0
