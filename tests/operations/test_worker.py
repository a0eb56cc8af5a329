"""Any number of workers does what is due, once, and outlives a database that is down."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.audit import service as audit
from idp.audit import verification
from idp.audit.models import AuditEvent
from idp.database import db
from idp.oidc import delivery
from idp.operations import leases
from idp.operations.models import WorkerLease
from idp.sessions.models import LogoutNotice
from idp.settings import PACKAGE, Settings
from tests.counted import counted
from tests.databases import AppBuilder, Databases, with_database
from tests.factories import Registered
from tests.operations.conftest import LogoutAddress
from tests.programs import Commands, variables

A_MINUTE = timedelta(minutes=1)


def test_one_worker_gets_a_task_and_nobody_before_it_is_due_again(
    app: Flask, settings: Settings, build_app: AppBuilder, database_url: str
) -> None:
    nodes = [build_app(with_database(settings, database_url)) for _ in range(4)]
    won: list[bool] = []
    barrier = threading.Barrier(len(nodes))

    def take(node: Flask) -> None:
        with node.app_context():
            barrier.wait(20)
            won.append(leases.take("prune", every=A_MINUTE, longest=A_MINUTE, now=clock.now()))

    threads = [threading.Thread(target=take, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    leases.finish("prune", clock.now())

    assert sorted(won) == [False, False, False, True]
    assert not leases.take("prune", every=A_MINUTE, longest=A_MINUTE, now=clock.now())
    assert leases.take("prune", every=A_MINUTE, longest=A_MINUTE, now=clock.now() + 2 * A_MINUTE)


def test_a_task_whose_worker_died_is_taken_by_another(app: Flask) -> None:
    assert leases.take("prune", every=A_MINUTE, longest=A_MINUTE, now=clock.now())
    db.session.execute(db.update(WorkerLease).values(holder="another:1"))
    db.session.commit()

    assert not leases.take("prune", every=A_MINUTE, longest=A_MINUTE, now=clock.now())
    assert leases.take("prune", every=A_MINUTE, longest=A_MINUTE, now=clock.now() + 2 * A_MINUTE)
    leases.finish("prune", clock.now())
    assert db.session.get_one(WorkerLease, "prune").finished_at is not None


def test_once_does_all_that_is_due_and_ends(
    app: Flask,
    idp: Commands,
    client: Callable[..., Registered],
    new_address: Callable[[], LogoutAddress],
    owe: Callable[..., object],
) -> None:
    address = new_address()
    owe(client(backchannel_logout_uri=address.url), times=3)
    audit.record("log_in")
    db.session.commit()

    assert idp("worker", "--once").exit_code == 0

    assert len(address.tokens) == 3
    assert verification.verify().events >= 1
    assert leases.last_beat() is not None
    assert {"keys", "prune", "tries", "worker"} == set(db.session.scalars(select(WorkerLease.name)))


def test_it_gives_up_what_nobody_could_be_told_for_a_day(
    app: Flask,
    idp: Commands,
    client: Callable[..., Registered],
    owe: Callable[..., list[uuid.UUID]],
    hanging_port: int,
) -> None:
    (notice_id,) = owe(client(backchannel_logout_uri=f"http://localhost:{hanging_port}/"))
    away = {"created_at": clock.now() - timedelta(hours=25), "due_at": clock.now() + timedelta(minutes=10)}
    db.session.execute(db.update(LogoutNotice).values(**away))
    db.session.commit()

    assert idp("worker", "--once").exit_code == 0

    db.session.expire_all()
    assert db.session.get_one(LogoutNotice, notice_id).given_up_at is not None


def test_a_look_for_what_is_due_reads_no_notice_that_waits(
    app: Flask, client: Callable[..., Registered], owe: Callable[..., object], unused_port: int
) -> None:
    """It happens twice a second, so it asks for what is due alone, along the index, and takes no lock."""
    owe(client(backchannel_logout_uri=f"http://localhost:{unused_port}/"), times=3)
    db.session.execute(db.update(LogoutNotice).values(due_at=clock.now() + timedelta(minutes=10)))
    db.session.commit()
    looking = delivery.Delivery(app)

    with counted() as spent:
        assert looking.start_due() == 0

    (statement,) = spent.statements
    assert "due_at <=" in statement
    assert "FOR UPDATE" not in statement


def test_it_works_until_it_is_told_to_stop(app: Flask, tmp_path: Path) -> None:
    with _worker(app.config["IDP"], tmp_path) as (process, log):
        audit.record("log_in", address_of="worker test")
        db.session.commit()
        _wait_until(lambda: _unsealed() == 0)
        process.send_signal(signal.SIGTERM)

        assert process.wait(20) == 0
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events[0] == "worker_started"
    assert events[-1] == "worker_stopped"
    assert "audit_sealed" in events
    assert verification.verify().is_intact


def test_it_outlives_a_database_that_is_away_for_a_while(
    settings: Settings, all_databases: Databases, unused_port: int, tmp_path: Path
) -> None:
    with all_databases.new("postgresql") as url:
        name, folder = re.findall(r"@/(\w+)\?host=(.+)", url)[0]
        by_tcp = f"postgresql://postgres@127.0.0.1:{unused_port}/{name}"
        with _worker(with_database(settings, by_tcp), tmp_path) as (process, log):
            _wait_until(lambda: '"fault": "unreachable"' in log.read_text())
            assert process.poll() is None
            with _forwarded(unused_port, f"{folder}/.s.PGSQL.5432"):
                _wait_until(lambda: '"pruned"' in log.read_text())
            seen = len(log.read_text())
            _wait_until(lambda: '"fault": "unreachable"' in log.read_text()[seen:])
            with _forwarded(unused_port, f"{folder}/.s.PGSQL.5432"):
                seen = len(log.read_text())
                Commands(with_database(settings, url))("account", "add", "somebody")
                _wait_until(lambda: "audit_sealed" in log.read_text()[seen:])
                process.send_signal(signal.SIGTERM)

                assert process.wait(20) == 0


@contextmanager
def _forwarded(port: int, path: str) -> Iterator[None]:
    """Let a port lead to PostgreSQL's socket while the block runs; afterwards whatever came through is cut off."""
    open_sockets: list[socket.socket] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        target.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(path)
                open_sockets.extend((near, far))
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", port)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for one in open_sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()


def _unsealed() -> int:
    db.session.rollback()
    return len(db.session.scalars(select(AuditEvent.id).where(AuditEvent.position.is_(None))).all())


@contextmanager
def _worker(settings: Settings, folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "idp", "worker"],
            env=variables(settings) | {"IDP_AUDIT_SEAL_SECONDS": "1"},
            cwd=PACKAGE.parent,
            stdout=output,
            stderr=output,
        )
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def _wait_until(condition: Callable[[], bool], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)
