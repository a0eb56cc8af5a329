"""`idp worker`: what is due, feature by feature, under leases, so that any number of workers is right."""

import signal
import threading

import click

from idp.command_line import with_application
from idp.operations.sibling import stop_with


@click.command()
@click.option("--parent", type=int, hidden=True, help="Stop when this process, which started the command, is gone.")
@with_application
def worker(parent: int | None) -> None:
    """Do what is due until SIGTERM or Ctrl-C: log-out notices, audit seals, pruning, key rotation.

    \b
    Example:  idp worker
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if parent is not None:
        stop_with(parent)
    stopping.wait()
