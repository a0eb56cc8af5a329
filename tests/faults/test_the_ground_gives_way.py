"""A full disk, a database that is locked, read-only or away: clear words to everybody, and nothing lost."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from idp.faults import Fault
from tests.databases import SQLITE, Databases
from tests.faults.conftest import NewPlace, Place
from tests.faults.people import Parent, code_of, wait_for
from tests.faults.troubles import AS_AN_ORDINARY_USER, KINDS, Kind, small_disk

_QUICK = {"a full disk", "a missing server"}
_MARKED = [pytest.param(kind, marks=[] if kind.name in _QUICK else pytest.mark.long) for kind in KINDS]


@pytest.fixture
def place_for(new_place: NewPlace, all_databases: Databases, tmp_path: Path) -> Iterator[Callable[[Kind], Place]]:
    """Make a provider for one trouble; where the disk is to be filled, database and log are on a small one."""
    with ExitStack() as stack:

        def make(kind: Kind) -> Place:
            url = stack.enter_context(all_databases.new(kind.database))
            if kind.name == "a full disk":
                disk = stack.enter_context(small_disk(tmp_path / "disk"))
                path = disk / "idp.db"
                path.write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())
                url = f"sqlite:///{path}"
            place = new_place(url, lock_seconds=1)
            place.provider.settings = replace(
                place.provider.settings, tokens=replace(place.provider.settings.tokens, code_seconds=600)
            )
            if kind.name == "a full disk":
                place.provider.folder = tmp_path / "disk"
                place.provider.environment["TMPDIR"] = str(tmp_path / "disk")
            if kind.database == SQLITE:
                place.provider.through = AS_AN_ORDINARY_USER
            stack.callback(place.provider.stop)
            return place

        yield make


@pytest.mark.parametrize("kind", _MARKED, ids=str)
def test_everybody_is_told_and_nothing_is_lost(kind: Kind, place_for: Callable[[Kind], Place]) -> None:
    place = place_for(kind)
    place.provider.start()
    early, late = place.parent(), place.parent()
    early.flow()
    code = code_of(early.authorize())
    before = place.provider.family()

    with kind.trouble(place):
        started = place.provider.family()
        wait_for(place.provider.readiness, (503, kind.cause))
        _a_parent_meets_a_plain_page(place, kind, late)
        _a_program_reads_json(early.redeem(code))
        _what_only_reads_goes_on(early, kind)
        _the_operator_is_told(place, kind)

    wait_for(place.provider.readiness, (200, None))
    assert late.log_in().status_code == 303
    assert [early.redeem(code).status_code for _ in range(2)] == [200, 400], "the code was not lost, nor spent twice"
    assert code_of(early.authorize())
    early.log_out()
    wait_for(lambda: len(place.address.tokens), 1)
    report = json.loads(place.provider.idp("audit", "verify", "--json").stdout)
    assert report["intact"], report["findings"]
    assert place.provider.family()[:3] == started[:3], "all went on without a restart"
    assert kind.restarts or started == before
    assert "Traceback" not in place.provider.log


def _a_parent_meets_a_plain_page(place: Place, kind: Kind, parent: Parent) -> None:
    answer = parent.log_in()
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "We are busy" in answer.text
    reference = answer.headers["X-Request-Id"]
    assert reference in answer.text, "a number to ask with"
    assert not parent.sessions
    if kind.name == "a full disk":
        return  # the log is on it
    (line,) = [line for line in _lines(place) if line["event"] == "unavailable" and line.get("reference") == reference]
    assert line["fault"] == kind.cause
    assert line["advice"] == Fault(kind.cause).advice


def _a_program_reads_json(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["Cache-Control"] == "no-store"


def _what_only_reads_goes_on(parent: Parent, kind: Kind) -> None:
    for path in ("/healthz", "/help", "/oauth/jwks", "/.well-known/openid-configuration"):
        assert parent.send("GET", path).status_code == 200, path
    told = parent.userinfo(parent.sessions[-1].tokens[0])
    home = parent.send("GET", "/")
    if kind.reads_go_on:
        assert (told.status_code, home.status_code) == (200, 200)
        assert told.json()["name"] == parent.person.name
    else:
        _a_program_reads_json(told)
        assert home.status_code == 503


def _the_operator_is_told(place: Place, kind: Kind) -> None:
    assert f'idp_database_errors_total{{fault="{kind.cause}"}}' in place.provider.get("/metrics").text
    if not kind.is_checked_by_command:
        return  # the quota is the running processes', not the command's
    if kind.restarts and AS_AN_ORDINARY_USER:
        return  # this process, which is root, may write
    found = json.loads(place.provider.idp("doctor", "--json").stdout)
    (text,) = [
        finding["text"] for finding in found if finding["subject"] == "database" and finding["level"] == "problem"
    ]
    assert text.startswith(f"{kind.cause}: {Fault(kind.cause).advice}")
    refused = place.provider.idp("account", "add", "somebody.new", "--name", "Somebody New")
    assert (refused.exit_code, refused.stderr) == (1, f"idp: {Fault(kind.cause).advice}.\n")


def _lines(place: Place) -> list[dict[str, Any]]:
    return [json.loads(line) for line in place.provider.log.splitlines() if line.startswith("{")]
