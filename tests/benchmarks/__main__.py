"""`make bench`: what each operation costs `idp serve`, beside what a hash, a signature and a commit cost by themselves.

CPU is the server's, all its processes together, and is the figure to compare: times and rates move with whatever else
the machine does. PostgreSQL runs as in the tests, without flushing to the disk, and its own CPU is not counted.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idp.app import create_app
from idp.database import db
from idp.settings import Settings
from tests import servers
from tests.benchmarks import load, mail, processes, raw, scripts, seed, settings
from tests.benchmarks.counting import Counts, count
from tests.benchmarks.load import Done, Work
from tests.benchmarks.raw import RawCosts
from tests.benchmarks.seed import District
from tests.databases import KINDS, Databases, with_database
from tests.servers import Running

_LOG_IN_TIMES, _LOG_IN_AT_LEAST = 4, 3.0
"""Times as long, and seconds at least: one lasts as long as a hundred flows; what is not done at the end is lost."""
_HEAD = (
    "| operation | connections | CPU ms | × hash | × signature | × commit | p50 ms | p99 ms | per s "
    "| statements | commits | failures |\n" + "|---" * 12 + "|"
)


@dataclass(frozen=True)
class Options:
    """What to measure."""

    operations: list[str]
    connections: list[int]
    seconds: float
    databases: list[str]
    workers: int
    starts: int
    mails: int


@dataclass(frozen=True)
class Measured:
    """One operation under one load."""

    operation: str
    connections: int
    done: Done
    cpu_seconds: float

    @property
    def cpu_milliseconds(self) -> float:
        """The server's CPU for one operation."""
        return self.cpu_seconds / max(1, self.done.operations) * 1000


def main(arguments: list[str]) -> int:
    """Measure, print tables, and return 1 if an answer was not as it should be."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as name:
        folder = Path(name)
        costs = raw.measure(folder)
        _say(
            f"Raw costs, CPU ms: bcrypt 12 {costs.hash:.1f}, RSA-2048 signature {costs.signature:.3f}, "
            f"SQLite commit {costs.commit:.3f}; {costs.hashes_per_second:.2f} hashes/s on all cores"
        )
        databases = Databases(settings.measured(), folder)
        try:
            failures = sum(_measure(kind, databases, folder, options, costs) for kind in options.databases)
            if options.mails:
                failures += sum(_mail(kind, databases, folder, options.mails) for kind in options.databases)
        finally:
            databases.close()
    return 1 if failures else 0


def _parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    names = ",".join(scripts.MEASURED)
    parser.add_argument("--operations", default=names, help=f"of {names}")
    parser.add_argument("--connections", default="1,8,32", help="kept open at once (default: 1,8,32)")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each figure (default: 4)")
    parser.add_argument("--database", choices=[*KINDS, "both"], default="both")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--starts", type=int, default=3, help="cold starts, of which the median is told (default: 3)")
    parser.add_argument("--mails", type=int, default=10_000, help="queued and delivered; 0 for none (default: 10000)")
    given = parser.parse_args(arguments)
    operations = given.operations.split(",")
    if unknown := set(operations) - set(scripts.MEASURED):
        parser.error(f"no such operation: {', '.join(sorted(unknown))}")
    kinds = list(KINDS) if given.database == "both" else [given.database]
    connections = [int(number) for number in given.connections.split(",")]
    return Options(operations, connections, given.seconds, kinds, given.workers, given.starts, given.mails)


def _measure(kind: str, databases: Databases, folder: Path, options: Options, costs: RawCosts) -> int:
    """Measure on one kind of database, and return how many answers were wrong."""
    failures = 0
    with databases.new(kind) as url:
        configured = with_database(databases.settings, url)
        district, counts = _prepare(configured, options)
        starts = [_seconds_to_start(configured, folder, options.workers) for _ in range(options.starts)]
        _say(f"\n{kind}: cold start {statistics.median(starts):.2f} s, {options.workers} workers\n\n{_HEAD}")
        with _served(configured, folder, options.workers) as running:
            for operation in options.operations:
                for connections in options.connections:
                    measured = _under_load(running, operation, connections, options, district)
                    failures += measured.done.failures
                    _say(_row(measured, costs, counts[operation]))
                    if operation == "log_in":
                        _say_share_of_hashes(measured)
            pids = processes.tree(running.process.pid)[1:]
            memory = [processes.shared_out_mebibytes(pid) for pid in pids]
            _say(f"\nmemory per worker, MiB (PSS, after the load): {', '.join(f'{size:.0f}' for size in memory)}")
    return failures


def _mail(kind: str, databases: Databases, folder: Path, how_many: int) -> int:
    """Measure how quickly a full outbox empties, and return how many messages were left in it."""
    with databases.new(kind) as url:
        mailed = mail.measure(with_database(databases.settings, url), folder, how_many)
    _say(f"\n{kind}: {mailed}")
    return mailed.queued - mailed.accepted


def _prepare(configured: Settings, options: Options) -> tuple[District, dict[str, Counts]]:
    app = create_app(configured)
    district = seed.fill(app)
    counts = {operation: count(app, operation, district.values) for operation in options.operations}
    with app.app_context():
        db.engine.dispose()
    return district, counts


@contextmanager
def _served(configured: Settings, folder: Path, workers: int) -> Iterator[Running]:
    with servers.provider(configured, folder, workers=workers) as running:
        yield running


def _seconds_to_start(configured: Settings, folder: Path, workers: int) -> float:
    """Return how long it takes from the command to the first answer, to within 50 ms."""
    began = time.perf_counter()
    with _served(configured, folder, workers):
        return time.perf_counter() - began


def _under_load(running: Running, operation: str, connections: int, options: Options, district: District) -> Measured:
    seconds = options.seconds
    if operation == "log_in":
        seconds = max(_LOG_IN_TIMES * seconds, _LOG_IN_AT_LEAST)
    port = int(running.origin.rpartition(":")[2])
    warm = Work(port, operation, district.values, connections, seconds=min(1.0, options.seconds / 4))
    load.drive(warm)
    before = processes.cpu_seconds(running.process.pid)
    done = load.drive(Work(port, operation, district.values, connections, seconds))
    return Measured(operation, connections, done, processes.cpu_seconds(running.process.pid) - before)


def _row(measured: Measured, costs: RawCosts, counts: Counts) -> str:
    cpu, done = measured.cpu_milliseconds, measured.done
    rate = done.operations / done.seconds if done.seconds else 0.0
    row = (
        f"| {measured.operation} | {measured.connections} | {cpu:.3f} | {cpu / costs.hash:.4f} "
        f"| {cpu / costs.signature:.2f} | {cpu / costs.commit:.1f} "
        f"| {done.percentile(0.5) * 1000:.1f} | {done.percentile(0.99) * 1000:.1f} | {rate:.1f} "
        f"| {counts.statements} | {counts.commits} | {done.failures} |"
    )
    return row + "".join(f"\n  failed: {sample}" for sample in done.samples)


def _say_share_of_hashes(measured: Measured) -> None:
    """Compare with what the library does on all cores just now, since the machine is another one each minute."""
    alone = raw.hashes_per_second()
    rate = measured.done.operations / measured.done.seconds
    put_off = f"; asked {measured.done.put_off} times to come back later" if measured.done.put_off else ""
    _say(f"  log-ins: {rate / alone:.0%} of the {alone:.2f} hashes/s that bcrypt alone does on all cores{put_off}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
