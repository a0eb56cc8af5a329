"""Real servers for tests: `idp serve`, `idp demo` and relying parties, each a process of its own on free ports."""

import atexit
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from idp.app import create_app
from idp.database import db
from idp.settings import PACKAGE, Settings
from tests.databases import SQLITE, Databases, with_database
from tests.programs import variables

Made = TypeVar("Made")

_START_SECONDS = 60
_STOP_SECONDS = 40
_CHECKOUT = PACKAGE.parent


@dataclass(frozen=True)
class Running:
    """A process that answers at an address, and what it has written."""

    origin: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def lines(self) -> str:
        """What it has written so far."""
        return self.log.read_text("utf-8", "replace")


running: list[Running] = []
"""What runs now, for the report on a test that fails."""


@contextmanager
def provider(settings: Settings, folder: Path, *, workers: int = 1, with_worker: bool = False) -> Iterator[Running]:
    """Run `idp serve` on a free port, which becomes the issuer's; the settings' database has to be migrated."""
    port = free_ports(1)
    origin = f"http://localhost:{port}"
    server = replace(settings.server, issuer=origin, port=port)
    arguments = ["-m", "idp", "serve", "--workers", str(workers), *(["--with-worker"] if with_worker else [])]
    environment = variables(replace(settings, server=server))
    with program(arguments, environment, origin, "/readyz", folder / f"provider-{port}.log") as started:
        yield started


@contextmanager
def prepared_provider(
    databases: Databases, settings: Settings, folder: Path, prepare: Callable[[], Made]
) -> Iterator[tuple[str, Made]]:
    """Run `idp serve` on a database in which something was made before; yield its origin, and what was made.

    It is for windows that look at one provider many times: one kind of database is enough for them.
    """
    with databases.new(SQLITE) as url:
        settings = with_database(settings, url)
        with create_app(settings).app_context():
            made = prepare()
            db.session.remove()
            db.engine.dispose()
        with provider(settings, folder) as started:
            yield started.origin, made


@contextmanager
def program(
    arguments: list[str], environment: Mapping[str, str], origin: str, path: str, log: Path
) -> Iterator[Running]:
    """Run one Python program until the block ends; it has started once path answers."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=inherited | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=_CHECKOUT,
        )
    started = Running(origin, log, process)
    running.append(started)
    try:
        _wait(started, path)
        yield started
    except BaseException as error:
        error.add_note(f"The log of {origin} ends with:\n{started.lines[-10_000:]}")
        raise
    finally:
        running.remove(started)
        _stop(process)


class _Ports:
    """Hands out ports that no other run of the tests hands out meanwhile, and that stay free until they are used.

    They lie below those that the kernel gives to whoever calls somebody (from 32768 on, on Linux). A process holds the
    first port of its block as long as it lives, which keeps the others, of this run and of any other, out of the rest.
    """

    _BLOCKS = range(15_000, 30_000, 100)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guard: socket.socket | None = None
        self._next = 0

    def take(self, how_many: int) -> int:
        """Return the first of so many free ports in a row, as late as possible one that was handed out before."""
        with self._lock:
            if self._guard is None:
                self._guard = self._claimed()
                atexit.register(self._guard.close)
            guard: int = self._guard.getsockname()[1]
            for _ in range(self._BLOCKS.step):
                if self._next + how_many >= self._BLOCKS.step:
                    self._next = 0
                first = guard + 1 + self._next
                self._next += how_many
                if all(_is_free(first + step) for step in range(how_many)):
                    return first
        raise RuntimeError(f"there are no {how_many} free ports in a row")

    def _claimed(self) -> socket.socket:
        for block in random.sample(self._BLOCKS, len(self._BLOCKS)):
            try:
                return _bound(block)
            except OSError:
                continue
        raise RuntimeError("other runs of the tests have taken every block of ports")


_ports = _Ports()


def free_ports(how_many: int) -> int:
    """Return the first of so many free ports in a row, which nobody else is given for a while."""
    return _ports.take(how_many)


def _is_free(port: int) -> bool:
    try:
        _bound(port).close()
    except OSError:
        return False
    return True


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    try:
        made.bind(("127.0.0.1", port))
    except BaseException:
        made.close()
        raise
    return made


def _wait(started: Running, path: str) -> None:
    where = urlsplit(started.origin)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if started.process.poll() is not None:
            raise RuntimeError(f"it ended with {started.process.returncode} at once:\n{started.lines}")
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status < 500:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise RuntimeError(f"{started.origin} did not answer in {_START_SECONDS} s:\n{started.lines}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a program as an operator does; one that does not listen is a fault to be seen, and is ended all the same."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    children: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):  # a process, or one of its threads, that has ended since
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    found = sorted(set(children))
    return found + [further for child in found for further in descendants(child)]
