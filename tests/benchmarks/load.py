"""Load over HTTP from a process of its own: N connections that are kept open, each going through one script for a time.

`drive()` starts `python -m tests.benchmarks.load`, so that what the load costs is not counted as the server's. A script
(see scripts.py) is a generator: it yields requests, is given the answers, and raises Unexpected for a wrong one.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from idp.settings import PACKAGE

LONGEST_SECONDS = 600.0
MOST_CONNECTIONS = 512
_ANSWER_SECONDS = 60.0
_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent back; header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: dict[str, str]
    """What it set; an empty value takes one away."""


Script = Generator[bytes, Answer, None]


class Unexpected(Exception):
    """An answer that is not the one that a script counts on."""


class Later(Exception):
    """An answer that asks to come back after some seconds, as a person does: no operation, and no failure."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


@dataclass(frozen=True)
class Work:
    """What one load does."""

    port: int
    script: str
    values: dict[str, Any]
    """What the script is given: a client, cookies, tokens."""
    connections: int = 1
    seconds: float = 1.0
    warm_up: float = 0.0
    """Seconds before the count begins."""
    at_most: int | None = None
    """Operations after which it ends, whatever the time."""


@dataclass
class Done:
    """What came of a load. Times are in seconds."""

    operations: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    put_off: int = 0
    """How often somebody was asked to come back later, and did."""
    failures: int = 0
    samples: list[str] = field(default_factory=list)
    """The first failures, in words."""

    def percentile(self, share: float) -> float:
        """Return the latency, in seconds, that this share (0 to 1) of the operations stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def start(work: Work) -> "subprocess.Popen[bytes]":
    """Start a load and return its process; `finish` waits for it."""
    if work.seconds > LONGEST_SECONDS or work.connections > MOST_CONNECTIONS:
        raise ValueError("a load has its bounds")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=PACKAGE.parent,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(work)).encode())
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: "subprocess.Popen[bytes]") -> Done:
    """Wait for a load to end and return what came of it."""
    try:
        said, _ = process.communicate(timeout=LONGEST_SECONDS + 2 * _ANSWER_SECONDS)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise RuntimeError(f"the load ended with {process.returncode}")
    return Done(**json.loads(said))


def drive(work: Work) -> Done:
    """Carry out a load in a process of its own."""
    return finish(start(work))


class _Connection:
    """One connection that goes through its script again and again."""

    def __init__(self, work: Work, scripts: Iterator[Script], done: Done) -> None:
        self._work, self._scripts, self._done = work, scripts, done
        self.socket = self._open()
        self._received = b""
        self._script: Script | None = None
        self._began = 0.0
        self.deadline = 0.0
        self.resumes: float | None = None
        """When it goes on, by the clock of the deadlines, after it was asked to come back later."""

    def _open(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._work.port), timeout=_ANSWER_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def begin(self) -> None:
        """Start the script once more."""
        self.resumes = None
        self._script, self._began = next(self._scripts), time.perf_counter()
        self._send(next(self._script))

    def receive(self) -> bool:
        """Take in what has come; True when the next operation is due: one has ended, whether or not as it should."""
        received = self.socket.recv(262_144)
        if not received:
            return self._fail("the connection was closed")
        self._received += received
        found = _parse(self._received)
        if found is None:
            return False
        answer, self._received = found
        assert self._script is not None
        try:
            self._send(self._script.send(answer))
        except StopIteration:
            self._done.operations += 1
            self._done.latencies.append(time.perf_counter() - self._began)
        except Later as later:
            self._done.put_off += 1
            self.resumes = time.monotonic() + later.seconds
            self.deadline = self.resumes + _ANSWER_SECONDS
            return False
        except Unexpected as unexpected:
            return self._fail(str(unexpected))
        else:
            return False
        if answer.headers.get("connection", "").lower() == "close":
            self._reopen()
        return True

    def expire(self) -> None:
        """Give up on an answer that does not come."""
        self._fail(f"no answer in {_ANSWER_SECONDS:.0f} s")

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _send(self, request: bytes) -> None:
        self.deadline = time.monotonic() + _ANSWER_SECONDS
        self.socket.sendall(request)

    def _fail(self, problem: str) -> bool:
        self._done.failures += 1
        if len(self._done.samples) < _SAMPLES:
            self._done.samples.append(problem)
        self._reopen()
        return True

    def _reopen(self) -> None:
        self.socket.close()
        self.socket, self._received = self._open(), b""


def _parse(received: bytes) -> tuple[Answer, bytes] | None:
    """Return an answer that is complete, and what came after it."""
    head, separator, rest = received.partition(b"\r\n\r\n")
    if not separator:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = dict(pairs)
    set_cookies = [value.partition(";")[0].partition("=") for name, value in pairs if name == "set-cookie"]
    length = int(headers.get("content-length", "0"))
    if len(rest) < length:
        return None
    cookies = {name: value for name, _, value in set_cookies}
    return Answer(int(first.split(" ", 2)[1]), headers, rest[:length], cookies), rest[length:]


def run(work: Work, scripts: Iterator[Script]) -> Done:
    """Carry out a load in this process."""
    done = Done()
    with selectors.DefaultSelector() as selector:
        connections = [_Connection(work, scripts, done) for _ in range(work.connections)]
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.begin()
        began = time.perf_counter()
        if work.warm_up:
            _turn(selector, connections, began + work.warm_up, done, None)
            done.operations, done.put_off, done.failures, done.latencies, done.samples = 0, 0, 0, [], []
            began = time.perf_counter()
        _turn(selector, connections, began + work.seconds, done, work.at_most)
        done.seconds = time.perf_counter() - began
        for connection in connections:
            connection.close()
    return done


def _turn(
    selector: selectors.BaseSelector, connections: list[_Connection], until: float, done: Done, at_most: int | None
) -> None:
    while time.perf_counter() < until and (at_most is None or done.operations + done.failures < at_most):
        for key, _ in selector.select(timeout=0.2):
            connection: _Connection = key.data
            before = connection.socket
            if connection.receive():
                connection.begin()
            _follow(selector, before, connection)
        now = time.monotonic()
        for connection in [one for one in connections if one.resumes is not None and one.resumes < now]:
            connection.begin()
        for connection in [one for one in connections if one.deadline < now]:
            before = connection.socket
            connection.expire()
            connection.begin()
            _follow(selector, before, connection)


def _follow(selector: selectors.BaseSelector, before: socket.socket, connection: _Connection) -> None:
    """Listen to the socket that a connection has now."""
    if connection.socket is not before:
        selector.unregister(before)
        selector.register(connection.socket, selectors.EVENT_READ, connection)


def main() -> None:
    """Carry out the work that standard input describes, and print what came of it."""
    from tests.benchmarks import scripts  # scripts build on this module

    work = Work(**json.loads(sys.stdin.buffer.read()))
    done = run(work, scripts.repeat(work.script, work.values))
    sys.stdout.write(json.dumps(asdict(done)))
    sys.stdout.flush()
    os._exit(0)  # connections that still wait need no farewell


if __name__ == "__main__":
    from tests.benchmarks import load  # the module that scripts import, of which this one is a copy

    load.main()
