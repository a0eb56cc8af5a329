"""A process takes a changed file of secrets: read at once, used later, and never what would lose something."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from idp import clock, sealing, settings
from idp.accounts import passwords
from idp.accounts.models import Account
from idp.accounts.passwords import Credentials, Match
from idp.database import db
from idp.oidc import keys as signing_keys
from idp.operations import secret_keys
from idp.operations.models import SecretKey
from idp.operations.secret_keys import PEPPER, WRAPPING, Difference, Trouble
from idp.operations.secret_watch import Watch
from tests import factories, servers
from tests.databases import AppBuilder, with_database
from tests.keys.conftest import KeyFiles, Place

pytestmark = pytest.mark.one_database  # what differs between them, test_idp_keys.py runs on both

SECOND = timedelta(seconds=1)
Output = pytest.CaptureFixture[str]


def names(setting: str) -> list[str]:
    return [key.name for key in getattr(settings.current().secrets, setting)]


def events(output: Output) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.readouterr().err.splitlines()]


def test_a_new_first_key_is_read_at_once_and_used_when_all_others_have_read_it(
    watch: Watch, node: Flask, files: KeyFiles, capsys: Output
) -> None:
    now = clock.now()
    watch.look(now)
    files.write("wrapping_keys", "w2", "w1")

    watch.look(now + SECOND)
    assert names("wrapping_keys") == ["w1", "w2"]
    watch.look(now + 3.9 * SECOND)
    assert sealing.seal("x", b"y").startswith("w1.")
    watch.look(now + 4 * SECOND)
    assert names("wrapping_keys") == ["w2", "w1"]
    assert sealing.seal("x", b"y").startswith("w2.")
    told = [line for line in events(capsys) if str(line["event"]).startswith("secrets_")]
    assert [(line["event"], line["wrapping_keys"]) for line in told] == [
        ("secrets_read", ["w1"]),
        ("secrets_read", ["w1", "w2"]),
        ("secrets_used", ["w2", "w1"]),
    ]
    assert files.keys["w2"].value not in str(told).encode()


def test_a_change_that_is_taken_back_in_time_is_never_used(watch: Watch, node: Flask, files: KeyFiles) -> None:
    now = clock.now()
    watch.look(now)
    files.write("wrapping_keys", "w2", "w1")
    watch.look(now + SECOND)
    files.write("wrapping_keys", "w1", "w2")
    for seconds in range(2, 10):
        watch.look(now + seconds * SECOND)

    assert names("wrapping_keys") == ["w1", "w2"]


def test_what_one_process_seals_every_other_one_opens_however_far_each_has_come(
    watch: Watch, node: Flask, files: KeyFiles, place: Place, build_app: AppBuilder
) -> None:
    """Two processes that look half a second apart, through both steps at once and a third one's start."""
    other = build_app(place.settings)
    late = Watch(other, place.environment)
    now = clock.now()
    watch.look(now)
    late.look(now)
    files.write("wrapping_keys", "w2", "w1")
    files.write("peppers", "p2", "p1")

    for quarters in range(24):
        if quarters % 2 == 0:
            look = watch if quarters % 4 == 0 else late
            look.look(now + quarters * SECOND / 4)
        for one, another in ((node, other), (other, node)):
            with one.app_context():
                sealed, stored = sealing.seal("x", b"y"), passwords.hash_password("plum harbour violin sketch")
            with another.app_context():
                assert sealing.open_sealed("x", sealed) == b"y"
                typed = passwords.matches("plum harbour violin sketch", Credentials(stored), clock.now())
                assert typed is Match.PASSWORD
    assert names("peppers") == ["p2", "p1"]


def test_a_file_that_is_wrong_changes_nothing_and_is_told_once(
    watch: Watch, node: Flask, files: KeyFiles, capsys: Output
) -> None:
    now = clock.now()
    watch.look(now)
    for text in ("", "w2:tooshort", "w1", "{"):
        files.write_text("wrapping_keys", text)
        watch.look(now)
        watch.look(now + 10 * SECOND)
        (line,) = [line for line in events(capsys) if line["event"] == "secrets_not_taken"]
        assert "IDP_SECRETS_WRAPPING_KEYS" in str(line["problems"])
        assert "tooshort" not in str(line)
    files.write("wrapping_keys", "w2", "w1")
    watch.look(now + 20 * SECOND)

    assert names("wrapping_keys") == ["w1", "w2"]


