"""How many generated requests a run sends, and from which seed; the district that they are sent to."""

import os
import secrets
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as hypothesis_settings
from jinja2 import FileSystemBytecodeCache

from idp.settings import Settings
from tests.databases import POSTGRESQL, Databases
from tests.properties import world
from tests.properties.world import World

FUZZ = int(os.environ.get("IDP_FUZZ_EXAMPLES", "0"))
"""Requests of a long run (`make fuzz`); none, when it is a run of `make test`, which is the same each time."""
_SEED = int(os.environ.get("IDP_FUZZ_SEED", "0")) or secrets.randbits(32)


def pytest_report_header() -> str | None:
    """Say how a long run can be repeated."""
    return f"generated requests: {FUZZ}, repeat with IDP_FUZZ_SEED={_SEED}" if FUZZ else None


class Budget:
    """How far a run goes: nine tenths of it on SQLite, which is quicker, and one on PostgreSQL."""

    def __init__(self, kind: str) -> None:
        self.requests = (FUZZ or 20_000) * (1 if kind == POSTGRESQL else 9) // 10

    def settings(self, examples: int) -> hypothesis_settings:
        """Return Hypothesis' settings for so many examples: time is no matter, and nothing is kept on the disk."""
        return hypothesis_settings(
            max_examples=examples,
            derandomize=not FUZZ,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        )

    def steps(self, steps: int) -> hypothesis_settings:
        """Return Hypothesis' settings for runs of so many steps, of which each sends half a dozen requests."""
        return hypothesis_settings(self.settings(max(10, self.requests // 450)), stateful_step_count=steps)

    def seeded(self, test: Callable[..., object]) -> None:
        """Give a test of a long run the seed that was told."""
        if FUZZ:
            seed(_SEED)(test)


@pytest.fixture
def budget(database_kind: str) -> Budget:
    """How far this run goes."""
    return Budget(database_kind)


@pytest.fixture
def district(
    session_settings: Settings,
    all_databases: Databases,
    database_kind: str,
    compiled_templates: FileSystemBytecodeCache,
) -> Iterator[World]:
    """A district on a database of its own."""
    with all_databases.new(database_kind) as url, world.made(session_settings, url, compiled_templates) as made:
        yield made
