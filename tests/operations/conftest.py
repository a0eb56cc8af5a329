"""What operations' tests share: an application's log-out address on this machine, and notices owed to it."""

import http.server
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.accounts.models import Account
from idp.database import db
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, LogoutNotice
from tests.factories import Person, Registered
from tests.servers import free_ports


class LogoutAddress:
    """The back-channel log-out address of an application: it answers as the test wants, and keeps what came."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.status = 200
        self.delay = 0.0
        self.go_on = threading.Event()
        """While this is cleared, nobody is answered."""
        self.go_on.set()
        address = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the base class's name
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                address.tokens += form["logout_token"]
                time.sleep(address.delay)
                address.go_on.wait(30)
                self.send_response(address.status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
                """Stay silent."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_address[1]}/backchannel-logout"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def new_address() -> Iterator[Callable[[], LogoutAddress]]:
    """Make log-out addresses."""
    made: list[LogoutAddress] = []

    def new() -> LogoutAddress:
        made.append(LogoutAddress())
        return made[-1]

    yield new
    for address in made:
        address.close()


@pytest.fixture
def owe(app: Flask, parent: Person) -> Callable[..., list[uuid.UUID]]:
    """Log a parent in, let applications take part, log out; return the notices that are owed now."""

    def owed(*applications: Registered, times: int = 1) -> list[uuid.UUID]:
        before = set(db.session.scalars(select(LogoutNotice.id)))
        account = db.session.get_one(Account, parent.id)
        for _ in range(times):
            sessions.start(
                account, amr=["pwd"], shared_computer=False, user_agent="", address="192.0.2.1", now=clock.now()
            )
            newest = select(BrowserSession.id).where(BrowserSession.ended_at.is_(None))
            session_id = db.session.scalars(newest).one()
            for application in applications:
                sessions.join(session_id, application.id, clock.now())
            sessions.end(session_id, "log_out", clock.now())
            db.session.commit()
        made = db.session.scalars(select(LogoutNotice.id).order_by(LogoutNotice.id)).all()
        return [notice for notice in made if notice not in before]

    return owed


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens."""
    return free_ports(1)


@pytest.fixture
def hanging_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]
