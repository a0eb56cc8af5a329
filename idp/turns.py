"""Turns on a core: which threads of a process push others off it when they are woken, and which wait (Linux only).

The loop and granian's threads hand every request to one another. Where each interrupts the other as it is woken, a
ready answer costs half as much again. So granian's wait for the running thread to let go (SCHED_BATCH), which takes
microseconds: except while a password is hashed, which lets go only when the kernel's clock ticks. The loop waits for
nobody, or it would stand more often behind the one that has the interpreter's lock and no core to run on: a ready
answer costs twice as much then.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_NICE = 10


def wait_for_others() -> None:
    """Let this thread, and those that it starts, interrupt nobody; but see `interrupt_others` and `long_turn`."""
    _schedule(0, waits=True)


def interrupt_others() -> None:
    """Let this thread interrupt others, as threads usually do."""
    _schedule(0, waits=False)


def step_back() -> None:
    """Let tokens and pages go before this thread. Linux keeps a nice value for each thread: no other is slowed."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _NICE))


@contextmanager
def long_turn() -> Iterator[None]:
    """Let no thread of this process wait for what the block computes."""
    _long_turns.begin()
    try:
        yield
    finally:
        _long_turns.end()


class _LongTurns:
    """From the first to the end of the last, threads that would wait interrupt others."""

    def __init__(self) -> None:
        self._number = 0
        self._hurried: list[int] = []
        self._changing = threading.Lock()

    def begin(self) -> None:
        with self._changing:
            self._number += 1
            if self._number == 1:
                self._hurried = [thread for thread in _threads() if _waits(thread)]
                for thread in self._hurried:
                    _schedule(thread, waits=False)

    def end(self) -> None:
        with self._changing:
            self._number -= 1
            if self._number == 0:
                for thread in self._hurried:
                    _schedule(thread, waits=True)


_long_turns = _LongTurns()


def _threads() -> list[int]:
    """Return this process's threads; none where nothing tells of them: a log-in must not fail for that."""
    try:
        return [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:  # not Linux, or a sandbox without /proc
        return []


def _waits(thread: int) -> bool:
    if sys.platform == "linux":
        with suppress(OSError):  # it has ended, or a sandbox forbids to ask
            return os.sched_getscheduler(thread) == os.SCHED_BATCH
    return False


def _schedule(thread: int, *, waits: bool) -> None:
    """Set a thread's policy. Where a sandbox forbids that, threads interrupt one another: it is dearer, not wrong."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(thread, os.SCHED_BATCH if waits else os.SCHED_OTHER, os.sched_param(0))
