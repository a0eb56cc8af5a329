"""No more hashes at once than this process's share of the machine, on threads that let others go first."""

import dataclasses
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest
from flask import Flask

from idp.accounts import hashing
from idp.app import create_app
from idp.settings import Passwords, Settings


def with_workers(settings: Settings, workers: int, cost: int = 4) -> Settings:
    server = dataclasses.replace(settings.server, workers=workers)
    return dataclasses.replace(settings, server=server, passwords=Passwords(bcrypt_cost=cost))


def cores() -> int:
    return len(os.sched_getaffinity(0))


def hash_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("password-hash")]


@pytest.fixture
def lone_worker(settings: Settings) -> Iterator[Flask]:
    app = create_app(with_workers(settings, 1, cost=11))
    with app.app_context():
        yield app


def test_the_cores_are_shared_out_among_the_workers(settings: Settings) -> None:
    assert hashing.slots(with_workers(settings, 1)) == cores()
    assert hashing.slots(with_workers(settings, cores())) == 1
    assert hashing.slots(with_workers(settings, cores() * 3)) == 1
    assert hashing.slots(with_workers(settings, 0)) == 1


def test_hashes_run_on_threads_that_let_others_go_first(lone_worker: Flask) -> None:
    hashing.bcrypt_hash(b"x", bcrypt.gensalt(4))

    assert {os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in hash_threads()} == {10}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == 0


def test_as_many_hashes_run_at_once_as_there_are_cores_and_no_more(lone_worker: Flask) -> None:
    salt = bcrypt.gensalt(4)

    def hash_one(_number: int) -> bytes:
        with lone_worker.app_context():
            return hashing.bcrypt_hash(b"x", salt)

    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(hash_one, range(50)))) == 1
    assert max(int(thread.name.rpartition("_")[2]) for thread in hash_threads()) < cores()
