"""What the unavoidable costs on this machine, now: a password's hash, a signature, a commit."""

import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_COST = 12
_HASHES = 3
_MANY = 400


@dataclass(frozen=True, slots=True)
class RawCosts:
    """CPU milliseconds of one each, and what all cores together can do."""

    hash: float
    signature: float
    commit: float
    hashes_per_second: float
    """Hashes of all cores at once."""


def measure(folder: Path) -> RawCosts:
    """Measure the raw costs; the folder is on the disk that the database would be on."""
    salt = bcrypt.gensalt(_COST)
    key = rsa.generate_private_key(65537, 2048)
    connection = sqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}").close()
    connection.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB)")
    try:
        return RawCosts(
            hash=_milliseconds(lambda: bcrypt.hashpw(b"password", salt), _HASHES),
            signature=_milliseconds(lambda: key.sign(b"token", padding.PKCS1v15(), hashes.SHA256()), _MANY),
            commit=_milliseconds(lambda: connection.execute("INSERT INTO t (v) VALUES (randomblob(200))"), _MANY),
            hashes_per_second=hashes_per_second(),
        )
    finally:
        connection.close()


def hashes_per_second(seconds: float = 2.0) -> float:
    """Return how many hashes all cores do in a second, beside whatever else the machine does."""
    salt, began = bcrypt.gensalt(_COST), time.perf_counter()

    def hash_for_a_while(_number: int) -> int:
        done = 0
        while time.perf_counter() - began < seconds:
            bcrypt.hashpw(b"password", salt)
            done += 1
        return done

    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        done = sum(pool.map(hash_for_a_while, range(cores)))
    return done / (time.perf_counter() - began)


def _milliseconds(act: Callable[[], object], times: int) -> float:
    act()
    before = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - before) / times * 1000
