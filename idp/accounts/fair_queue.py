"""A queue whose wait is bounded, and shared fairly: a network that sends thousands of jobs waits behind itself."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from idp.web import metrics

T = TypeVar("T")

_MOST_WAITING = 64
"""Of a process's threads for requests (256): the others are there for everybody else, slow senders among them."""
_MOST_IN_A_LINE = _MOST_WAITING // 2
_SHARE_OF_NEWEST = 0.2
"""How far the newest job's time moves the estimate of the next one's."""


class Busy(Exception):
    """A job would wait too long, or has: it was not done."""


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    work: Callable[[], T]
    entered: float = field(default_factory=time.perf_counter)
    done: Future[T] = field(default_factory=Future)


class FairQueue(Generic[T]):
    """Does as many jobs at once as it has threads. A line (a network) has its turn for one job, then the next one."""

    def __init__(self, pool: ThreadPoolExecutor, threads: int, seconds: float) -> None:
        """Take the pool that does the jobs, and a first guess of how long one takes."""
        self._pool, self._threads, self._seconds = pool, threads, seconds
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, deque[_Job[T]]] = OrderedDict()
        self._waiting = self._running = 0

    def expected_wait(self, line: str) -> float:
        """Return how many seconds one more job of this line would wait; infinity when there is no room for it."""
        with self._lock:
            return self._expected_wait(line)

    def run(self, line: str, work: Callable[[], T], longest_wait: float) -> T:
        """Return what the job returns, once its turn has come.

        Raises Busy at once when it would wait longer, and after that time when it has, whatever was expected.
        """
        job = self._enter(line, work, longest_wait)
        self._pool.submit(self._do_next)  # a turn for each job; whose it is, is decided when a thread is free
        try:
            return job.done.result(longest_wait)
        except TimeoutError:
            if self._give_up(line, job):
                metrics.observe_hash_wait(longest_wait)
                raise Busy from None
            return job.done.result()  # it has begun, and takes a fraction of a second

    def _enter(self, line: str, work: Callable[[], T], longest_wait: float) -> _Job[T]:
        job = _Job(work)
        with self._lock:
            if self._expected_wait(line) > longest_wait:
                raise Busy
            self._lines.setdefault(line, deque()).append(job)
            self._note_waiting(+1)
        return job

    def _expected_wait(self, line: str) -> float:
        own = len(self._lines.get(line, ()))
        if self._waiting >= _MOST_WAITING or own >= _MOST_IN_A_LINE:
            return float("inf")
        before = own + sum(min(len(jobs), own + 1) for name, jobs in self._lines.items() if name != line)
        if self._running + before < self._threads:
            return 0.0
        return (before + 1) * self._seconds / self._threads

    def _do_next(self) -> None:
        job = self._next()
        if job is None:  # one has been given up, and its turn is left over
            return
        began = time.perf_counter()
        metrics.observe_hash_wait(began - job.entered)
        try:
            job.done.set_result(job.work())
        except Exception as error:  # noqa: BLE001  whatever it is, it is raised where the job came from
            job.done.set_exception(error)
        took = time.perf_counter() - began
        metrics.observe_hash(took)
        with self._lock:
            self._running -= 1
            self._seconds += (took - self._seconds) * _SHARE_OF_NEWEST

    def _next(self) -> _Job[T] | None:
        """Take the oldest job of the line whose turn it is, and put that line behind the others."""
        with self._lock:
            if not self._lines:
                return None
            line, jobs = self._lines.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._lines[line] = jobs
            self._note_waiting(-1)
            self._running += 1
            return job

    def _give_up(self, line: str, job: _Job[T]) -> bool:
        """Take a job out of its line; False when its turn has come just now."""
        with self._lock:
            jobs = self._lines.get(line, deque())
            if job not in jobs:
                return False
            jobs.remove(job)
            if not jobs:
                del self._lines[line]
            self._note_waiting(-1)
            return True

    def _note_waiting(self, change: int) -> None:
        self._waiting += change
        metrics.change_hash_queue(change)
