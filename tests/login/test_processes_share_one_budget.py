"""200 wrong passwords for one account at once, from four processes: no more are looked at than the budget allows."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from flask import Flask

from idp.accounts import usernames
from idp.settings import Settings, Throttle
from tests.databases import with_database
from tests.factories import Person
from tests.login.conftest import events
from tests.programs import variables

_PROCESSES, _EACH = 4, 50
_GUESSES = f"""
import json, sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from idp import clock, settings
from idp.app import create_app
from idp.login import service
from idp.login.service import Attempt

app, together = create_app(settings.load()), Barrier({_EACH})

def guess(number):
    with app.app_context():
        browser = service.Browser(None, "", "")
        attempt = Attempt(sys.argv[1], f"guess {{number}}", shared_computer=False, client_id=None, browser=browser)
        together.wait()
        return type(service.log_in(attempt, clock.now())).__name__

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor({_EACH}) as pool:
    print(json.dumps(Counter(pool.map(guess, range({_EACH})))))
"""


@pytest.mark.parametrize(
    ("throttle", "budget", "others"),
    [
        (Throttle(), 3, {"ChallengeNeeded"}),
        (Throttle(account_robot_failures=100, account_pictures_failures=100), 5, {"Wait"}),
    ],
    ids=["before the robot check", "before the wait"],
)
def test_200_parallel_guesses_from_four_processes(
    app: Flask, settings: Settings, database_url: str, parent: Person, throttle: Throttle, budget: int, others: set[str]
) -> None:
    # On a busy machine a hash may wait for long: whoever is sent away for that is not counted, and would try again.
    patient = replace(settings.passwords, longest_wait_seconds=20)
    chosen = replace(with_database(settings, database_url), throttle=throttle, passwords=patient)
    command = [sys.executable, "-c", _GUESSES, usernames.key(parent.username)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    processes = [
        subprocess.Popen(
            command,
            env=environment | variables(chosen),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(_PROCESSES)
    ]
    outcomes: Counter[str] = Counter()
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            outcomes.update(json.loads(process.communicate(timeout=120)[0].splitlines()[-1]))
    finally:
        for process in processes:
            process.kill()
            process.communicate()

    assert sum(outcomes.values()) == _PROCESSES * _EACH
    assert outcomes.pop("Refused") == budget
    assert set(outcomes) == others
    assert len(events("log_in")) == budget
