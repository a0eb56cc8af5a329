"""kill -9 in the middle of everything: what was told is there, what was not is not half there."""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from idp.database import db
from idp.sealing import digest
from tests.databases import SQLITE, Databases
from tests.faults.conftest import NewPlace, Place
from tests.faults.invariants import broken
from tests.faults.people import Lost, Parent, Session, code_of

_SEED = 20261125
_PARENTS = 5
_FLOWS_A_SESSION = 4


@dataclass
class Crowd:
    """Parents who log in, use the application and log out, on and on, whatever happens to the provider."""

    parents: list[Parent]
    wanted: int
    """How many flows they go through at least: they come until the last kill is over."""
    kills_are_over: threading.Event = field(default_factory=threading.Event)
    done: Counter[str] = field(default_factory=Counter)
    errors: list[BaseException] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> list[threading.Thread]:
        """Let them come."""
        threads = [threading.Thread(target=self._live, args=(parent,)) for parent in self.parents]
        for thread in threads:
            thread.start()
        return threads

    def wait_for(self, flows: int) -> None:
        """Wait until so many flows are through."""
        deadline = time.monotonic() + 300
        while self.done["flows"] < flows and not self.errors:
            assert time.monotonic() < deadline, self.done
            time.sleep(0.001)

    def _live(self, parent: Parent) -> None:
        try:
            while not self.errors and not (self.kills_are_over.is_set() and self.done["flows"] >= self.wanted):
                self._go_on(parent)
        except BaseException as error:
            self.errors.append(error)
            raise

    def _go_on(self, parent: Parent) -> None:
        try:
            parent.flow()
            self._count("flows")
            if len(parent.sessions[-1].tokens) >= _FLOWS_A_SESSION:
                parent.log_out()
                self._count("log-outs")
        except Lost:
            self._count("answers lost")
            time.sleep(0.05)

    def _count(self, what: str) -> None:
        with self._lock:
            self.done[what] += 1


def _kill_all(place: Place) -> None:
    place.provider.kill()
    place.provider.start()


def _kill_one(place: Place) -> None:
    """Kill one of the processes that answer; the main process puts another in its place."""
    before = _those_who_answer(place)
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(now := _those_who_answer(place)) < len(before) or before[0] in now:
        assert time.monotonic() < deadline, "nothing took its place"
        time.sleep(0.02)


def _those_who_answer(place: Place) -> list[int]:
    main, *others = place.provider.family()
    return [pid for pid in others if "worker" not in _command(pid) and _parent(pid) == main]


def _command(pid: int) -> list[str]:
    """Return how a process was called; one that has just ended was a worker of nothing."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return ["worker"]


def _parent(pid: int) -> int:
    """Return whose child a process is; one that has just ended is nobody's."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def test_fewer_flows_with_one_kill(new_place: NewPlace, all_databases: Databases) -> None:
    with all_databases.new(SQLITE) as url:
        _kill_during(new_place(url), "everything", flows=30, kills=1)


@pytest.mark.long
@pytest.mark.parametrize("killed", ["everything", "one process"])
def test_a_thousand_flows_with_kills_at_random_moments(killed: str, new_place: NewPlace, database_url: str) -> None:
    _kill_during(new_place(database_url), killed, flows=1000, kills=4)


def _kill_during(place: Place, killed: str, flows: int, kills: int) -> None:
    moments = sorted(random.Random(_SEED).sample(range(flows // 10, flows * 9 // 10), kills))  # noqa: S311  # a seed is the point
    crowd = Crowd([place.parent() for _ in range(_PARENTS)], flows)
    place.provider.start()
    threads = crowd.start()
    witnesses = [place.parent() for _ in moments]
    counted = Counter[str]()
    for moment, witness in zip(moments, witnesses, strict=True):
        crowd.wait_for(moment)
        _be_told_of_everything(witness)
        {"everything": _kill_all, "one process": _kill_one}[killed](place)
        _hold_to_what_was_told(witness, counted)
    crowd.kills_are_over.set()
    for thread in threads:
        thread.join(300)

    assert crowd.errors == []
    assert crowd.done["flows"] >= flows
    if killed == "everything":  # of two processes, the one that lives may have had all the visitors
        assert crowd.done["answers lost"] >= kills, "the kills hit nobody"
    for parent in crowd.parents:
        _hold_to_what_was_told(parent, counted)
    _hold_to_log_outs(place, [*crowd.parents, *witnesses], counted)
    assert broken(place.app) == {}
    report = json.loads(place.provider.idp("audit", "verify", "--json").stdout)
    assert report["intact"], report["findings"]
    counted["audit events"] = report["events"] + report["unsealed"]
    print(f"{kills} kills of {killed} at flows {moments}: {dict(crowd.done)}; held: {dict(counted)}")
    assert counted["codes that redeem once"] == kills
    assert counted["tokens that work"] >= kills
    assert counted["sessions that are over"] >= kills


def _be_told_of_everything(witness: Parent) -> None:
    """Log in and out, log in again, use the application, and hold a code: the next moment is the kill's."""
    witness.flow()
    witness.log_out()
    witness.flow()
    witness.kept.append(code_of(witness.authorize()))


def _hold_to_what_was_told(parent: Parent, counted: Counter[str]) -> None:
    parent.use(parent.sessions[-1])
    for code in parent.kept:
        assert [parent.redeem(code).status_code for _ in range(2)] == [200, 400], "an issued code redeems, once"
        counted["codes that redeem once"] += 1
    for code in parent.in_doubt:
        assert [parent.redeem(code).status_code for _ in range(2)][1] == 400
        counted["codes in doubt"] += 1
    parent.kept, parent.in_doubt = [], []
    for session in parent.sessions:
        if session.log_out_was_told:
            _is_over(parent, session, counted)
        elif not session.log_out_was_tried:
            _is_alive(parent, session, counted)


def _is_alive(parent: Parent, session: Session, counted: Counter[str]) -> None:
    parent.use(session)
    assert code_of(parent.authorize()), "a session that was given goes on"
    counted["sessions that go on"] += 1
    for token in session.tokens:
        assert parent.userinfo(token).status_code == 200, "a token that was given works until its end"
        counted["tokens that work"] += 1


def _is_over(parent: Parent, session: Session, counted: Counter[str]) -> None:
    parent.use(session)
    assert "/login" in parent.authorize().headers["Location"], "a session that was logged out of is over"
    counted["sessions that are over"] += 1
    for token in session.tokens:
        assert parent.userinfo(token).status_code == 401
        counted["tokens that are over"] += 1


def _hold_to_log_outs(place: Place, parents: list[Parent], counted: Counter[str]) -> None:
    """Each log-out that was answered has its notice, and the application hears of it."""
    told = [session for parent in parents for session in parent.sessions if session.log_out_was_told]
    query = text(
        "SELECT count(*) FROM logout_notices n JOIN session_participants p ON p.sid = n.sid "
        "JOIN browser_sessions s ON s.id = p.session_id WHERE s.digest = :digest"
    )
    with place.app.app_context(), db.engine.connect() as connection:
        for session in told:
            assert connection.execute(query, {"digest": digest(session.cookie)}).scalar_one() == 1
            counted["notices"] += 1
    deadline = time.monotonic() + 90
    while len(place.address.tokens) < len(told):
        assert time.monotonic() < deadline, f"{len(place.address.tokens)} of {len(told)} notices came"
        time.sleep(0.1)