@pytest.mark.parametrize("setting", ["wrapping_keys", "peppers", "audit_keys"])
def test_the_key_in_use_can_not_be_taken_away(
    watch: Watch, node: Flask, files: KeyFiles, capsys: Output, setting: str
) -> None:
    watch.look(clock.now())
    before = names(setting)
    files.write(setting, "new")
    watch.look(clock.now())
    watch.look(clock.now() + timedelta(minutes=1))

    (line,) = [line for line in events(capsys) if line["event"] == "secrets_not_taken"]
    assert f"{setting} no longer has {before[0]!r}, which is in use" in str(line["problems"])
    assert names(setting) == before


@pytest.mark.parametrize(
    ("setting", "needed_by"),
    [("wrapping_keys", "3 signing keys"), ("peppers", "1 passwords"), ("audit_keys", "security events")],
)
def test_a_key_that_something_needs_can_not_be_taken_away(
    watch: Watch, node: Flask, files: KeyFiles, capsys: Output, setting: str, needed_by: str
) -> None:
    now = clock.now()
    signing_keys.rotate_due(now)
    factories.account()
    watch.look(now)
    old = names(setting)[0]
    files.write(setting, "new", old)
    watch.look(now + SECOND)
    watch.look(now + 5 * SECOND)
    assert names(setting) == ["new", old]
    files.write(setting, "new")
    watch.look(now + 6 * SECOND)
    watch.look(now + 12 * SECOND)

    (line,) = [line for line in events(capsys) if line["event"] == "secrets_not_taken"]
    assert f"{setting} no longer has {old!r}, which " in str(line["problems"])
    assert needed_by in str(line["problems"])
    assert names(setting) == ["new", old]


def test_a_key_that_nothing_needs_is_taken_away(watch: Watch, node: Flask, files: KeyFiles) -> None:
    now = clock.now()
    watch.look(now)
    files.write("peppers", "p1", "p2")
    watch.look(now + SECOND)
    assert names("peppers") == ["p1", "p2"]
    files.write("peppers", "p1")
    watch.look(now + 2 * SECOND)

    assert names("peppers") == ["p1"]


def test_a_node_that_lacks_the_key_of_the_others_says_so_once_and_answers_its_visitors(
    watch: Watch, node: Flask, files: KeyFiles, place: Place, build_app: AppBuilder, capsys: Output
) -> None:
    """The other node seals by w2 already; this one's list, which comes from somewhere else, has never had it."""
    other_place = Place(place.settings, KeyFiles(files.folder / "other", files.keys))
    other_place.files.folder.mkdir()
    for setting, new, old in (("wrapping_keys", "w2", "w1"), ("peppers", "p2", "p1"), ("audit_keys", "a1", "a1")):
        other_place.files.write(setting, *dict.fromkeys((new, old)))
    other = build_app(place.settings)
    elsewhere = Watch(other, other_place.environment)
    now = clock.now()
    for seconds in (0, 1, 5):
        elsewhere.look(now + seconds * SECOND)
    visitor: FlaskClient = other.test_client()
    page = visitor.get("/login")
    watch.look(now + 6 * SECOND)
    elsewhere.look(now + 12 * SECOND)
    watch.look(now + 13 * SECOND)
    watch.look(now + 14 * SECOND)

    told = [line for line in events(capsys) if line["event"] == "secret_key_differs"]
    assert sorted((line["kind"], line["key"], line["trouble"]) for line in told) == [
        ("pepper", "p2", "missing"),
        ("wrapping", "w2", "missing"),
    ]
    here: FlaskClient = node.test_client()
    for cookie in page.headers.getlist("Set-Cookie"):
        name, _, value = cookie.partition(";")[0].partition("=")
        here.set_cookie(name, value)
    form_token = page.text.split('name="csrf_token" value="')[1].partition('"')[0]
    assert form_token.startswith("w2.")
    answer = here.post("/login", data={"username": "x", "password": "y", "csrf_token": form_token})
    assert answer.status_code == 400
    assert "nothing was sent. Please log in again." in answer.text


def test_a_key_that_was_just_taken_away_everywhere_is_missed_by_nobody(
    watch: Watch, node: Flask, files: KeyFiles, capsys: Output
) -> None:
    now = clock.now()
    watch.look(now)
    for seconds, written in ((1, ("p2", "p1")), (5, ("p2", "p1")), (6, ("p2",)), (7, ("p2",)), (12, ("p2",))):
        files.write("peppers", *written)
        watch.look(now + seconds * SECOND)

    assert names("peppers") == ["p2"]
    assert not [line for line in events(capsys) if line["level"] == "error"]


