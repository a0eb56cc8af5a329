"""A node says that it is ready only when its database answers and has a shape that it knows how to use."""

import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from idp import schema
from idp.database import db
from idp.operations import readiness
from idp.operations.readiness import Shape, shape
from idp.settings import Settings
from tests.databases import AppBuilder, with_database
from tests.programs import Commands


def _set_revision(revision: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_an_up_to_date_database_is_ready(app: Flask) -> None:
    assert shape(db.engine) is Shape.CURRENT
    assert app.test_client().get("/readyz").status_code == 200


def test_a_database_that_a_newer_version_has_upgraded_is_ready(app: Flask) -> None:
    _set_revision("9999")

    assert shape(db.engine) is Shape.AHEAD
    assert app.test_client().get("/readyz").status_code == 200


def test_a_database_without_tables_is_not_ready(
    settings: Settings, build_app: AppBuilder, empty_database_url: str
) -> None:
    node = build_app(with_database(settings, empty_database_url))
    with node.app_context():
        assert shape(db.engine) is Shape.EMPTY
        answer = node.test_client().get("/readyz")

    assert (answer.status_code, answer.json) == (503, {"status": "unavailable", "cause": "schema"})


def test_a_database_server_that_does_not_answer_makes_503_in_time(
    settings: Settings, build_app: AppBuilder, unused_port: int
) -> None:
    node = build_app(with_database(settings, f"postgresql://nobody@127.0.0.1:{unused_port}/nothing"))
    began = time.monotonic()

    assert node.test_client().get("/readyz").status_code == 503
    assert node.test_client().get("/healthz").status_code == 200
    assert time.monotonic() - began < 5


def test_a_database_server_that_hangs_makes_503_in_time(
    settings: Settings, build_app: AppBuilder, hanging_port: int
) -> None:
    node = build_app(with_database(settings, f"postgresql://nobody@127.0.0.1:{hanging_port}/nothing?connect_timeout=6"))
    began = time.monotonic()

    assert [node.test_client().get("/readyz").status_code for _ in range(2)] == [503, 503]
    assert time.monotonic() - began < 6


def test_the_newest_revision_is_what_alembic_says() -> None:
    assert readiness.revisions()[1] == schema.newest()


def test_current_tells_how_far_the_database_is(idp: Commands) -> None:
    result = idp("db", "current")

    assert result.exit_code == 0
    assert "current" in result.stdout


@pytest.mark.parametrize("arguments", [("base", "--yes"), ("base",)])
def test_downgrade_empties_it_and_upgrade_brings_it_back(arguments: tuple[str, ...], app: Flask, idp: Commands) -> None:
    assert idp("db", "downgrade", *arguments, typed="y\n").exit_code == 0
    assert idp("db", "current").exit_code == 1

    assert idp("db", "upgrade").exit_code == 0
    assert idp("db", "current").exit_code == 0


def test_downgrade_asks_first(app: Flask, idp: Commands) -> None:
    assert idp("db", "downgrade", "base", typed="n\n").exit_code == 1
    assert shape(db.engine) is Shape.CURRENT


def test_downgrade_knows_its_revisions(idp: Commands) -> None:
    refused = idp("db", "downgrade", "nowhere", "--yes")

    assert refused.exit_code == 1
    assert "choose one of base, 0001" in refused.stderr


def test_upgrade_is_safe_to_repeat(tmp_path: Path, settings: Settings) -> None:
    idp = Commands(with_database(settings, f"sqlite:///{tmp_path}/again.db"))

    assert [idp("db", "upgrade").exit_code for _ in range(2)] == [0, 0]
