"""How many messages a second a worker hands over: a full outbox, `idp worker`, and a mail server of its own process."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from idp import clock
from idp.app import create_app
from idp.database import db
from idp.mail import service
from idp.mail.models import ACCEPTED, OutboxMessage
from idp.settings import PACKAGE, Mail, Settings
from tests import certificates
from tests.benchmarks import processes
from tests.programs import variables
from tests.servers import free_ports

_LONGEST_SECONDS = 300.0
_AT_ONCE = 500


@dataclass(frozen=True)
class Mailed:
    """What became of a full outbox."""

    queued: int
    accepted: int
    queueing_seconds: float
    seconds: float
    """From the first message that was taken to the last one."""
    cpu_seconds: float

    def __str__(self) -> str:
        """Say it in a line."""
        rate, cpu = self.accepted / self.seconds, self.cpu_seconds / max(1, self.accepted) * 1000
        return (
            f"mail: {self.accepted} of {self.queued} queued messages delivered by one worker over STARTTLS, "
            f"{rate:.0f} per s, {cpu:.2f} CPU ms each; {self.queued / self.queueing_seconds:.0f} per s were queued"
        )


def measure(configured: Settings, folder: Path, how_many: int) -> Mailed:
    """Queue so many messages, let one worker deliver them, and return how long it took: five minutes at most."""
    certificate = certificates.make(folder)
    port = free_ports(1)
    sender = "portal@district207.example"
    configured = replace(configured, mail=Mail("localhost", port, sender=sender))
    app = create_app(configured)
    with app.app_context():
        queueing = _fill(how_many)
        with _mail_server(port, certificate), _worker(configured, folder, certificate[0]) as worker:
            accepted = _wait(worker, how_many)
            cpu = processes.cpu_seconds(worker.pid)
        seconds = _seconds_from_first_to_last(app)
        db.engine.dispose()
    return Mailed(how_many, accepted, queueing, seconds, cpu)


def _fill(how_many: int) -> float:
    """Write messages as the portal does, and return the seconds that it takes."""
    began = time.perf_counter()
    for number in range(how_many):
        service.send("mail/test", f"parent{number}@example.org", now=clock.now())
        if number % _AT_ONCE == _AT_ONCE - 1:
            db.session.commit()
            db.session.expunge_all()
    db.session.commit()
    return time.perf_counter() - began


@contextmanager
def _mail_server(port: int, certificate: tuple[Path, Path]) -> Iterator[None]:
    """Run a mail server that takes everything and keeps nothing."""
    where = ["--nosetuid", "--class", "aiosmtpd.handlers.Sink", "--listen", f"localhost:{port}"]
    tls = ["--tlscert", str(certificate[0]), "--tlskey", str(certificate[1])]
    with _program(["-m", "aiosmtpd", *where, *tls], {}, subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 30
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the mail server did not start")
            time.sleep(0.05)
        yield


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("localhost", port), timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def _worker(configured: Settings, folder: Path, trusted: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "worker.log").open("ab") as log:
        environment = variables(configured) | {"SSL_CERT_FILE": str(trusted)}
        with _program(["-m", "idp", "worker"], environment, log.fileno()) as started:
            yield started


@contextmanager
def _program(arguments: list[str], environment: dict[str, str], output: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, *arguments]
    started = subprocess.Popen(command, env=environment, cwd=PACKAGE.parent, stdout=output, stderr=output)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(60)


def _wait(worker: "subprocess.Popen[bytes]", how_many: int) -> int:
    """Wait until all are accepted, or for as long as is waited at most; return how many were."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (accepted := _count()) < how_many and worker.poll() is None and time.monotonic() < deadline:
        time.sleep(0.25)
    return accepted


def _count() -> int:
    counted = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == ACCEPTED)
    found = db.session.scalar(counted) or 0
    db.session.rollback()
    return found


def _seconds_from_first_to_last(app: Flask) -> float:
    first, last = db.session.execute(
        select(func.min(OutboxMessage.settled_at), func.max(OutboxMessage.settled_at)).where(
            OutboxMessage.state == ACCEPTED
        )
    ).one()
    db.session.rollback()
    return max((last - first).total_seconds(), 0.001) if first and last else 0.001
