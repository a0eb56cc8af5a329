"""Starts an application under granian, or says in one line why it can't."""

import os
import socket
import sys
from collections.abc import Callable

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from clients.shared.settings import Misconfigured, Settings

ADDRESS = "127.0.0.1"
THREADS = 4  # a log-in waits for the provider, and must not hold up pages


def serve(application: str, load: Callable[[], Settings]) -> None:
    """Serve the factory that `application` names ("package.module:function") until a signal ends it."""
    try:
        settings = load()
        _check_port(settings.port)
    except Misconfigured as problem:
        sys.stderr.write(f"{problem}\n")
        raise SystemExit(2) from None
    Granian(
        application,
        address=ADDRESS,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        log_level=LogLevels.warning,
        workers_kill_timeout=5,
        factory=True,
    ).serve()


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise Misconfigured(
                f"Port {port}, which BASE_URL names, can't be used: {os.strerror(error.errno or 0)}"
            ) from None
