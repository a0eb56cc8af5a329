"""What an operator types: `idp db`, `idp doctor`, `idp prune`."""

import base64
import secrets
import signal
import sys
import threading
from dataclasses import asdict

import click

from idp import clock, schema
from idp.command_line import print_json, refuse, with_application
from idp.database import db, release
from idp.operations import doctor as examination
from idp.operations import pruning, readiness
from idp.operations.finding import PROBLEM, Finding
from idp.settings import SettingsError


@click.group("db")
def database() -> None:
    """Look after the database's shape.

    \b
    Example:  idp db upgrade
    """


@database.command()
@with_application
def upgrade() -> None:
    """Bring the database up to date; safe to repeat, and beside the version before.

    \b
    Example:  idp db upgrade
    """
    schema.upgrade()
    click.echo("The database is up to date.")


@database.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Don't ask: what the newer shape holds in addition is lost.")
@with_application
def downgrade(revision: str, *, yes: bool) -> None:
    """Take the database back to an earlier REVISION; `base` empties it.

    \b
    Example:  idp db downgrade 0001 --yes
    """
    if revision not in readiness.revisions()[0] | {"base"}:
        known = ", ".join(["base", *sorted(readiness.revisions()[0])])
        refuse(f"there is no revision {revision!r}; choose one of {known}.")
    if not yes:
        click.confirm(f"Take the database back to {revision} and lose what is newer?", abort=True)
    schema.downgrade(revision)
    click.echo(f"The database is at {revision}.")


@database.command()
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
@with_application
def current(*, as_json: bool) -> None:
    """Tell how far the database is; exit code 1 when `idp db upgrade` has something to do.

    \b
    Example:  idp db current
    """
    shape = readiness.shape(db.engine)
    newest = readiness.revisions()[1]
    if as_json:
        print_json({"shape": shape, "newest": newest})
    else:
        click.echo(f"The database is {shape}; this version's newest revision is {newest}.")
    if shape in {readiness.Shape.EMPTY, readiness.Shape.BEHIND}:
        raise SystemExit(1)


@click.command()
@click.option("--new-key", is_flag=True, help="Print a new key for [secrets], and examine nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
def doctor(*, new_key: bool, as_json: bool) -> None:
    """Examine settings, database, keys, worker and the address that browsers use.

    Exit code 1 when there is a problem, 2 when it is with the settings and nothing else could be looked at.

    \b
    Example:  idp doctor
    Example:  idp doctor --new-key
    """
    if new_key:
        name = f"k{clock.now():%Y%m%d}{secrets.token_hex(2)}"
        click.echo(f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}")
        return
    try:
        findings, exit_code = _examined(), 0
    except SettingsError as error:
        findings = [Finding(PROBLEM, "settings", problem) for problem in error.problems]
        exit_code = 2
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{finding.level:<8} {finding.subject:<9} {finding.text}")
    if any(finding.level == PROBLEM for finding in findings):
        raise SystemExit(exit_code or 1)


def _examined() -> list[Finding]:
    with click.get_current_context().find_root().obj().app_context():
        try:
            return examination.examine(clock.now())
        finally:
            release()
            db.engine.dispose()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
@with_application
def prune(*, as_json: bool) -> None:
    """Delete what has expired, in small batches; the worker does so every hour by itself.

    SIGTERM or Ctrl-C ends it after the batch at hand; the next run goes on from there.

    \b
    Example:  idp prune
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    counts = pruning.prune(clock.now(), _progress, stopping)
    if as_json:
        print_json(counts)
        return
    for name, gone in counts.items():
        click.echo(f"{gone:>9} {name}")


def _progress(name: str, gone: int) -> None:
    """Show how far it is, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r{gone:>9} {name} …", nl=False, err=True)
