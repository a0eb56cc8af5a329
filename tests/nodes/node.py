"""A node: one `idp serve` with its processes, which can be stopped, killed in several ways, and started again."""

import contextlib
import http.client
import os
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from idp.settings import Settings
from tests.programs import variables
from tests.servers import Running, descendants, program

_SECONDS = 60


@dataclass
class Node:
    """One machine of the provider's, as far as one machine can be several."""

    settings: Settings
    port: int
    folder: Path
    workers: int = 2
    with_worker: bool = True
    _stack: ExitStack = field(default_factory=ExitStack)
    _running: Running | None = None

    @property
    def running(self) -> Running:
        """Its main process."""
        assert self._running is not None, "it does not run"
        return self._running

    @property
    def log(self) -> str:
        """What it has written, over all its starts."""
        return (self.folder / f"node-{self.port}.log").read_text("utf-8", "replace")

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        settings = replace(self.settings, server=replace(self.settings.server, port=self.port))
        arguments = ["-m", "idp", "serve", "--workers", str(self.workers)]
        arguments += ["--with-worker"] if self.with_worker else []
        log = self.folder / f"node-{self.port}.log"
        origin = f"http://127.0.0.1:{self.port}"
        self._running = self._stack.enter_context(program(arguments, variables(settings), origin, "/healthz", log))
        self.wait_until_ready()

    def stop(self) -> None:
        """Stop it as `systemctl stop` does: SIGTERM to the main process, and wait."""
        self._stack.close()

    @property
    def ended_with(self) -> int | None:
        """The exit code of its main process, once it has ended."""
        return self.running.process.poll()

    def kill(self) -> None:
        """Kill all of it at once, as when the machine loses its power."""
        family = self.family()
        for pid in family:  # none may live on to notice that another is gone
            _signal(pid, signal.SIGSTOP)
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self.running.process.wait(_SECONDS)
        self._stack.close()

    def kill_main(self) -> None:
        """Kill the main process alone, and wait until the others have noticed: nobody may hold the port any more."""
        family = self.family()
        _signal(family[0], signal.SIGKILL)
        self.running.process.wait(_SECONDS)
        deadline = time.monotonic() + _SECONDS
        while left := [pid for pid in family[1:] if _is_alive(pid)]:
            assert time.monotonic() < deadline, f"{left} live on\n{self.log[-5000:]}"
            time.sleep(0.05)
        self._stack.close()

    def family(self) -> list[int]:
        """Return its processes, the main one first."""
        main = self.running.process.pid
        return [main, *descendants(main)]

    def wait_until_ready(self) -> None:
        """Wait until /readyz says so."""
        deadline = time.monotonic() + _SECONDS
        while _status(self.port) != 200:
            assert time.monotonic() < deadline, self.log[-5000:]
            time.sleep(0.05)


def _status(port: int) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
