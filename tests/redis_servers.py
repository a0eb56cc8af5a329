"""A Redis of our own for tests: started on a free port, keeping nothing, ended with the test."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from redis import Redis, RedisError

from tests import servers

_INSTALL = "Redis is missing. Type: apt-get install redis-server"


@dataclass
class RedisServer:
    """One server, which can be stopped and started again."""

    folder: Path
    port: int
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, with what it kept on the disk, and wait until it answers."""
        program = shutil.which("redis-server")
        assert program, _INSTALL
        given = f"--bind 127.0.0.1 --port {self.port} --dir {self.folder} --appendonly yes --appendfsync always"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([program, *given.split()], stdout=log, stderr=log)
        until = time.monotonic() + 20
        with Redis.from_url(self.url) as client:
            while True:
                with suppress(RedisError):
                    if client.ping():
                        return
                assert time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run a server while the block runs."""
    server = RedisServer(folder, servers.free_ports(1))
    server.start()
    try:
        yield server
    finally:
        server.stop()
