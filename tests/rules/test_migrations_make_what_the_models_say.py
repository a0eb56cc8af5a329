"""Migrations go up and down, on both databases, to exactly what the models say."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect

from idp import schema
from idp.database import db
from idp.settings import PACKAGE, Settings
from tests.databases import AppBuilder, with_database

MIGRATIONS = sorted((PACKAGE / "migrations" / "versions").glob("*.py"))


@pytest.fixture
def empty(settings: Settings, empty_database_url: str, build_app: AppBuilder) -> Iterator[Flask]:
    """The application on a database without any table."""
    app = build_app(with_database(settings, empty_database_url))
    with app.app_context():
        yield app


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_models_equal_migrations(empty: Flask) -> None:
    schema.upgrade()

    schema.check()
    assert schema.is_current()
    assert tables() == set(db.metadata.tables)


def test_going_down_leaves_nothing(empty: Flask) -> None:
    schema.upgrade()
    schema.downgrade("base")

    assert tables() == set()
    assert not schema.is_current()


def test_each_step_can_be_taken_back_and_repeated(empty: Flask) -> None:
    for _ in MIGRATIONS:
        schema.upgrade("+1")
        schema.downgrade("-1")
        schema.upgrade("+1")

    schema.check()


def test_a_second_upgrade_changes_nothing(empty: Flask) -> None:
    schema.upgrade()
    before = tables()
    schema.upgrade()

    assert tables() == before
    schema.check()


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda path: path.stem)
def test_a_migration_does_not_depend_on_code_that_changes(migration: Path) -> None:
    tree = ast.parse(migration.read_text())
    imported = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]

    assert imported
    assert not [name for name in imported if name.split(".")[0] in {"idp", "clients", "tests"}]