def test_a_list_that_was_not_taken_is_taken_once_nothing_needs_the_key_any_more(
    watch: Watch, node: Flask, files: KeyFiles, capsys: Output
) -> None:
    now = clock.now()
    watch.look(now)
    factories.account()
    for seconds, written in ((1, ("p2", "p1")), (5, ("p2", "p1")), (6, ("p2",))):
        files.write("peppers", *written)
        watch.look(now + seconds * SECOND)
    assert names("peppers") == ["p2", "p1"]
    db.session.execute(update(Account).values(password_hash=passwords.hash_password("plum harbour violin sketch")))
    db.session.commit()
    for seconds in range(7, 14):
        watch.look(now + seconds * SECOND)

    assert names("peppers") == ["p2"]
    assert len([line for line in events(capsys) if line["event"] == "secrets_not_taken"]) == 1


def test_a_process_that_starts_without_a_needed_key_says_what_needs_it(
    node: Flask, place: Place, files: KeyFiles, build_app: AppBuilder, capsys: Output
) -> None:
    signing_keys.rotate_due(clock.now())
    factories.account()
    files.write("peppers", "p2")
    files.write("wrapping_keys", "w2")
    secrets = replace(place.settings.secrets, peppers=(files.keys["p2"],), wrapping_keys=(files.keys["w2"],))
    started = build_app(replace(place.settings, secrets=secrets))
    watch = Watch(started, place.environment)
    watch.look(clock.now())
    watch.look(clock.now())

    told = [line for line in events(capsys) if line["event"] == "secret_key_missing"]
    assert [(line["kind"], line["key"], line["advice"]) for line in told] == [
        ("wrapping", "w1", "3 signing keys need it; put it back at the end of [secrets] wrapping_keys"),
        ("pepper", "p1", "1 passwords need it; put it back at the end of [secrets] peppers"),
    ]
    assert started.test_client().get("/readyz").get_json() == {"status": "unavailable", "cause": "keys"}
    assert started.test_client().get("/oauth/jwks").status_code == 200


def test_a_key_of_the_same_name_but_another_value_is_told(
    watch: Watch, node: Flask, files: KeyFiles, place: Place, build_app: AppBuilder
) -> None:
    watch.look(clock.now())
    wrong = KeyFiles(files.folder / "wrong")
    wrong.folder.mkdir()
    for setting, name in (("wrapping_keys", "w1"), ("peppers", "p1"), ("audit_keys", "a1")):
        wrong.write(setting, name)
    with build_app(place.settings).app_context() as context:
        secrets = replace(settings.current().secrets, peppers=(wrong.keys["p1"],), wrapping_keys=(wrong.keys["w1"],))
        context.app.config["IDP"] = replace(settings.current(), secrets=secrets)
        assert secret_keys.differences(clock.now()) == [
            Difference(PEPPER, "p1", Trouble.OTHER_VALUE),
            Difference(WRAPPING, "w1", Trouble.OTHER_VALUE),
        ]


def test_what_is_remembered_of_a_key_is_not_the_key(watch: Watch, node: Flask, files: KeyFiles) -> None:
    watch.look(clock.now())
    rows = db.session.query(SecretKey).all()

    assert {(row.kind, row.name) for row in rows} == {("wrapping", "w1"), ("pepper", "p1"), ("audit", "a1")}
    assert not {row.check_value for row in rows} & {key.value for key in files.keys.values()}
    assert len({row.check_value for row in rows}) == 3


def test_a_look_that_finds_nothing_new_writes_nothing(watch: Watch, node: Flask) -> None:
    now = clock.now()
    watch.look(now)
    before = {(row.kind, row.name): row.last_used_at for row in db.session.query(SecretKey)}
    watch.look(now + SECOND)
    db.session.rollback()

    assert {(row.kind, row.name): row.last_used_at for row in db.session.query(SecretKey)} == before


def test_a_database_that_is_away_ends_no_watch(
    place: Place, build_app: AppBuilder, files: KeyFiles, capsys: Output
) -> None:
    away = with_database(place.settings, f"postgresql://nobody@127.0.0.1:{servers.free_ports(1)}/nothing")
    app = build_app(away)
    watch = Watch(app, place.environment)
    files.write("wrapping_keys", "w1", "w2")
    watch.look(clock.now())

    assert [line["event"] for line in events(capsys)] == ["secrets_read", "secrets_not_compared"]
    with app.app_context():
        assert names("wrapping_keys") == ["w1", "w2"]
