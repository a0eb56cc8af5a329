"""The doctor tells an operator what is wrong before parents do."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import text

from idp import clock
from idp.accounts import passwords
from idp.accounts.models import Account
from idp.audit import service as audit
from idp.database import db
from idp.operations import doctor, doctor_settings, leases, secret_keys
from idp.operations.finding import NOTE, OK, PROBLEM, Finding
from idp.sessions.models import LogoutNotice
from idp.settings import PRODUCTION, NamedKey, Passwords, Settings
from tests import servers
from tests.databases import AppBuilder, Databases, with_database
from tests.factories import Person, Registered
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
    assert [level for level, _words in _of(doctor.examine(clock.now()), "clock")] == [OK]
    with clock.shifted(timedelta(minutes=1)):
        found = _of(doctor.examine(clock.now()), "clock")

    assert [level for level, _words in found] == [PROBLEM if has_its_own_clock else OK]


def test_a_clock_that_was_set_back_is_a_problem(app: Flask, parent: Person) -> None:
    with clock.shifted(timedelta(minutes=10)):
        audit.record("test", account_id=parent.id)
        db.session.commit()

    ((level, words),) = _of(doctor.examine(clock.now()), "clock")

    assert level == PROBLEM
    assert "600 seconds in the future" in words or "599 seconds in the future" in words


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


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("section", "values", "subject", "said"),
    [
        ("server", {"log_level": "DEBUG"}, "settings", "log_level is DEBUG"),
        ("server", {"admin_networks": ("0.0.0.0/0",)}, "network", "admin_networks lets the whole internet in"),
        ("server", {"metrics_networks": ("::/0",)}, "network", "metrics_networks lets the whole internet in"),
        ("server", {"trusted_proxies": 1, "host": "192.0.2.1"}, "proxy", "is believed any address"),
        ("server", {"issuer": "https://login.example.org"}, "proxy", "trusted_proxies is 0"),
        ("sessions", {"absolute_hours": 72}, "sessions", "absolute_hours is 72"),
        ("sessions", {"absolute_hours": 1, "idle_minutes": 61}, "sessions", "idle_minutes is longer"),
        ("tokens", {"access_token_seconds": 7200}, "tokens", "access_token_seconds is 7200"),
        ("tokens", {"id_token_seconds": 3601}, "tokens", "id_token_seconds is 3601"),
        ("audit", {"retention_days": 30}, "audit", "retention_days is 30"),
    ],
)
def test_what_is_allowed_but_unwise_is_noted(
    app: Flask, change: Callable[..., None], section: str, values: dict[str, Any], subject: str, said: str
) -> None:
    before = list(doctor_settings.examine({}))
    change(**{section: replace(getattr(app.config["IDP"], section), **values)})

    (found,) = [one for one in doctor_settings.examine({}) if one not in before]

    assert (found.level, found.subject) == (NOTE, subject)
    assert said in found.text


@pytest.mark.one_database
def test_what_production_should_not_have_is_noted(app: Flask, change: Callable[..., None]) -> None:
    change(environment=PRODUCTION, passwords=Passwords(bcrypt_cost=10))

    found = {(one.level, one.text.split(":")[0].split(" lets")[0]) for one in doctor_settings.examine({})}

    assert {(NOTE, "bcrypt_cost is 10"), (NOTE, "outbound_allowed")} <= found


@pytest.mark.one_database
def test_secrets_that_others_can_read_are_a_problem(app: Flask, tmp_path: Path) -> None:
    keys = Path(tempfile.mkdtemp(dir="/tmp")) / "keys"  # below which everybody may look, as pytest's own folders forbid
    keys.parent.chmod(0o755)
    keys.write_text("w1:x")
    try:
        levels = {}
        for mode in (0o600, 0o640, 0o644):
            keys.chmod(mode)
            found = doctor_settings.examine({"IDP_SECRETS_PEPPERS_FILE": str(keys)})
            levels[mode] = [(one.level, one.text) for one in found if one.subject == "secrets"]
        assert levels[0o600] == levels[0o640] == []
        assert levels[0o644] == [(PROBLEM, f"everybody on this machine can read {keys}; run chmod 600 {keys}")]
        keys.parent.chmod(0o700)
        found = doctor_settings.examine({"IDP_SECRETS_PEPPERS_FILE": str(keys)})
        assert [one for one in found if one.subject == "secrets"] == []
    finally:
        shutil.rmtree(keys.parent)


@pytest.mark.one_database
def test_secrets_in_the_environment_are_noted_without_being_repeated(app: Flask) -> None:
    found = doctor_settings.examine({"IDP_SECRETS_PEPPERS": "p1:c2VjcmV0", "IDP_DATABASE_URL": "postgresql://a:b@c/d"})
    told = [one for one in found if one.subject == "secrets"]

    assert [one.level for one in told] == [NOTE, NOTE]
    assert [one.text.split(" ")[0] for one in told] == ["IDP_SECRETS_PEPPERS", "IDP_DATABASE_URL"]
    assert "c2VjcmV0" not in str(told)
    assert "a:b" not in str(told)


def test_events_that_wait_for_their_seal_are_a_problem(app: Flask, parent: Person, idp: Commands) -> None:
    audit.record("test", account_id=parent.id)
    db.session.commit()
    later = clock.now() + timedelta(minutes=10)

    waiting = [found for found in _of(doctor.examine(later), "audit") if "wait for their seal" in found[1]]
    assert [level for level, _words in waiting] == [PROBLEM]
    idp("worker", "--once")
    db.session.rollback()
    assert not [found for found in _of(doctor.examine(later), "audit") if "wait for their seal" in found[1]]


def test_log_outs_that_nobody_could_be_told_of_are_noted(
    app: Flask, parent: Person, client: Callable[..., Registered]
) -> None:
    assert _of(doctor.examine(clock.now()), "notices")[0][0] == OK
    registered = client()
    now = clock.now()
    for given_up in (None, now):
        notice = LogoutNotice(client_pk=registered.id, account_id=parent.id, sid="s", created_at=now, due_at=now)
        notice.given_up_at = given_up
        db.session.add(notice)
    db.session.commit()

    found = _of(doctor.examine(now + timedelta(minutes=6)), "notices")

    assert [level for level, _words in found] == [NOTE, NOTE]
    assert "1 log-outs wait" in found[0][1]
    assert "1 log-outs of the last day could not be told" in found[1][1]


def test_keys_that_are_late_for_their_rotation_are_a_problem(app: Flask) -> None:
    now = clock.now()
    ((level, words),) = _of(doctor.examine(now), "keys")
    assert level == OK
    assert f"next rotation {now + timedelta(days=90):%Y-%m-%d}" in words

    with clock.shifted(timedelta(days=92)):
        ((level, words),) = _of(doctor.examine(clock.now()), "keys")
    assert (level, words) == (PROBLEM, "RS256, ES256, EdDSA should have been rotated; start idp worker")


def test_a_key_that_a_password_needs_is_a_problem_when_it_is_missing(
    app: Flask, parent: Person, change: Callable[..., None]
) -> None:
    change(secrets=replace(app.config["IDP"].secrets, peppers=(NamedKey("k2", b"2" * 32),)))

    problems = [found for found in _of(doctor.examine(clock.now()), "secrets") if found[0] == PROBLEM]

    assert problems == [
        (PROBLEM, "pepper key 'k1' is missing: 1 passwords need it: put it back at the end of [secrets] peppers")
    ]


def test_keys_that_are_old_or_no_longer_needed_are_noted(app: Flask, change: Callable[..., None]) -> None:
    now = clock.now()
    secrets = app.config["IDP"].secrets
    secret_keys.note(now)
    change(secrets=replace(secrets, peppers=(NamedKey("k2", b"2" * 32), *secrets.peppers)))
    secret_keys.note(now)

    (free,) = [words for level, words in _of(doctor.examine(now), "secrets") if level == NOTE]
    old = [words for level, words in _of(doctor.examine(now + timedelta(days=731)), "secrets") if level == NOTE]

    assert free == "pepper key 'k1': nothing needs it any more: take it out of [secrets] peppers"
    assert "wrapping key 'k1' has been used for 731 days; change it, see config/README.md" in old


def test_passwords_of_a_higher_cost_are_noted(app: Flask, parent: Person, change: Callable[..., None]) -> None:
    assert _of(doctor.examine(clock.now()), "password") == []
    with app.app_context():
        app.config["IDP"] = replace(app.config["IDP"], passwords=Passwords(bcrypt_cost=5))
        stored = passwords.hash_password("plum harbour violin sketch")
        db.session.get_one(Account, parent.id).password_hash = stored
        db.session.commit()
    change(passwords=Passwords(bcrypt_cost=4))

    ((level, words),) = _of(doctor.examine(clock.now()), "password")

    assert level == NOTE
    assert words.startswith("1 passwords have a higher cost than bcrypt_cost 4")


def test_a_database_that_others_can_reach_is_a_problem_and_its_disk_s_room_is_told(
    settings: Settings, all_databases: Databases, tmp_path: Path, build_app: AppBuilder
) -> None:
    with all_databases.new("sqlite") as url, build_app(with_database(settings, url)).app_context():
        path = Path(str(db.engine.url.database))
        findings = list(doctor.examine_file(path, least_free=0))
        full = list(doctor.examine_file(path, least_free=2**63))
        mounts = tmp_path / "mounts"
        mounts.write_text(f"/dev/a / ext4 rw 0 0\nserver:/x {path.parent} nfs4 rw 0 0\nb /else cifs rw 0 0\n")
        shared = list(doctor.examine_file(path, least_free=0, mounts=mounts))

    assert [one.level for one in findings if one.subject == "disk"] == [OK]
    assert [one.level for one in full if one.subject == "disk"] == [PROBLEM]
    assert "GB are free" in full[-1].text
    assert "nfs4" in shared[-1].text
    assert shared[-1].level == PROBLEM


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("headers", "level", "subject", "said"),
    [
        ([("strict-transport-security", "max-age=1"), ("set-cookie", "__Host-a=b; Secure")], OK, "tls", "in order"),
        ([("set-cookie", "__Host-a=b; Secure")], PROBLEM, "tls", "takes Strict-Transport-Security away"),
        ([("strict-transport-security", "max-age=1"), ("set-cookie", "a=b; Secure")], PROBLEM, "cookies", "__Host-"),
        ([("strict-transport-security", "max-age=1"), ("set-cookie", "__Host-a=b")], PROBLEM, "cookies", "Secure"),
    ],
)
def test_a_proxy_that_changes_what_we_send_is_a_problem(
    app: Flask, change: Callable[..., None], headers: list[tuple[str, str]], level: str, subject: str, said: str
) -> None:
    change(server=replace(app.config["IDP"].server, issuer="https://login.example.org"))

    (found,) = doctor.examine_transport(httpx.Response(200, headers=headers))

    assert (found.level, found.subject) == (level, subject)
    assert said in found.text


def test_a_language_that_nobody_has_translated_is_noted(app: Flask, change: Callable[..., None]) -> None:
    change(district=replace(app.config["IDP"].district, languages=("en", "es", "es-MX", "pl", "ar")))

    ((level, words),) = _of(list(doctor_settings.examine({})), "languages")

    assert (level, "pl, ar" in words) == (NOTE, True)


def test_a_help_text_that_is_wrong_is_told_like_a_wrong_setting(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "en.md").write_text("## Why?\n\n[Because](#nowhere)\n")
    district = replace(settings.district, help_folder=str(tmp_path))

    result = Commands(replace(settings, district=district))("doctor", "--json")

    ((level, words),) = ((found["level"], found["text"]) for found in json.loads(result.stdout))
    assert (result.exit_code, level) == (2, PROBLEM)
    assert "en.md: no answer has the name #nowhere" in words
