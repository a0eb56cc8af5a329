"""What is measured of a grown district: operations over HTTP, pruning, and pruning's neighbours."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import inf, nan
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from idp import clock
from idp.app import create_app
from idp.database import commit, db, release
from idp.operations import pruning
from idp.settings import PACKAGE, Settings
from tests.benchmarks import growth_scale as grown
from tests.benchmarks import load, scripts
from tests.benchmarks.growth_cpu import Meter
from tests.benchmarks.growth_scale import Scale
from tests.benchmarks.load import Work
from tests.factories import PASSWORD
from tests.programs import variables
from tests.servers import Running

SAMPLE = 100
"""People who take part, spread over the whole of the district."""

OPERATIONS = {
    "flow": 300,
    "userinfo": 1500,
    "log_in": 100,
    "clients: first page": 60,
    "clients: search": 60,
    "clients: late page": 60,
    "desk: open requests": 60,
    "desk: late page": 60,
    "desk: one request": 60,
    "desk: people": 60,
}
"""What is done over HTTP, and how often in one round."""
_PAGES = {
    "clients: first page": ("/admin/clients", "<h1>Applications</h1>"),
    "clients: search": ("/admin/clients?q=Tool+0000", "<h1>Applications</h1>"),
    "clients: late page": ("/admin/clients?page=1000000", "<h1>Applications</h1>"),
    "desk: open requests": ("/desk", "<h1>Requests</h1>"),
    "desk: late page": ("/desk?state=closed&after=01900000000a00000000000000000000", "<h1>Requests</h1>"),
    "desk: one request": ("/desk/requests/10000010", "<h1>Request 10000010</h1>"),
    "desk: people": ("/desk/people?q=Ewa+Kowalska+77", "<h1>People</h1>"),
}
"""Pages of the console and the desk: where each is, and what it says that no other does."""

_LONGEST_SECONDS = 300.0
_LONGEST_PRUNE_SECONDS = 3600.0
_CONNECTIONS = 8
_ROWS_OF_A_KIND = 2_000
_ROUNDS_OF_A_KIND = 3
_BESIDE = 100
"""Flows beside `idp prune`."""


@dataclass
class Place:
    """A district of one size on one database, and a provider that serves it."""

    kind: str
    scale: Scale
    settings: Settings
    url: str
    server: Running
    costs: dict[str, list[float]] = field(default_factory=dict)
    """CPU-milliseconds an operation, round by round."""
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The port of its provider."""
        return int(self.server.origin.rpartition(":")[2])

    @property
    def values(self) -> dict[str, Any]:
        """What the load's scripts are given: people who have let the first application in before."""
        step = max(1, self.scale.accounts // SAMPLE // 10) * 10
        accounts = range(0, min(step * SAMPLE, self.scale.accounts), step)
        sessions = [grown.session_of(self.scale, account) for account in accounts]
        seed, admin = self.scale.seed, grown.session_of(self.scale, grown.ADMIN)
        return {
            "client_id": grown.client_id(0),
            "client_secret": grown.client_secret(seed, 0),
            "redirect_uri": grown.REDIRECT_URI,
            "password": PASSWORD,
            "usernames": [grown.username(account) for account in accounts],
            "cookies": [f"idp_session={grown.session_token(seed, session)}" for session in sessions],
            "access_tokens": [grown.access_token(self.scale, session) for session in sessions],
            "admin_cookie": f"idp_session={grown.session_token(seed, admin)}",
        }

    def meter(self, *pids: int) -> Meter:
        """Count processor time from now on: the provider's, or that of other programs, with their database sessions."""
        url = make_url(self.url)
        database = None if url.get_backend_name() == "sqlite" else url.database
        return Meter(list(pids or [self.server.process.pid]), database)

    def work(self, operation: str, at_most: int, connections: int = _CONNECTIONS) -> Work:
        """Return a load of so many operations."""
        script = "page" if operation in _PAGES else operation
        address, says = _PAGES.get(operation, ("", ""))
        values = self.values | {"page": address, "says": says}
        return Work(self.port, script, values, connections, _LONGEST_SECONDS, at_most=at_most)


def warm_up(place: Place) -> None:
    """Let every process and cache see each operation once, and everybody's session be seen today."""
    for operation in OPERATIONS:
        _drive(place.work(operation, SAMPLE if operation in {"flow", "userinfo"} else SAMPLE // 10))


def measure_operations(place: Place, share: float) -> None:
    """Measure one round of every operation, or a share of it."""
    for operation, count in OPERATIONS.items():
        meter = place.meter()
        done = _drive(place.work(operation, max(10, int(count * share))))
        place.costs.setdefault(operation, []).append(1000 * meter.seconds() / done.operations)


def measure_kinds(place: Place) -> None:
    """Let go of rows of each kind as `idp prune` does; of a kind with few of them a figure would tell nothing."""
    app = create_app(place.settings)
    with app.app_context():
        for name, delete_expired in pruning.FEATURES:
            rounds = [_milliseconds_for_1000(place, delete_expired) for _ in range(_ROUNDS_OF_A_KIND)]
            if told := [cost for cost in rounds if cost is not None]:
                place.figures[f"prune: {name}, for 1,000"] = min(told)
        release()
        db.engine.dispose()


def _milliseconds_for_1000(place: Place, delete_expired: Callable[[datetime, int], Iterator[int]]) -> float | None:
    sessions, began, gone = place.meter(), time.process_time(), 0
    for batch in delete_expired(clock.now(), pruning.BATCH):
        commit()
        gone += batch
        if gone >= _ROWS_OF_A_KIND:
            break
    used = sessions.seconds() + time.process_time() - began
    return 1_000_000 * used / gone if gone >= pruning.BATCH else None


def measure_prune(place: Place, start_up: float) -> None:
    """Let `idp prune` run until nothing is left, most of which is tokens; while it is at it, others sign on."""
    latencies = {"quiet": _drive(place.work("flow", _BESIDE, connections=1))}
    with _prune(place.settings) as process:
        meter = place.meter(process.pid)
        _let_run(process, meter, start_up * 1.2)
        beside = _drive(place.work("flow", _BESIDE, connections=1))
        if process.poll() is None:
            latencies["beside prune"] = beside
        gone = _end_prune(process, meter)
    place.figures["prune: rows"] = gone
    place.figures["prune, CPU-ms for 1,000 rows"] = 1_000_000 * (meter.seconds() - start_up) / gone if gone else nan
    for name, done in latencies.items():
        place.figures[f"flow {name}, p50 ms"] = 1000 * done.percentile(0.5)
        place.figures[f"flow {name}, p99 ms"] = 1000 * done.percentile(0.99)


def start_up_seconds(place: Place, empty: Settings) -> float:
    """Return the processor time of an `idp prune` that has nothing to do, on an empty database of the same kind."""
    with _prune(empty) as process:
        meter = place.meter(process.pid)
        _end_prune(process, meter)
    return meter.seconds()


def megabytes(url: str) -> float:
    """Return the size of a database, indexes included, in MB."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return os.path.getsize(str(parsed.database)) / 1e6
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert found is not None
    return float(found[0]) / 1e6


def _drive(work: Work) -> load.Done:
    # In this process: a meter counts the provider's time alone, and a process of its own takes seconds to start.
    done = load.run(work, scripts.repeat(work.script, work.values))
    if done.failures or not done.operations:
        raise RuntimeError(f"{work.script} {work.values.get('page', '')}: {done.failures} failures, {done.samples}")
    return done


@contextmanager
def _prune(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `idp prune` beside the block, and no longer, whatever ends it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "idp", "prune", "--json"],
        env=inherited | variables(settings),
        stdout=subprocess.PIPE,
        cwd=PACKAGE.parent,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _let_run(process: "subprocess.Popen[bytes]", meter: Meter, seconds: float) -> None:
    """Wait until `idp prune` has used so much processor time, or has done: by the clock it may not even have begun."""
    deadline = time.monotonic() + _LONGEST_PRUNE_SECONDS
    while process.poll() is None and meter.seconds() < seconds:
        if time.monotonic() > deadline:
            raise RuntimeError(f"idp prune has not done in {_LONGEST_PRUNE_SECONDS:.0f} s")
        time.sleep(0.02)


def _end_prune(process: "subprocess.Popen[bytes]", meter: Meter) -> int:
    """Wait until `idp prune` has done, and return how many rows it says have gone."""
    _let_run(process, meter, inf)
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"idp prune ended with {process.returncode}")
    return sum(json.loads(said).values())
