"""The doctor tells an operator what is wrong before parents do."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from idp import clock
from idp.database import db
from idp.operations import doctor, leases
from idp.operations.doctor import NOTE, OK, PROBLEM, Finding
from idp.settings import NamedKey, Passwords, Settings
from tests import servers
from tests.databases import Databases, with_database
from tests.programs import Commands


def _of(findings: list[Finding], subject: str) -> list[tuple[str, str]]:
    return [(found.level, found.text) for found in findings if found.subject == subject]


@pytest.fixture
def change(app: Flask) -> Callable[..., None]:
    """Change settings of the application."""

    def changed(**sections: object) -> None:
        app.config["IDP"] = replace(app.config["IDP"], **sections)

    return changed


def test_a_provider_that_runs_is_healthy(settings: Settings, all_databases: Databases, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with all_databases.new("sqlite") as url, servers.provider(with_database(settings, url), tmp_path) as running:
        served = replace(with_database(settings, url), server=replace(settings.server, issuer=running.origin))
        idp = Commands(served)
        idp("worker", "--once")
        result = idp("doctor", "--json")
    findings = json.loads(result.stdout)

    assert result.exit_code == 0, result.output
    assert {found["level"] for found in findings} == {OK, NOTE}
    subjects = {found["subject"] for found in findings if found["level"] == OK}
    assert subjects >= {"settings", "database", "keys", "audit", "worker", "issuer"}


def test_an_issuer_that_does_not_answer_is_a_problem(app: Flask, change: Callable[..., None], unused_port: int) -> None:
    change(server=replace(app.config["IDP"].server, issuer=f"http://127.0.0.1:{unused_port}"))

    ((level, words),) = _of(doctor.examine(clock.now()), "issuer")

    assert level == PROBLEM
    assert "can't be reached" in words


def test_an_issuer_that_is_another_provider_is_a_problem(
    app: Flask, change: Callable[..., None], settings: Settings, all_databases: Databases, tmp_path: Path
) -> None:
    with all_databases.new("sqlite") as url, servers.provider(with_database(settings, url), tmp_path) as running:
        other_name = running.origin.replace("localhost", "127.0.0.1")
        change(server=replace(app.config["IDP"].server, issuer=other_name))
        ((level, words),) = _of(doctor.examine(clock.now()), "issuer")

    assert level == PROBLEM
    assert "not as this provider" in words


def test_a_worker_that_is_silent_is_a_problem(app: Flask) -> None:
    assert _of(doctor.examine(clock.now()), "worker")[0][0] == PROBLEM
    leases.beat(clock.now())
    assert _of(doctor.examine(clock.now()), "worker") == [(OK, "alive")]
    assert _of(doctor.examine(clock.now() + timedelta(minutes=3)), "worker")[0][0] == PROBLEM


def test_a_clock_that_differs_from_the_database_servers_is_a_problem(app: Flask) -> None:
    has_its_own_clock = db.engine.dialect.name == "postgresql"
    assert _of(doctor.examine(clock.now()), "clock") == [(OK, "agrees with the database's")] * has_its_own_clock
    with clock.shifted(timedelta(minutes=1)):
        found = _of(doctor.examine(clock.now()), "clock")

    assert [level for level, _words in found] == [PROBLEM] * has_its_own_clock


def test_short_passwords_are_noted_with_what_nist_says(app: Flask, change: Callable[..., None]) -> None:
    assert _of(doctor.examine(clock.now()), "password") == []
    change(passwords=Passwords(minimum_length=8))

    ((level, words),) = _of(doctor.examine(clock.now()), "password")

    assert level == NOTE
    assert "AAL1 is not met" in words


def test_one_key_for_two_purposes_is_a_problem(app: Flask, change: Callable[..., None]) -> None:
    secrets = app.config["IDP"].secrets
    change(secrets=replace(secrets, peppers=secrets.wrapping_keys))

    assert _of(doctor.examine(clock.now()), "secrets")[0][0] == PROBLEM


@pytest.mark.parametrize(("lost", "subject"), [("wrapping_keys", "keys"), ("audit_keys", "audit")])
def test_a_key_that_was_lost_is_a_problem(lost: str, subject: str, app: Flask, idp: Commands) -> None:
    idp("worker", "--once")
    configured = app.config["IDP"]
    another = (NamedKey("k9", b"9" * 32),)

    result = Commands(replace(configured, secrets=replace(configured.secrets, **{lost: another})))("doctor", "--json")
    levels = {found["subject"]: found["level"] for found in json.loads(result.stdout)}

    assert levels[subject] == PROBLEM


def test_a_database_that_is_behind_is_a_problem(app: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))

    ((level, words),) = [found for found in _of(doctor.examine(clock.now()), "database") if found[0] == PROBLEM]

    assert "run idp db upgrade" in words
    assert level == PROBLEM


def test_a_database_that_does_not_answer_is_a_problem(settings: Settings, unused_port: int) -> None:
    away = with_database(settings, f"postgresql://nobody@127.0.0.1:{unused_port}/nothing")

    result = Commands(away)("doctor")

    assert result.exit_code == 1
    assert "the database does not answer" in result.stdout


def test_wrong_settings_are_a_line_each(settings: Settings) -> None:
    result = Commands(replace(settings, server=replace(settings.server, issuer="nonsense", threads=0)))("doctor")

    assert result.exit_code == 2
    assert len([line for line in result.stdout.splitlines() if line.startswith("problem  settings")]) == 2


def test_a_new_key_is_one_that_settings_take(settings: Settings) -> None:
    first, second = (Commands(settings)("doctor", "--new-key").stdout.strip() for _ in range(2))
    name, _, _value = first.partition(":")

    assert first != second
    assert name.isalnum()
    assert len(first.partition(":")[2]) == 44
