"""A queue whose wait is bounded, and shared fairly: a network that sends thousands of jobs waits behind itself."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TypeVar

from idp.web import metrics

T = TypeVar("T")

_MOST_WAITING = 64
"""Of a process's threads for requests (256): the others are there for everybody else, slow senders among them."""
_MOST_IN_A_LINE = _MOST_WAITING // 2
_SHARE_OF_NEWEST = 0.2
"""How far the newest job's time moves the estimate of the next one's."""


class Busy(Exception):
    """A job would wait too long, or has: it was not done."""


class FairQueue:
    """Lets so many jobs go on at once. A line (a network) has its turn for one job, then the next line has its own.

    Each job is done by the thread that brings it, and whoever ends calls the next one.
    """

    def __init__(self, at_once: int, seconds: float) -> None:
        """Take how many jobs may go on at once, and a first guess of how long one takes."""
        self._at_once, self._seconds = at_once, seconds
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, deque[threading.Event]] = OrderedDict()
        self._waiting = self._running = 0

    def expected_wait(self, line: str) -> float:
        """Return how many seconds one more job of this line would wait; infinity when there is no room for it."""
        with self._lock:
            return self._expected_wait(line)

    def run(self, line: str, work: Callable[[], T], longest_wait: float) -> T:
        """Do a job once its turn has come, and return its result.

        Raises Busy at once when it would wait longer, and after that time when it has, whatever was expected.
        """
        entered = time.perf_counter()
        self._take_turn(line, longest_wait)
        began = time.perf_counter()
        metrics.observe_hash_wait(began - entered)
        try:
            return work()
        finally:
            took = time.perf_counter() - began
            self._pass_on(took)
            metrics.observe_hash(took)

    def _take_turn(self, line: str, longest_wait: float) -> None:
        with self._lock:
            if self._expected_wait(line) > longest_wait:
                raise Busy
            if self._running < self._at_once:  # then nobody waits, either
                self._running += 1
                return
            called = threading.Event()
            self._lines.setdefault(line, deque()).append(called)
            self._note_waiting(+1)
        if not called.wait(longest_wait) and self._give_up(line, called):
            metrics.observe_hash_wait(longest_wait)
            raise Busy

    def _expected_wait(self, line: str) -> float:
        if self._running < self._at_once:
            return 0.0
        own = len(self._lines.get(line, ()))
        if self._waiting >= _MOST_WAITING or own >= _MOST_IN_A_LINE:
            return float("inf")
        before = own + sum(min(len(jobs), own + 1) for name, jobs in self._lines.items() if name != line)
        return (before + 1) * self._seconds / self._at_once

    def _pass_on(self, took: float) -> None:
        """Call the oldest job of the line whose turn it is, and put that line behind the others."""
        with self._lock:
            self._seconds += (took - self._seconds) * _SHARE_OF_NEWEST
            if not self._lines:
                self._running -= 1
                return
            line, jobs = self._lines.popitem(last=False)
            called = jobs.popleft()
            if jobs:
                self._lines[line] = jobs
            self._note_waiting(-1)
        called.set()

    def _give_up(self, line: str, called: threading.Event) -> bool:
        """Take a job out of its line; False when its turn has come just now."""
        with self._lock:
            jobs = self._lines.get(line, deque())
            if called not in jobs:
                return False
            jobs.remove(called)
            if not jobs:
                del self._lines[line]
            self._note_waiting(-1)
            return True

    def _note_waiting(self, change: int) -> None:
        self._waiting += change
        metrics.change_hash_queue(change)
