"""`make bench-growth`: does a flow cost in a district of a million what it costs in one of a thousand?

For each size and database: a filled database, a real `idp serve`, and the CPU-milliseconds of each operation, by the
server and its database sessions together. Sizes take turns, since a machine drifts from minute to minute; of several
rounds the cheapest counts. Passwords are hashed at bcrypt's lowest cost, about a millisecond, which is not taken off.
"""

import argparse
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import nan
from pathlib import Path

from idp import clock
from idp.accounts import passwords
from idp.app import create_app
from idp.database import db, release
from idp.settings import DEVELOPMENT, Database, NamedKey, Passwords, Secrets, Server, Settings
from tests import servers
from tests.benchmarks import growth_loading, growth_measures
from tests.benchmarks.growth_measures import Place
from tests.benchmarks.growth_scale import Scale
from tests.databases import KINDS, Databases, with_database
from tests.factories import PASSWORD

LEAST_EXPIRED = 500_000
"""Expired tokens in the smallest district: enough for the price of a thousand to be read from a clock of 10 ms."""


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for, and print it."""
    asked = _arguments(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and databases go, too
    sizes = [int(size) for size in asked.sizes.split(",")]
    if asked.folder:
        asked.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-growth-", dir=asked.folder)))
        databases = Databases(settings(), folder)
        stack.callback(databases.close)
        for kind in asked.databases.split(","):
            with ExitStack() as at_once:
                scales = [
                    Scale(size, asked.expired_tokens or max(LEAST_EXPIRED, 10 * size), clock.now()) for size in sizes
                ]
                places = [at_once.enter_context(prepared(databases, kind, scale, folder)) for scale in scales]
                empty = at_once.enter_context(databases.new(kind))
                measure(places, asked.rounds, asked.share, with_database(databases.settings, empty))
                print(report(places))


def measure(places: Sequence[Place], rounds: int, share: float, empty: Settings) -> None:
    """Measure all districts of one kind of database, in turns; empty settings tell what `idp prune` costs to start."""
    for place in places:
        place.figures["database, MB"] = growth_measures.megabytes(place.url)
        growth_measures.warm_up(place)
    for number in range(rounds):
        for place in places if number % 2 == 0 else reversed(places):
            _say(f"round {number + 1} of {rounds}: {place.kind}, {place.scale.accounts:,} accounts")
            growth_measures.measure_operations(place, share)
    start_up = min(growth_measures.start_up_seconds(places[0], empty) for _ in range(2))
    for place in places:
        _say(f"what is let go of, by kind: {place.kind}, {place.scale.accounts:,} accounts")
        growth_measures.measure_kinds(place)
    for place in places:
        _say(f"idp prune: {place.kind}, {place.scale.accounts:,} accounts")
        growth_measures.measure_prune(place, start_up)


@contextmanager
def prepared(databases: Databases, kind: str, scale: Scale, folder: Path) -> Iterator[Place]:
    """Fill a database and serve it."""
    with databases.new(kind) as url:
        own = with_database(databases.settings, url)
        _say(f"filling {kind} with {scale.accounts:,} accounts and {scale.expired_tokens:,} expired tokens")
        scale = Scale(scale.accounts, scale.expired_tokens, scale.now, scale.seed, _password_hash(own))
        growth_loading.fill(url, scale)
        with servers.provider(own, folder) as server:
            yield Place(kind, scale, own, url, server)


def settings() -> Settings:
    """Return settings with keys that nobody has seen, and hashes that cost next to nothing."""

    def key() -> tuple[NamedKey, ...]:
        return (NamedKey("k1", secrets.token_bytes(32)),)

    return Settings(
        environment=DEVELOPMENT,
        server=Server(issuer="http://localhost:5000"),
        database=Database(url="sqlite:///:memory:"),
        secrets=Secrets(wrapping_keys=key(), peppers=key(), audit_keys=key()),
        passwords=Passwords(bcrypt_cost=4),
    )


def report(places: Sequence[Place]) -> str:
    """Return a table: a line for each figure, a column for each size, and the largest's ratio to the smallest."""
    header = [f"{places[0].kind}, accounts", *(f"{place.scale.accounts:,}" for place in places), "ratio"]
    lines = [header, ["expired tokens", *(f"{place.scale.expired_tokens:,}" for place in places), ""]]
    lines += [
        _line(f"{name}, CPU-ms", [min(place.costs[name]) for place in places]) for name in growth_measures.OPERATIONS
    ]
    names = list(dict.fromkeys(name for place in places for name in place.figures))
    lines += [_line(name, [place.figures.get(name, nan) for place in places]) for name in names]
    return "\n" + "\n".join(f"{line[0]:<44}" + "".join(f"{cell:>14}" for cell in line[1:]) for line in lines)


def _line(name: str, values: Sequence[float]) -> list[str]:
    ratio = f"{values[-1] / values[0]:.2f}" if values[0] else ""
    return [name, *(f"{value:,.3f}" if value < 100 else f"{value:,.0f}" for value in values), ratio]


def _password_hash(own: Settings) -> str:
    app = create_app(own)
    with app.app_context():
        try:
            return passwords.hash_password(PASSWORD)
        finally:
            release()
            db.engine.dispose()


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", default="1000,100000,1000000", help="how many accounts, smallest first")
    parser.add_argument("--databases", default=",".join(KINDS), help="which kinds of database")
    parser.add_argument("--expired-tokens", type=int, help="how many at each size; as a rule ten for an account")
    parser.add_argument("--rounds", type=int, default=4, help="how often each operation is measured")
    parser.add_argument("--share", type=float, default=1.0, help="of the operations in a round, for a quick look")
    parser.add_argument("--folder", type=Path, help="where the databases are made; the largest takes 9 GB")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
