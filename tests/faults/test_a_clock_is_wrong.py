"""A machine's clock is ten minutes off: its node goes by the database server's, and tells the operator."""

import json
import os
import subprocess
import sys
import time
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from idp import clock
from idp.oidc import keys
from idp.settings import PACKAGE
from tests.databases import POSTGRESQL, SQLITE, Databases
from tests.faults.conftest import NewPlace, Place
from tests.faults.people import code_of, wait_for
from tests.faults.provider import Provider
from tests.programs import variables
from tests.servers import free_ports

_TEN_MINUTES = 600
_LOOKS_AT_THE_CLOCK = 11
"""Seconds after which a node has compared its clock with the database server's once more."""


def _set_wrong(provider: Provider, seconds: int) -> None:
    """Let a provider's clock be off: one that runs finds it so from one moment to the next."""
    file = provider.folder / f"clock-{provider.port}"
    file.write_text(str(seconds))
    provider.command = (str(PACKAGE.parent / "tests/faults/wrong_clock.py"), str(file))
    provider.environment = {"PYTHONPATH": str(PACKAGE.parent)}


def test_a_database_servers_zone_is_none_of_ours() -> None:
    theirs = datetime.now(timezone(timedelta(hours=-6))) + timedelta(minutes=10)
    try:
        clock.compare(theirs)
        now = clock.now()
    finally:
        clock.compare(clock.own())

    assert now.tzinfo is UTC
    assert timedelta(0) <= now - theirs < timedelta(minutes=1)
    assert clock.spelled(now) == now.replace(tzinfo=None).isoformat(timespec="microseconds")


@pytest.mark.long
@pytest.mark.parametrize("seconds", [_TEN_MINUTES, -_TEN_MINUTES])
def test_what_one_node_issues_is_good_at_the_other(
    seconds: int, new_place: NewPlace, all_databases: Databases, tmp_path: Path
) -> None:
    with all_databases.new(POSTGRESQL) as url:
        place = new_place(url, workers=1)
        wrong = Provider(place.provider.settings, free_ports(1), tmp_path, 1, with_worker=False)
        _set_wrong(wrong, seconds)
        place.provider.start()
        try:
            wrong.start()
            _go_back_and_forth(place, f"http://localhost:{wrong.port}")
            _the_operator_is_told(wrong, seconds)
        finally:
            wrong.stop()


def _go_back_and_forth(place: Place, wrong: str) -> None:
    for first, second in ((place.provider.origin, wrong), (wrong, place.provider.origin)):
        parent = place.parent()
        parent.move_to(first)
        assert parent.log_in().status_code == 303
        code = code_of(parent.authorize())
        parent.move_to(second)
        answer = parent.redeem(code)
        assert answer.status_code == 200, "a code of the one is neither old nor of the future to the other"
        tokens = answer.json()
        _is_of_now(tokens["id_token"])
        assert code_of(parent.authorize()), "nor is a session"
        for origin in (first, second):
            parent.move_to(origin)
            assert parent.userinfo(tokens["access_token"]).status_code == 200, "nor is a token"
        assert parent.send("GET", "/logout", params={"id_token_hint": tokens["id_token"]}).status_code == 200
        parent.move_to(first)
        assert parent.userinfo(tokens["access_token"]).status_code == 401
    wait_for(lambda: len(place.address.tokens), 2)


def _is_of_now(id_token: str) -> None:
    body = id_token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    for moment in (claims["iat"], claims["auth_time"]):
        assert abs(moment - clock.timestamp()) < _TEN_MINUTES / 2


def _the_operator_is_told(wrong: Provider, seconds: int) -> None:
    lines = [json.loads(line) for line in wrong.log.splitlines() if '"clock_wrong"' in line]
    assert lines
    assert all(abs(line["seconds_behind"] + seconds) < _TEN_MINUTES / 2 for line in lines)
    assert "NTP" in lines[0]["advice"]
    typed = [sys.executable, *wrong.command, "doctor", "--json"]
    environment = dict(os.environ) | variables(wrong.settings) | wrong.environment
    done = subprocess.run(typed, env=environment, cwd=PACKAGE.parent, check=False, capture_output=True)
    found = json.loads(done.stdout)
    assert [entry["level"] for entry in found if entry["subject"] == "clock"] == ["problem"], found


@pytest.mark.parametrize("kind", [SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.long)])
def test_a_clock_that_jumps_while_people_come_logs_nobody_out(
    kind: str, new_place: NewPlace, all_databases: Databases
) -> None:
    """On SQLite there is one clock and no judge: ten minutes more or less are within every limit but a code's."""
    with all_databases.new(kind) as url:
        place = new_place(url, workers=1, with_worker=False)
        _set_wrong(place.provider, 0)
        with clock.shifted(timedelta(days=-1)), place.app.app_context():
            keys.rotate_due(clock.now())  # a provider whose keys are of this minute has none that signed before
        place.let_go()
        place.provider.start()
        # What was issued before a password was set is not good: one that was set just now would be of the future.
        parent = place.parent(password_changed_at=clock.now() - timedelta(days=1))
        for seconds in (0, _TEN_MINUTES, 0, -_TEN_MINUTES, 0):
            _set_wrong(place.provider, seconds)
            time.sleep(_LOOKS_AT_THE_CLOCK if kind == POSTGRESQL and seconds else 0)
            parent.flow()
            assert len(parent.sessions) == 1, "nobody has to log in again"
            assert place.provider.readiness() == (200, None)
        parent.log_out()
        place.provider.idp("worker", "--once")
        assert len(place.address.tokens) == 1
        report = json.loads(place.provider.idp("audit", "verify", "--json").stdout)
        assert report["intact"], report["findings"]
        assert "Traceback" not in place.provider.log


def test_the_database_servers_clock_counts_only_where_this_ones_is_off() -> None:
    real = clock.own()
    try:
        clock.compare(real + timedelta(seconds=4))
        assert abs(clock.now() - clock.own()) < timedelta(seconds=1), "a little is the network's, and is let be"
        clock.compare(real + timedelta(minutes=10))
        assert timedelta(minutes=9) < clock.now() - clock.own() < timedelta(minutes=11)
        with clock.shifted(timedelta(hours=1)):
            assert clock.now() - real > timedelta(minutes=69), "tests travel on top of it"
    finally:
        clock.compare(clock.own())
    assert abs(clock.now() - clock.own()) < timedelta(seconds=1)
