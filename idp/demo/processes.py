"""The demo's processes: started one by one, watched, and ended by their ids."""

import contextlib
import ctypes
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 60
_GRACE_SECONDS = 20
_PR_SET_PDEATHSIG = 1


class Died(Exception):
    """A process ended that should not have; the message says which and where its last words are."""


@dataclass(frozen=True, slots=True)
class Running:
    """One process of the demo."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """Raise Died when it has ended."""
        code = self.process.poll()
        if code is not None:
            lines = self.log.read_text("utf-8", "replace").strip().splitlines()
            last = f" ({lines[-1][:300]})" if lines else ""
            raise Died(f"{self.name} has ended with exit code {code}; see {self.log}{last}")

    def end_children(self) -> None:
        """End what it has left behind, when it was killed: its session's processes, which keep the session's id."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Processes:
    """What a demo has started."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Running] = []
        self.stopping = threading.Event()

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str], folder: Path | None) -> Running:
        """Start `python …` in a session of its own, so that Ctrl-C reaches only the demo, which then ends each."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
                cwd=folder,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  no thread runs yet
            )
        running = Running(name, process, log)
        self._running.append(running)
        return running

    def wait_for(self, running: Running, port: int, path: str) -> None:
        """Wait until it answers below 500. Raises Died when it ends first, or takes a minute."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.stopping.is_set() and not _answers(port, path):
            running.check()
            if time.monotonic() > deadline:
                raise Died(f"{running.name} does not answer on port {port}; see {running.log}")
            self.stopping.wait(0.1)

    def watch(self) -> None:
        """Wait until somebody asks to stop. Raises Died when one of them ends before."""
        while not self.stopping.wait(0.5):
            for running in self._running:
                running.check()

    def stop(self) -> None:
        """End all of them, gracefully, and wait for that."""
        for running in self._running:
            running.process.terminate()
        deadline = time.monotonic() + _GRACE_SECONDS
        for running in self._running:
            try:
                running.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                running.process.kill()
                running.process.wait()
            running.end_children()


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def _end_with_parent() -> None:
    """Ask Linux to end this process when the demo is killed and can't do so itself."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
