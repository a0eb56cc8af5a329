"""`idp worker`: what is due, feature by feature, under leases, so that any number of workers is right."""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import click
import structlog
from flask import Flask, current_app

from idp import clock, faults, settings
from idp.audit import sealing
from idp.command_line import with_application
from idp.database import db, release
from idp.login import notices as log_in_notices
from idp.mail.delivery import Delivery as MailDelivery
from idp.oidc import delivery as notices
from idp.oidc import keys
from idp.oidc.delivery import Delivery
from idp.operations import leases, pruning
from idp.operations.secret_watch import Watch
from idp.operations.sibling import stop_with
from idp.recovery import forgotten_answers
from idp.web.context import Origin, set_origin

log = structlog.get_logger(__name__)

_NOTICES_SECONDS = 0.5
_MAIL_SECONDS = 1.0
_HEARTBEAT_SECONDS = 30.0
_CALENDAR_SECONDS = 60.0
_AFTER_FAILURE_SECONDS = 5.0
_MOST_BATCHES = 50

_PRUNE_EVERY, _PRUNE_LONGEST = timedelta(hours=1), timedelta(minutes=30)
_TRIES_EVERY, _TRIES_LONGEST = timedelta(seconds=20), timedelta(minutes=2)
_KEYS_EVERY, _KEYS_LONGEST = timedelta(minutes=10), timedelta(minutes=5)


@dataclass(slots=True)
class Task:
    """Something that is looked after every so many seconds."""

    name: str
    seconds: float
    run: Callable[[], object]
    next_at: float = field(default=0.0)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@click.option("--parent", type=int, hidden=True, help="Stop when this process, which started the command, is gone.")
@with_application
def worker(parent: int | None, *, once: bool) -> None:
    """Do what is due until SIGTERM or Ctrl-C: log-out notices, forgotten passwords, mail, seals, pruning, key rotation.

    \b
    Example:  idp worker
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if parent is not None:
        stop_with(parent)
    set_origin(Origin("worker"))
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  # Flask's documented way to the object behind the proxy
    delivery, mail = Delivery(app), MailDelivery(app)
    log.info("worker_started", holder=leases.holder())
    try:
        _work(tasks(delivery, mail, Watch(app), stopping), stopping, once=once)
        if once:
            delivery.wait()
            mail.wait()
    finally:
        delivery.stop()
        mail.stop()
        log.info("worker_stopped", holder=leases.holder())


def tasks(delivery: Delivery, mail: MailDelivery, watch: Watch, stopping: threading.Event) -> list[Task]:
    """Return all that a worker looks after."""
    return [
        Task("heartbeat", _HEARTBEAT_SECONDS, lambda: leases.beat(clock.now())),
        Task("secrets", settings.current().keys.reread_seconds, lambda: watch.look(clock.now())),
        Task("keys", _CALENDAR_SECONDS, _rotate_keys),
        Task("old_notices", _CALENDAR_SECONDS, lambda: notices.give_up_old(clock.now())),
        Task("notices", _NOTICES_SECONDS, delivery.start_due),
        Task("forgotten", _MAIL_SECONDS, forgotten_answers.answer_due),
        Task("tries", _HEARTBEAT_SECONDS, tell_of_tries),
        Task("mail", _MAIL_SECONDS, mail.start_due),
        Task("seals", settings.current().audit.seal_seconds, seal_all),
        Task("prune", _CALENDAR_SECONDS, lambda: _prune(stopping)),
    ]


def seal_all() -> int:
    """Seal the events that have no place yet, and log the head of the chain; return how many were sealed."""
    count = 0
    for _ in range(_MOST_BATCHES):
        sealed = sealing.seal_next(clock.now())
        db.session.commit()
        if sealed is None:
            break
        count += sealed.events
        # The head in the log is what a chain that was cut off or put back is held against.
        log.info("audit_sealed", events=sealed.events, last_position=sealed.last_position, head=sealed.head)
    return count


def tell_of_tries() -> None:
    """Mail those at whose usernames passwords were wrong, one worker at a time."""
    if leases.take("tries", every=_TRIES_EVERY, longest=_TRIES_LONGEST, now=clock.now()):
        reached = log_in_notices.tell_due(leases.reached("tries"), clock.now())
        leases.finish("tries", clock.now(), reached)


def _work(due: list[Task], stopping: threading.Event, *, once: bool) -> None:
    while not stopping.is_set():
        for task in due:
            if task.next_at <= time.monotonic() and not stopping.is_set():
                wait = _attempt(task)
                task.next_at = time.monotonic() + wait
        if once:
            return
        stopping.wait(max(0.0, min(task.next_at for task in due) - time.monotonic()))


def _attempt(task: Task) -> float:
    """Run a task and return in how many seconds it is due again; a database that is down is waited for."""
    try:
        task.run()
    except Exception as error:  # one task's fault must not keep the others from being done
        if fault := faults.find(error):
            log.warning("unavailable", **faults.told(fault, error), task=task.name)
            return _AFTER_FAILURE_SECONDS
        log.exception("task_failed", task=task.name)
        return max(_AFTER_FAILURE_SECONDS, task.seconds)
    finally:
        release()
    return task.seconds


def _rotate_keys() -> None:
    if leases.take("keys", every=_KEYS_EVERY, longest=_KEYS_LONGEST, now=clock.now()):
        changed = keys.rotate_due(clock.now())
        leases.finish("keys", clock.now())
        if changed:
            log.info("keys_rotated", changed=changed)


def _prune(stopping: threading.Event) -> None:
    if leases.take("prune", every=_PRUNE_EVERY, longest=_PRUNE_LONGEST, now=clock.now()):
        counts = pruning.prune(clock.now(), stopping=stopping)
        leases.finish("prune", clock.now())
        log.info("pruned", **{name.replace(" ", "_"): gone for name, gone in counts.items()})
