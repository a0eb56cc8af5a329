"""Password hashes, no more at once than this process's share of the machine: bcrypt is the one expensive thing here."""

import functools
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import bcrypt

from idp import settings
from idp.settings import Settings

_LONGEST_QUEUE_SECONDS = 5.0
_SECONDS_AT_COST_12 = 0.2
"""What one hash takes on one core (measured); each further step of the cost doubles it."""
_NICE = 10
_THREADS_FOR_OTHERS = 2
"""Of a worker's threads: one that waits for a hash answers nothing else meanwhile, and no token may wait for it."""

_lock = threading.Lock()
_places_taken = 0


class Busy(Exception):
    """So many passwords are being checked that this one would wait too long; nothing was counted or checked."""


def bcrypt_hash(prepared: bytes, salt: bytes) -> bytes:
    """Return bcrypt's hash of at most 72 bytes without NUL, once one of the process's slots is free."""
    return _pool(slots(settings.current())).submit(bcrypt.hashpw, prepared, salt).result()


def slots(configured: Settings) -> int:
    """Return how many hashes this process may run at once: the machine's cores, shared out among the workers."""
    return max(1, _cores() // (configured.server.workers or _cores()))


@contextmanager
def place() -> Iterator[None]:
    """Hold a place in the queue for a hash. Raises Busy at once when it is too long.

    Too long is about five seconds, and what would leave too few of the worker's threads for everything else.
    """
    global _places_taken  # noqa: PLW0603  the queue's length is state of the process, like the machine's cores
    with _lock:
        if _places_taken >= _places(settings.current()):
            raise Busy
        _places_taken += 1
    try:
        yield
    finally:
        with _lock:
            _places_taken -= 1


def _places(configured: Settings) -> int:
    seconds = _SECONDS_AT_COST_12 * 2.0 ** (configured.passwords.bcrypt_cost - 12)
    in_time = int(_LONGEST_QUEUE_SECONDS / seconds) * slots(configured)
    return max(1, min(in_time, configured.server.threads - _THREADS_FOR_OTHERS))


@functools.cache
def _pool(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, thread_name_prefix="password-hash", initializer=_step_back)


# A worker that is forked has none of its parent's threads, so it starts a pool of its own.
os.register_at_fork(after_in_child=_pool.cache_clear)


def _step_back() -> None:
    """Let tokens and pages go first. Linux keeps a nice value for each thread, so only the hashes are slowed."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


@functools.cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
