"""`idp backup` and `idp restore`: a copy of the database while everything runs, and the way back."""

import os
import shlex
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path

import click

from idp import clock, settings
from idp.command_line import print_json, refuse, with_application
from idp.database import database_url, db, release
from idp.operations import backup, ports, restore
from idp.operations.backup import Content, Unfit
from idp.operations.restore import Ended, InUse


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there: only once the new copy is whole.")
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
@with_application
def make(file: Path, *, force: bool, as_json: bool) -> None:
    """Copy the database to FILE while everything runs, and check the copy; nobody waits for it.

    The keys of [secrets] are not in it: without them it is of no use, so keep copies of them in another place.
    PostgreSQL has its own way, pg_dump, which this command then names.

    \b
    Example:  idp backup /var/backups/idp-monday.db
    """
    _refuse_postgresql(f"pg_dump --format=custom --file={shlex.quote(str(file))}")
    _refuse_the_database_itself(file)
    if file.exists() and not force:
        refuse(f"{file} is there already; choose another name, or replace it with --force.")
    try:
        content = backup.make(_database(), file, _progress)
    except (Unfit, OSError, sqlite3.Error) as error:
        refuse(f"no backup was made: {_in_one_line(error)}.")
    if as_json:
        print_json({"file": str(file), **asdict(content)})
        return
    click.echo(f"{file}: {content.size / 1e6:.1f} MB, {_rows(content)}.")
    click.echo(f"Checked: every page, and the record of security events up to its newest seal ({content.head}).")
    for name, keys in content.keys.items():
        click.echo(f"To use it you need from [secrets] {name}: {', '.join(keys) or 'any key'}.")
    click.echo("These keys are not in it. Keep a copy of them, but not beside it.")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--in-place", is_flag=True, help="The database is put back already (pg_restore): only end what was open.")
@click.option("--keep-temporary-passwords", is_flag=True, help="Let them be good: none was used since the backup.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@with_application
def put_back(file: Path | None, *, in_place: bool, keep_temporary_passwords: bool, yes: bool) -> None:
    """Put a backup in the place of the database; `idp serve` and `idp worker` have to be stopped.

    Whatever was open when it was made is ended, since it may have been spent, revoked or logged out of since:
    everybody logs in anew, and temporary passwords are given out anew. The old file is kept beside the new one.

    \b
    Example:  idp restore /var/backups/idp-monday.db
    Example:  idp restore --in-place   (after pg_restore)
    """
    if in_place == (file is not None):
        refuse("name either the FILE of a backup or --in-place.")
    if problem := ports.problem(settings.current().server.host, settings.current().server.port):
        refuse(f"{problem}; stop idp serve and idp worker first.")
    if file is None:
        _ask("End every session and token?", yes=yes)
        _tell(restore.end_what_was_open(clock.now(), keep_temporary_passwords=keep_temporary_passwords))
        return
    _refuse_postgresql(f"pg_restore --clean --if-exists --exit-on-error {shlex.quote(str(file))} --dbname")
    _refuse_the_database_itself(file)
    database = _database()
    try:
        restore.refuse_in_use(database)
        with restore.prepared(file, database) as (copy, content):
            click.echo(f"{file} is whole: {_rows(content)}.")
            _ask("Put it in the place of the database?", yes=yes)
            ended, aside = restore.put_back(copy, database, keep_temporary_passwords=keep_temporary_passwords)
    except InUse:
        refuse("the database is open; stop idp serve, idp worker and whatever else has it open.")
    except (Unfit, OSError, sqlite3.Error) as error:
        refuse(f"nothing was restored: {_in_one_line(error)}.")
    if aside is not None:
        click.echo(f"The database that was there is now {aside}.")
    _tell(ended)


def _tell(ended: Ended) -> None:
    click.echo(
        f"Ended: {ended.sessions} sessions, {ended.tokens} access tokens, "
        f"{ended.temporary_passwords} temporary passwords (idp account temporary-password gives new ones)."
    )
    click.echo(
        "What was changed since the backup is as it was: closed accounts, passwords, applications' secrets, keys.\n"
        "Go through what you know of. If somebody has seen a signing key since: idp keys rotate --revoke."
    )


def _rows(content: Content) -> str:
    return ", ".join(f"{count} {name}" for name, count in content.rows.items())


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def _ask(question: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True)


def _database() -> Path:
    path = database_url(settings.current()).database
    # The command's own connection would be in the way of whoever has to be alone.
    release()
    db.engine.dispose()
    return Path(path or "")


def _refuse_the_database_itself(file: Path) -> None:
    if file.resolve() == _database().resolve():
        refuse(f"{file} is the database in use; name another file.")


def _refuse_postgresql(command: str) -> None:
    url = database_url(settings.current())
    if url.get_backend_name() == "sqlite":
        return
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    finish = "" if command.startswith("pg_dump") else ", and then idp restore --in-place"
    refuse(
        f"this database is PostgreSQL's, which has its own way: {command} {shlex.quote(plain)}{finish}. "
        "It asks for the password, or reads it from ~/.pgpass."
    )


def _progress(done: int, pages: int) -> None:
    """Show how far it is, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {pages} pages" + (os.linesep if done == pages else ""), nl=False, err=True)
