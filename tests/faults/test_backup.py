"""A backup is taken while people log in, and put back: what was told before it began is in it, and nothing revives."""

import json
import re
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from idp import clock
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.audit.models import AuditEvent
from idp.clients.models import Client
from idp.database import db
from idp.mail import service as mail
from idp.mail.models import GIVEN_UP, OutboxMessage
from idp.recovery import forgotten_questions, tokens
from idp.recovery.forgotten_questions import PASSWORD, Question
from idp.recovery.models import FIRST_PASSWORD, RESET
from idp.sealing import digest
from idp.sessions.models import BrowserSession, LogoutNotice
from tests import factories
from tests.databases import POSTGRESQL, SQLITE, Databases
from tests.databases import _programs as postgresql_programs
from tests.faults.conftest import NewPlace, Place
from tests.faults.invariants import broken
from tests.faults.people import Parent, code_of, wait_for


@pytest.fixture
def place(new_place: NewPlace, all_databases: Databases) -> Iterator[Place]:
    """A provider on SQLite."""
    with all_databases.new(SQLITE) as url:
        yield new_place(url)


@contextmanager
def _load(place: Place) -> Iterator[list[int]]:
    """Let parents come and go while the block runs; yields how many flows went through."""
    stopping, flows = threading.Event(), [0]

    def live(parent: Parent) -> None:
        while not stopping.is_set():
            parent.flow()
            flows[0] += 1
            if len(parent.sessions[-1].tokens) >= 3:
                parent.log_out()

    threads = [threading.Thread(target=live, args=(place.parent(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield flows
    finally:
        stopping.set()
        for thread in threads:
            thread.join(60)


def test_a_backup_under_load_is_put_back_and_serves(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "monday.db"
    place.provider.start()
    before = place.parent()
    before.flow()
    kept = code_of(before.authorize())
    place.provider.idp("worker", "--once")  # seals what has happened so far
    with _load(place) as flows:
        wait_for(lambda: flows[0] > 0, wanted=True)
        printed = place.provider.idp("backup", str(file))
    assert printed.exit_code == 0, printed.stderr
    after = place.parent()
    after.flow()
    place.provider.idp("worker", "--once")
    later_head = json.loads(place.provider.idp("audit", "verify", "--json").stdout)["head"]
    refused = place.provider.idp("restore", str(file), "--yes")
    assert (refused.exit_code, "stop idp serve" in refused.stderr) == (1, True), "nobody's database is taken away"
    assert place.provider.readiness() == (200, None)
    place.provider.stop()
    place.let_go()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "monday" in path.name] == ["monday.db"], "one file, and whole"
    restored = place.provider.idp("restore", str(file), typed="y\n")
    assert restored.exit_code == 0, restored.stderr
    place.provider.start()

    assert before.userinfo(before.sessions[0].tokens[0]).status_code == 401, "a token of the past does not revive"
    assert before.redeem(kept).status_code == 400, "nor does a code"
    assert "/login" in before.authorize().headers["Location"], "nor does a session"
    assert before.log_in().status_code == 303
    before.flow()
    assert after.log_in().status_code == 422, "whoever came after the backup is not in it"
    assert broken(place.app) == {}
    assert place.provider.idp("audit", "verify").exit_code == 0
    assert "Traceback" not in place.provider.log
    _the_record_tells_of_it(place, later_head)


def _the_record_tells_of_it(place: Place, later_head: str) -> None:
    (event,) = json.loads(place.provider.idp("audit", "list", "--event", "database_restored", "--json").stdout)
    assert event["details"]["sessions"] >= 1
    assert event["details"]["replaced_head"] == later_head
    number = int(event["details"]["head"].partition(":")[0])
    verified = place.provider.idp("audit", "verify", "--head", later_head)
    assert verified.exit_code == 1
    assert f"to seal {number}, when the newest was {later_head.partition(':')[0]}" in verified.stdout


def test_it_says_what_is_in_it_and_which_keys_it_needs(place: Place, tmp_path: Path) -> None:
    place.parent()
    place.provider.idp("worker", "--once")

    printed = place.provider.idp("backup", str(tmp_path / "copy.db"))
    read = json.loads(place.provider.idp("backup", str(tmp_path / "another.db"), "--json").stdout)

    assert re.search(
        r"copy\.db: \d+\.\d MB, 1 accounts, 1 applications, 0 sessions, \d+ security events\.", printed.stdout
    )
    for setting in ("wrapping_keys", "peppers", "audit_keys"):
        assert f"[secrets] {setting}: k1." in printed.stdout
    assert "Keep a copy of them, but not beside it." in printed.stdout
    assert read["keys"] == {"wrapping_keys": ["k1"], "peppers": ["k1"], "audit_keys": ["k1"]}
    secrets = place.provider.settings.secrets
    assert not [
        key for key in (*secrets.wrapping_keys, *secrets.peppers) if key.value in (tmp_path / "copy.db").read_bytes()
    ]


def test_a_file_that_is_there_is_replaced_only_by_force(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    file.write_text("last week's")

    refused = place.provider.idp("backup", str(file))
    assert (refused.exit_code, file.read_text()) == (1, "last week's")
    assert "--force" in refused.stderr

    assert place.provider.idp("backup", str(file), "--force").exit_code == 0
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_the_database_is_no_backup_of_itself(place: Place) -> None:
    path = place.provider.settings.database.url.removeprefix("sqlite:///")

    for refused in (place.provider.idp("backup", path, "--force"), place.provider.idp("restore", path, "--yes")):
        assert (refused.exit_code, "is the database in use" in refused.stderr) == (1, True)


def test_a_backup_that_fails_leaves_the_last_one_and_no_half(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    assert place.provider.idp("backup", str(file)).exit_code == 0
    whole = file.read_bytes()
    database = Path(place.provider.settings.database.url.removeprefix("sqlite:///"))
    with database.open("r+b") as raw:
        raw.seek(4096 * 3)
        raw.write(b"\xff" * 4096)

    refused = place.provider.idp("backup", str(file), "--force")

    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert file.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == ["copy.db"]


@pytest.mark.parametrize("damage", ["not a database", "cut in half", "an event was changed"])
def test_what_is_no_whole_backup_is_not_put_back(damage: str, place: Place, tmp_path: Path) -> None:
    place.parent()
    place.provider.idp("worker", "--once")
    place.let_go()
    file = tmp_path / "copy.db"
    assert place.provider.idp("backup", str(file)).exit_code == 0
    if damage == "not a database":
        file.write_text("something else altogether, but long enough to be read as a header of a database " * 50)
    elif damage == "cut in half":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        with closing(sqlite3.connect(file)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute("UPDATE audit_events SET outcome = 'failure' WHERE position = 1")
            connection.commit()
    folder = Path(place.provider.settings.database.url.removeprefix("sqlite:///")).parent
    names = {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}

    refused = place.provider.idp("restore", str(file), "--yes")

    assert refused.exit_code == 1, refused.output
    assert "nothing was restored" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))} == names
    with place.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Account)) == 1


def test_another_program_that_has_it_open_is_in_the_way_and_a_no_changes_nothing(place: Place, tmp_path: Path) -> None:
    file = str(tmp_path / "copy.db")
    assert place.provider.idp("backup", file).exit_code == 0
    place.let_go()
    with closing(sqlite3.connect(place.provider.settings.database.url.removeprefix("sqlite:///"))) as other:
        other.execute("SELECT count(*) FROM accounts").fetchone()
        refused = place.provider.idp("restore", file, "--yes")
    assert "the database is open" in refused.stderr

    assert place.provider.idp("restore", file, typed="n\n").exit_code == 1
    assert not list(tmp_path.rglob("*.before-*"))


@pytest.mark.parametrize("keep", [True, False])
def test_a_temporary_password_that_may_have_been_used_is_gone_unless_it_is_kept(
    keep: bool,
    place: Place,
    tmp_path: Path,  # a test's parameter
) -> None:
    with place.app.app_context():
        person = factories.account()
        accounts.issue_temporary_password(accounts.get(person.id), clock.now())
        kinds = (RESET, FIRST_PASSWORD)
        links = [tokens.issue(kind, person.id, "ewa@example.org", clock.now()).token for kind in kinds]
        mail.send("mail/test", "parent@example.org", now=clock.now())
        asked = Question(PASSWORD, person.username, language="en", address="192.0.2.7", request_id="")
        forgotten_questions.put(asked, clock.now())
        db.session.commit()
    place.let_go()
    file = str(tmp_path / "copy.db")
    assert place.provider.idp("backup", file).exit_code == 0

    done = place.provider.idp("restore", file, "--yes", *(["--keep-temporary-passwords"] if keep else []))

    assert done.exit_code == 0, done.stderr
    assert f"{int(not keep)} temporary passwords" in done.stdout
    with place.app.app_context():
        found = db.session.scalars(select(Account.temporary_password_digest)).one()
        live = [tokens.find(*link, clock.now()) for link in zip(kinds, links, strict=True)]
        assert [one is not None for one in live] == [False, keep], "mailed links, likewise"
        assert (found is not None) is keep
        assert db.session.scalars(select(OutboxMessage.state)).all() == [GIVEN_UP], "it may have been sent since"
        assert not forgotten_questions.is_waiting(), "it was answered since"


@pytest.mark.long
def test_postgresql_is_copied_and_put_back_as_the_command_says(
    new_place: NewPlace, all_databases: Databases, tmp_path: Path
) -> None:
    with all_databases.new(POSTGRESQL) as url:
        place = new_place(url)
        place.provider.start()
        parent = place.parent()
        parent.flow()
        (tmp_path / "x").mkdir()
        file = tmp_path / "x" / "monday.dump"
        refused = place.provider.idp("backup", str(file))
        assert refused.exit_code == 1
        command = re.search(r"has its own way: (pg_dump .*)\. It asks", refused.stderr)
        assert command is not None, refused.stderr
        programs = postgresql_programs()
        subprocess.run(f"{programs}/{command[1]}", shell=True, check=True, timeout=60)  # noqa: S602  # as an operator types it
        parent.log_out()
        place.provider.stop()

        refused = place.provider.idp("restore", str(file))
        command = re.search(r"has its own way: (pg_restore .*), and then idp restore --in-place\.", refused.stderr)
        assert command is not None, refused.stderr
        place.let_go()
        subprocess.run(f"{programs}/{command[1]}", shell=True, check=True, timeout=60)  # noqa: S602  # likewise
        done = place.provider.idp("restore", "--in-place", "--yes")
        assert done.exit_code == 0, done.stderr
        assert "Ended: 1 sessions" in done.stdout
        place.provider.start()

        assert parent.userinfo(parent.sessions[0].tokens[0]).status_code == 401
        parent.flow()
        with place.app.app_context():
            assert db.session.scalars(select(AuditEvent.event)).all().count("database_restored") == 1
            assert db.session.scalars(select(Client.revision)).one() > 1_000_000
            session_id = db.session.scalar(
                select(BrowserSession.id).where(BrowserSession.digest == digest(parent.sessions[0].cookie))
            )
            assert session_id is not None
            assert db.session.scalar(select(func.count()).select_from(LogoutNotice)) == 1
