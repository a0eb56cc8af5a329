"""Writers never wait for each other, and any number of workers seals one chain."""

import threading
from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select

from idp import clock
from idp.audit import sealing, service, verification
from idp.audit.models import AuditEvent, AuditSeal
from idp.audit.verification import Report
from idp.database import db
from idp.settings import Settings
from tests.databases import AppBuilder, with_database


def test_an_event_that_is_committed_late_is_sealed_late(
    app: Flask, settings: Settings, build_app: AppBuilder, database_url: str, seal: Callable[..., None]
) -> None:
    """An id is made when an event is written; what counts is when others can see it."""
    with build_app(with_database(settings, database_url)).app_context(), clock.shifted(timedelta(minutes=-5)):
        # SQLite lets one writer in at a time, so there the event that is late is one whose node's clock is slow.
        service.record("written_first")
        if app.config["SQLALCHEMY_DATABASE_URI"].get_backend_name() == "sqlite":
            db.session.rollback()
        with app.app_context():
            service.record("committed_first")
            db.session.commit()
            seal()
        if app.config["SQLALCHEMY_DATABASE_URI"].get_backend_name() == "sqlite":
            service.record("written_first")
        db.session.commit()
    seal()

    ordered = db.session.scalars(select(AuditEvent.event).order_by(AuditEvent.position)).all()

    assert ordered == ["committed_first", "written_first"]
    assert verification.verify().is_intact


def test_two_nodes_write_while_two_workers_seal(
    settings: Settings, app: Flask, build_app: AppBuilder, database_url: str, verify: Callable[..., Report]
) -> None:
    errors: list[BaseException] = []
    writing = threading.Event()

    def run(node: Flask, job: Callable[[], None]) -> None:
        try:
            with node.app_context():
                job()
        except BaseException as error:
            errors.append(error)
            raise

    def write() -> None:
        for number in range(150):
            service.record("log_in", number=number)
            db.session.commit()

    def seal() -> None:
        while True:
            done = writing.is_set()
            sealed = sealing.seal_next(clock.now(), limit=7)
            db.session.commit()
            if done and sealed is None and not _unsealed():
                return

    nodes = [build_app(with_database(settings, database_url)) for _ in range(4)]
    writers = [threading.Thread(target=run, args=(node, write)) for node in nodes[:2]]
    workers = [threading.Thread(target=run, args=(node, seal)) for node in nodes[2:]]
    for thread in writers + workers:
        thread.start()
    for thread in writers:
        thread.join(60)
    writing.set()
    for thread in workers:
        thread.join(60)
    report = verify()

    assert errors == []
    assert (report.events, report.unsealed, report.findings) == (300, 0, [])
    assert db.session.scalar(select(func.max(AuditEvent.position))) == 300
    assert db.session.scalar(select(func.count()).select_from(AuditSeal)) == report.seals


def test_a_seal_that_is_not_committed_leaves_the_events_due(app: Flask, write: Callable[[int], None]) -> None:
    write(3)
    assert sealing.seal_next(clock.now()) is not None
    db.session.rollback()

    sealed = sealing.seal_next(clock.now())

    assert sealed is not None
    assert (sealed.number, sealed.events) == (1, 3)


def test_nothing_due_sets_no_seal(app: Flask) -> None:
    assert sealing.seal_next(clock.now()) is None


def _unsealed() -> int:
    return db.session.scalar(select(func.count()).select_from(AuditEvent).where(AuditEvent.position.is_(None))) or 0
