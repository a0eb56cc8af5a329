"""Servers on this machine that stand for somebody else's: each answers in this process, on a free port."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers a request, and writes no line about it."""

    def answer(self) -> None:
        """Answer it, whether it is a GET or a POST."""
        raise NotImplementedError

    def _answer(self) -> None:
        self.answer()

    do_GET = do_POST = _answer  # noqa: N815  the base class's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Stay silent."""

    def say(self, status: int, body: bytes, content_type: str | None = None) -> None:
        """Send a whole answer."""
        self.send_response(status)
        if content_type is not None:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def listening(handler: type[Handler]) -> Iterator[int]:
    """Let a handler answer until the block ends; yields the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
