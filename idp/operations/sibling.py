"""Processes that belong to one another: started together, and never left behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import structlog

log = structlog.get_logger(__name__)

_GRACE_SECONDS = 20


def stop_with(parent: int) -> None:
    """Stop this process, gracefully, when its parent is gone: one that was killed can't tell its children."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class Sibling:
    """`idp worker` beside `idp serve`: started again when it dies, stopped with it."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._process = self._start()
        threading.Thread(target=self._keep_alive, name="sibling", daemon=True).start()

    def stop(self) -> None:
        """End it gracefully, and wait for that; not longer than 20 seconds."""
        with self._changing:
            self._stopping.set()
            self._process.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "idp", *self._arguments, "--parent", str(os.getpid())])

    def _keep_alive(self) -> None:
        while not self._stopping.is_set():
            code = self._process.wait()
            if self._stopping.wait(5):
                return
            with self._changing:
                if not self._stopping.is_set():
                    log.error("worker_died", exit_code=code)
                    self._process = self._start()
