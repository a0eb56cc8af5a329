"""The queue before the hashes: bounded in seconds, in turns by network, and whoever gives up leaves no trace."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from idp.accounts.fair_queue import Busy, FairQueue

SECONDS = 0.2
LONG = 60.0


class Counter:
    """A queue for one job at a time, which is busy until it is told to go on."""

    def __init__(self) -> None:
        self.queue = FairQueue(1, SECONDS)
        self.order: list[str] = []
        self.open, begun = threading.Event(), threading.Event()
        self.people = ThreadPoolExecutor(80)

        def hold() -> None:
            begun.set()
            self.open.wait()

        self.first = self.enter("the first one", hold)
        begun.wait()

    def enter(self, line: str, work: Callable[[], object] = bool, longest_wait: float = LONG) -> "Future[str]":
        """Let somebody of a line enter, and wait until they stand in it."""
        waiting = self.expected(line)

        def served() -> str:
            work()
            self.order.append(line)
            return line

        entered = self.people.submit(self.queue.run, line, served, longest_wait)
        while self.expected(line) == waiting and not entered.done():
            time.sleep(0.001)
        return entered

    def expected(self, line: str) -> float:
        """Return what one more of a line would wait, in hashes."""
        return self.queue.expected_wait(line) / SECONDS


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter()
    yield made
    made.open.set()
    made.people.shutdown()


def test_nobody_waits_at_a_queue_that_is_empty() -> None:
    queue = FairQueue(2, SECONDS)

    assert queue.expected_wait("home") == 0
    assert queue.run("home", lambda: 7, 0.0) == 7


def test_each_network_has_its_turn_however_many_another_one_sends(counter: Counter) -> None:
    flood = [counter.enter("flood") for _ in range(9)]
    parents = [counter.enter("home"), counter.enter("school"), counter.enter("school")]
    counter.open.set()

    for served in [*flood, *parents]:
        served.result(5)
    assert counter.order[:8] == ["the first one", "flood", "home", "school", "flood", "school", "flood", "flood"]


def test_within_a_network_whoever_comes_first_is_served_first(counter: Counter) -> None:
    served: list[int] = []
    waiting = [counter.enter("home", partial(served.append, number)) for number in range(9)]
    counter.open.set()

    for one in waiting:
        one.result(5)
    assert served == list(range(9))


def test_the_wait_that_is_expected_counts_who_is_served_before(counter: Counter) -> None:
    assert counter.expected("flood") == pytest.approx(1)
    for _ in range(9):
        counter.enter("flood")

    assert counter.expected("flood") == pytest.approx(10)
    assert counter.expected("home") == pytest.approx(2)


def test_whoever_would_wait_too_long_is_told_at_once(counter: Counter) -> None:
    for _ in range(4):
        counter.enter("flood")

    with pytest.raises(Busy):
        counter.queue.run("flood", str, 4 * SECONDS)
    assert counter.expected("flood") == pytest.approx(5)


def test_whoever_has_waited_too_long_gives_up_and_holds_up_nobody(counter: Counter) -> None:
    """The first one takes far longer than was expected."""
    late = counter.enter("home", longest_wait=1.5 * SECONDS)

    with pytest.raises(Busy):
        late.result(5)
    assert counter.expected("home") == pytest.approx(1)
    after = counter.enter("home")
    counter.open.set()
    assert after.result(5) == "home"
    assert counter.order == ["the first one", "home"]


def test_one_network_fills_no_more_than_half_of_the_room(counter: Counter) -> None:
    for _ in range(32):
        counter.enter("flood")

    assert counter.expected("flood") == float("inf")
    for _ in range(32):
        counter.enter("school")
    assert counter.expected("home") == float("inf")


def test_the_estimate_follows_what_jobs_take(counter: Counter) -> None:
    """Beside other work a hash takes longer: the queue then holds less, not the people in it longer."""
    counter.open.set()
    counter.first.result(5)
    for _ in range(40):
        counter.queue.run("home", lambda: time.sleep(0.005), LONG)
    again = threading.Event()
    busy = counter.people.submit(counter.queue.run, "home", lambda: str(again.wait()), LONG)
    while counter.expected("home") == 0:
        time.sleep(0.001)

    assert 0.01 < counter.expected("home") < 0.5
    again.set()
    busy.result(5)


def test_what_a_job_raises_reaches_whoever_asked_and_the_next_one_is_served(counter: Counter) -> None:
    counter.open.set()

    with pytest.raises(ZeroDivisionError):
        counter.queue.run("home", lambda: str(1 // 0), LONG)
    assert counter.queue.run("home", lambda: "well", LONG) == "well"
