"""`idp demo`: what `make run` starts."""

import os
import signal
import sys
from pathlib import Path

import click

from idp import clock, schema
from idp import settings as settings_module
from idp.app import create_app
from idp.command_line import refuse
from idp.database import db
from idp.demo import applications, instance, people
from idp.demo.applications import Application, Credentials
from idp.demo.people import Ready
from idp.demo.processes import Died, Processes
from idp.operations import ports
from idp.settings import PACKAGE, PRODUCTION

_PORTS = 5
_CHECKOUT = PACKAGE.parent


@click.command()
@click.option("--port", type=click.IntRange(1024, 65535 - _PORTS + 1), default=5000, show_default=True)
@click.option("--instance", "folder", type=click.Path(path_type=Path), default=Path("instance"), show_default=True)
def demo(port: int, folder: Path) -> None:
    """Run everything on this machine with demo families: the provider, the gradebook and three school dashboards.

    They take five ports from the one given. The data stays in the folder, so that the next run goes on with it.

    \b
    Example:  idp demo --port 5000
    """
    if os.environ.get("IDP_ENVIRONMENT") == PRODUCTION:
        refuse("a demo has passwords that everybody knows; it never runs with IDP_ENVIRONMENT=production.")
    parties = applications.at(port) if (_CHECKOUT / "clients" / "gradebook").is_dir() else ()
    for needed in (port, *(party.port for party in parties)):
        if problem := ports.problem("localhost", needed):
            refuse(f"{problem}; end what uses it, or choose five free ports in a row with --port.")
    try:
        with instance.opened(folder):
            _run(port, folder, parties)
    except instance.InUse:
        refuse(f"a demo is running on {folder} already; end it first, or choose another folder with --instance.")


def _run(port: int, folder: Path, parties: tuple[Application, ...]) -> None:
    processes = Processes(folder.resolve() / "logs")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: processes.stopping.set())
    os.environ.update(instance.environment(folder, port))
    instance.write_environment(folder, {name: value for name, value in os.environ.items() if name.startswith("IDP_")})
    ready, credentials = _set_up(folder, parties)
    try:
        _start(processes, folder, port, parties, credentials)
        if not processes.stopping.is_set():
            instance.write_description(folder, _description(port, parties, ready))
            _show(port, parties, ready, folder)
        processes.watch()
    except Died as error:
        refuse(str(error))
    finally:
        click.echo("Ending …")
        processes.stop()


def _set_up(folder: Path, parties: tuple[Application, ...]) -> tuple[list[Ready], dict[str, Credentials]]:
    """Make what is missing: the database's shape, people, applications."""
    with create_app(settings_module.load()).app_context():
        click.echo("Database …")
        schema.upgrade()
        click.echo("People …")
        ready = people.ensure(folder / "secrets" / "temporary-password", clock.now())
        click.echo("Applications …")
        credentials = {party.key: applications.ensure(party, folder, clock.now()) for party in parties}
        db.engine.dispose()
    return ready, credentials


def _start(
    processes: Processes, folder: Path, port: int, parties: tuple[Application, ...], credentials: dict[str, Credentials]
) -> None:
    issuer = f"http://localhost:{port}"
    click.echo(f"Provider on {issuer} …")
    arguments = ["-m", "idp", "serve", "--with-worker", "--parent", str(os.getpid())]
    processes.wait_for(processes.start("provider", arguments, {}, None), port, "/readyz")
    if not parties:
        click.echo("The applications are part of the source, not of the installed package: the provider runs alone.")
    started = []
    for party in parties:
        click.echo(f"{party.name} on {party.address} …")
        state = folder.resolve() / party.key
        state.mkdir(mode=0o700, exist_ok=True)
        environment = {
            "ISSUER": issuer,
            "CLIENT_ID": credentials[party.key].client_id,
            "CLIENT_SECRET": credentials[party.key].client_secret,
            "BASE_URL": party.address,
            "STATE_DIR": str(state),
            "SCHOOL": party.school or "",
        }
        started.append(processes.start(party.key, ["-m", party.module], environment, _CHECKOUT))
    for party, running in zip(parties, started, strict=True):
        processes.wait_for(running, party.port, "/")


def _description(port: int, parties: tuple[Application, ...], ready: list[Ready]) -> dict[str, object]:
    staff = {one.person.username: one for one in ready if one.person.username in {"admin", "support"}}
    return {
        "issuer": f"http://localhost:{port}",
        "mailbox": f"http://localhost:{port}/mailbox/messages.json",
        "applications": {party.key: party.address for party in parties},
        "guardians": [one.described() for one in ready if one.person.username not in staff],
        **{name: {"username": name, "password": one.password} for name, one in staff.items()},
    }


def _show(port: int, parties: tuple[Application, ...], ready: list[Ready], folder: Path) -> None:
    places = [("Portal", f"http://localhost:{port}"), *((party.name, party.address) for party in parties)]
    places.append(("Mailbox", f"http://localhost:{port}/mailbox"))
    click.echo("")
    for name, address in places:
        click.echo(f"  {name:<30} {address}")
    click.echo(f"\n  {'Username':<16} {'Password':<26} Who")
    for one in ready:
        children = ", ".join(one.person.children)
        about = f"{one.person.role}{', parent of ' + children if children else ''}"
        click.echo(f"  {one.person.username:<16} {one.password or 'as you changed it':<26} {about}")
        if one.state != people.READY:
            walk = people.WALKS.get(one.state)
            click.echo(f"  {'':<43} {one.state}{': ' + walk if walk else ''}")
    click.echo(f"\nCommands, in another window:  . {folder}/demo.env; idp client list   (.venv/bin/idp in a checkout)")
    click.echo(f"Logs and data are in {folder}/. Ctrl-C ends all.")
    sys.stdout.flush()
