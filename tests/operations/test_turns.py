"""Threads that hand requests to one another wait for the running one's turn to end, unless a password is hashed."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from idp import turns
from idp.settings import Passwords, Settings
from tests import servers
from tests.databases import Databases, with_database
from tests.overload.crowd import Browser

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this policy")
COST = 14  # near a second for a hash: it is seen while it runs


def policies(process: int) -> list[int]:
    """Return how each thread of a process is scheduled; one that ends meanwhile is left out."""
    found = []
    for thread in os.listdir(f"/proc/{process}/task"):
        with suppress(OSError):
            found.append(os.sched_getscheduler(int(thread)))
    return found


@pytest.fixture
def waiting() -> Iterator[list[int]]:
    """The ids of two threads: one that waits for others, and one that it has started."""
    done = threading.Event()
    begun: list[int] = []

    def child() -> None:
        begun.append(threading.get_native_id())
        done.wait()

    def parent() -> None:
        turns.wait_for_others()
        started = threading.Thread(target=child)
        started.start()
        begun.append(threading.get_native_id())
        started.join()

    thread = threading.Thread(target=parent)
    thread.start()
    while len(begun) < 2:
        time.sleep(0.001)
    yield begun
    done.set()
    thread.join()


def test_a_thread_that_waits_starts_others_that_do(waiting: list[int]) -> None:
    assert [os.sched_getscheduler(thread) for thread in waiting] == [os.SCHED_BATCH] * 2
    assert os.sched_getscheduler(0) == os.SCHED_OTHER, "whoever did not ask for it goes on as before"


def test_they_hurry_from_the_first_long_turn_to_the_end_of_the_last(waiting: list[int]) -> None:
    def seen() -> set[int]:
        return {os.sched_getscheduler(thread) for thread in waiting}

    first, second = ExitStack(), ExitStack()
    first.enter_context(turns.long_turn())
    assert seen() == {os.SCHED_OTHER}
    second.enter_context(turns.long_turn())
    first.close()
    assert seen() == {os.SCHED_OTHER}
    second.close()
    assert seen() == {os.SCHED_BATCH}


def test_a_turn_that_fails_ends_too(waiting: list[int]) -> None:
    with suppress(ValueError), turns.long_turn():
        raise ValueError

    assert {os.sched_getscheduler(thread) for thread in waiting} == {os.SCHED_BATCH}


def test_a_sandbox_that_forbids_it_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "sched_getscheduler", refuse)

    turns.wait_for_others()
    with turns.long_turn():
        turns.interrupt_others()


def test_without_proc_a_long_turn_is_only_a_block(monkeypatch: pytest.MonkeyPatch, waiting: list[int]) -> None:
    def refuse(*_arguments: object) -> list[str]:
        raise FileNotFoundError

    monkeypatch.setattr(os, "listdir", refuse)
    with turns.long_turn():
        assert os.sched_getscheduler(waiting[0]) == os.SCHED_BATCH


@pytest.fixture
def costly(settings: Settings, all_databases: Databases) -> Iterator[Settings]:
    """Settings whose hashes take long."""
    with all_databases.new("sqlite") as url:
        yield with_database(replace(settings, passwords=Passwords(bcrypt_cost=COST)), url)


def test_a_worker_waits_and_hurries_while_it_hashes(costly: Settings, tmp_path: Path) -> None:
    with servers.provider(costly, tmp_path, workers=1) as running, ThreadPoolExecutor(1) as people:
        [worker] = servers.descendants(running.process.pid)
        browser = Browser(running.origin)
        token = browser.open_log_in()
        eventually(lambda: os.SCHED_BATCH in policies(worker))
        assert os.SCHED_OTHER in policies(worker), "a page's thread is scheduled as usual"
        assert os.sched_getscheduler(worker) == os.SCHED_OTHER, "and so is the loop's"

        answer = people.submit(browser.log_in, "nobody", "wrong wrong wrong", token)
        eventually(lambda: os.SCHED_BATCH not in policies(worker))
        assert not answer.done()
        assert answer.result().status == 422
        eventually(lambda: os.SCHED_BATCH in policies(worker))


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail after half a minute."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
