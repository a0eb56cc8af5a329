"""Password hashes, no more at once than this process's share of the machine: bcrypt is the one expensive thing here."""

import functools
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from idp import places, settings, turns
from idp.accounts.fair_queue import Busy, FairQueue
from idp.settings import Settings
from idp.web import context

__all__ = ["Busy", "bcrypt_hash", "expect_turn", "expected_wait", "queue", "slots"]

_SECONDS = 0.2
"""A first guess of what one hash takes at the usual cost of 12; the queue goes by what it measures."""


def bcrypt_hash(prepared: bytes, salt: bytes, least_cost: int = 0) -> bytes:
    """Return bcrypt's hash of at most 72 bytes without NUL, once its turn has come: every hash comes through here.

    A salt of less than the least cost takes that cost's time all the same: an answer's time must not tell that there
    is a hash, older than today's cost.

    While it waits others work on in the request's place; the caller holds no transaction open. Raises Busy when its
    turn would not come, or has not come, within [passwords] longest_wait_seconds.
    """
    configured = settings.current()
    pool = _pool(slots(configured))

    def hashed() -> bytes:
        with turns.long_turn():
            return pool.submit(_hash, prepared, salt, least_cost).result()

    with places.lent():
        return queue().run(context.network(), hashed, configured.passwords.longest_wait_seconds)


def _hash(prepared: bytes, salt: bytes, least_cost: int) -> bytes:
    hashed = bcrypt.hashpw(prepared, salt)
    version, cost, characters = salt[1:].split(b"$")
    for missing in range(int(cost), least_cost):  # 2^10 + 2^10 + 2^11 is 2^12: what is missing, to the round
        bcrypt.hashpw(prepared, b"$%b$%02d$%b" % (version, missing, characters))
    return hashed


def expected_wait() -> float:
    """Return how many seconds a hash that is asked for now would wait for its turn."""
    return queue().expected_wait(context.network())


def expect_turn() -> None:
    """Raise Busy if a hash that is asked for now would wait too long: before anything is read or written for it."""
    if expected_wait() > settings.current().passwords.longest_wait_seconds:
        raise Busy


def slots(configured: Settings) -> int:
    """Return how many hashes this process may run at once: the machine's cores, shared out among the workers."""
    return max(1, _cores() // (configured.server.workers or _cores()))


def queue() -> FairQueue:
    """Return this process's queue."""
    return _queue_of(slots(settings.current()))


@functools.cache
def _queue_of(size: int) -> FairQueue:
    return FairQueue(size, _SECONDS)


@functools.cache
def _pool(size: int) -> ThreadPoolExecutor:
    """Return the threads of lower priority. They hash, and do nothing else.

    While such a thread holds the interpreter and has to wait for a core, nobody in its process gets on.
    """
    return ThreadPoolExecutor(size, thread_name_prefix="password-hash", initializer=turns.step_back)


# A worker that is forked has none of its parent's threads, so it starts a pool and a queue of its own.
os.register_at_fork(after_in_child=_pool.cache_clear)
os.register_at_fork(after_in_child=_queue_of.cache_clear)


@functools.cache
def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
