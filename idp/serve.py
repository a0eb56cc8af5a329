"""`idp serve`: the provider on granian, a worker process per core."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from functools import partial
from typing import Any

import click
import structlog
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from sqlalchemy.exc import SQLAlchemyError

from idp import faults, turns
from idp import settings as settings_module
from idp.command_line import refuse
from idp.database import db
from idp.faults import Fault
from idp.operations import drain, ports
from idp.operations.readiness import Shape, shape
from idp.operations.sibling import Sibling, stop_with
from idp.settings import Settings

log = structlog.get_logger(__name__)

_GRACE_SECONDS = 30
_MEMORY = "/dev/shm"  # noqa: S108  a folder of our own is made in it
"""Where the counters are kept: they are mapped files, and on a full disk one that grows kills its process (SIGBUS)."""
_LONGEST_HEAD = 32 * 1024
"""Bytes that a request's line and headers may have: a sealed request of 4 kB and cookies fit several times."""


@click.command()
@click.option("--host", help="Address to listen on, instead of [server] host.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on, instead of [server] port.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes, instead of [server] workers.")
@click.option("--with-worker", is_flag=True, help="Run `idp worker` beside it, and end it, too.")
@click.option("--parent", type=int, hidden=True, help="Stop when this process, which started the command, is gone.")
def serve(host: str | None, port: int | None, workers: int | None, parent: int | None, *, with_worker: bool) -> None:
    """Serve the provider until SIGTERM or Ctrl-C, which let the requests under way finish.

    \b
    Example:  idp serve --with-worker
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until granian takes over: what is begun is cleared away
    if parent is not None:
        stop_with(parent)
    _override("IDP_SERVER_HOST", host)
    _override("IDP_SERVER_PORT", port)
    _override("IDP_SERVER_WORKERS", workers)
    settings = settings_module.load()
    gc.disable()  # until what is here for good is loaded
    _refuse_taken_port(settings)
    counters = tempfile.mkdtemp(prefix="idp-metrics-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = counters  # before the first counter is made
    try:
        _prepare_database(settings)
        _run(settings, with_worker=with_worker)
    finally:
        gc.enable()
        shutil.rmtree(counters, ignore_errors=True)


def load_application(parent: int) -> Any:
    """Make the application inside a worker process, which ends when its parent is gone."""
    from idp.app import create_app  # after `serve` has told the counters where to count
    from idp.operations.front import Front
    from idp.operations.secret_watch import Watch

    settings = settings_module.load()
    turns.wait_for_others()
    drain.stop_drained(settings.server.drain_seconds)  # before any other thread is started
    stop_with(parent)
    app = create_app(settings)
    Watch(app).start()
    gc.freeze()  # nor does it look through what is here for good, each time it goes round
    return Front(app)


def _override(variable: str, value: str | int | None) -> None:
    """Pass an option on by the environment, which the worker processes and `idp worker` read, too."""
    if value is not None:
        os.environ.pop(f"{variable}_FILE", None)
        os.environ[variable] = str(value)


def _refuse_taken_port(settings: Settings) -> None:
    if problem := ports.problem(settings.server.host, settings.server.port):
        refuse(f"{problem}; stop what listens there, or choose another with --host and --port.")


def _prepare_database(settings: Settings) -> None:
    from idp.app import create_app  # after `serve` has told the counters where to count

    with create_app(settings).app_context():
        try:
            found = shape(db.engine)
        except SQLAlchemyError as error:
            refuse(f"{(faults.find(error) or Fault.UNREACHABLE).advice}.")
        if found in {Shape.EMPTY, Shape.BEHIND}:
            if not settings.is_development:
                refuse("the database is not up to date; run `idp db upgrade`.")
            from idp import schema  # loads Alembic, which a start without a migration need not wait for

            schema.upgrade()
        db.engine.dispose()  # a connection must not be shared with the processes that are forked from this one


def _run(settings: Settings, *, with_worker: bool) -> None:
    workers = settings.server.workers or os.cpu_count() or 1
    sibling = Sibling("worker") if with_worker else None
    server = Granian(
        "idp.serve:load_application",
        address=ports.numeric(settings.server.host),
        port=settings.server.port,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        workers=workers,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=_LONGEST_HEAD),
        log_level=LogLevels.warning,
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
        respawn_failed_workers=True,
        workers_kill_timeout=settings.server.drain_seconds + _GRACE_SECONDS,
    )
    log.info("listening", host=settings.server.host, port=settings.server.port, workers=workers)
    gc.freeze()  # what was loaded so far is shared with the forked workers; the collector must not touch its pages
    gc.enable()
    try:
        server.serve(target_loader=partial(load_application, os.getpid()), wrap_loader=False)
    finally:
        if sibling is not None:
            sibling.stop()
        log.info("stopped")
