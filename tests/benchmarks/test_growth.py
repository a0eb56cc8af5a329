"""The grown district is the same for the same seed, and is one that the provider could have made itself."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from idp.database import db, release
from tests.benchmarks import growth, growth_loading, growth_measures
from tests.benchmarks.growth_rows import loads
from tests.benchmarks.growth_scale import Scale

SCALE = Scale(200, 400, datetime(2026, 9, 1, 7, tzinfo=UTC), password_hash="none")


@pytest.mark.long
def test_a_small_district_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    growth.main(
        ["--databases", "sqlite", "--sizes", "200", "--expired-tokens", "2000", "--rounds", "1", "--share", "0.05"]
    )

    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line.startswith("flow, CPU-ms")], said
    for operation in growth_measures.OPERATIONS:
        assert f"\n{operation}, CPU-ms" in said


def test_the_same_seed_makes_the_same_rows() -> None:
    first = [list(load.rows) for load in loads(SCALE)]

    assert first == [list(load.rows) for load in loads(SCALE)]
    assert first != [list(load.rows) for load in loads(replace(SCALE, seed=208))]


def test_every_row_arrives_and_hangs_on_one_that_is_there(app: Flask, database_url: str) -> None:
    growth_loading.fill(database_url, SCALE, quiet=True)

    wanted: dict[str, int] = {}
    for load in loads(SCALE):
        wanted[load.table] = wanted.get(load.table, 0) + load.count
    tables = {table.name: table for table in db.metadata.sorted_tables}
    assert wanted == {
        name: db.session.scalar(select(func.count()).select_from(table))
        for name, table in tables.items()
        if name in wanted
    }
    for table in tables.values():
        for key in table.foreign_key_constraints:
            (element,) = key.elements
            child, parent = element.parent, element.column
            orphans = select(func.count()).select_from(table).where(child.is_not(None), child.not_in(select(parent)))
            assert db.session.scalar(orphans) == 0, key.name


def test_loading_leaves_the_indexes_that_migrations_made(app: Flask, database_url: str) -> None:
    listed = "SELECT name FROM sqlite_master WHERE type = 'index'"
    if db.engine.dialect.name == "postgresql":
        listed = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
    before = set(db.session.scalars(text(listed)))
    release()
    db.engine.dispose()

    growth_loading.fill(database_url, SCALE, quiet=True)

    assert set(db.session.scalars(text(listed))) == before
