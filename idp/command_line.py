"""What every command shares: the application around it, errors in one line, output for people and for programs."""

import functools
import json
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, ParamSpec, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError

from idp import faults
from idp.database import db, release

P = ParamSpec("P")
R = TypeVar("R")


def with_application(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command inside the application, made when the command runs, so that --help needs no settings.

    The `idp` command gives the factory to its context, since features lie below the application.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with click.get_current_context().find_root().obj().app_context():
            try:
                return command(*args, **kwargs)
            except SQLAlchemyError as error:
                fault = faults.find(error)
                if fault is None:
                    raise
                refuse(f"{fault.advice}.")
            finally:
                # Said good-bye to: a server otherwise logs every command as a client that broke off.
                release()
                db.engine.dispose()

    return wrapped


def refuse(problem: str) -> NoReturn:
    """End the command with one line on standard error that says what to do, and exit code 1."""
    click.echo(f"idp: {problem}", err=True)
    raise SystemExit(1)


def print_json(value: Any) -> None:
    """Print what a program reads."""
    click.echo(json.dumps(value, indent=2, default=str))


def print_json_list(values: Iterable[Any]) -> None:
    """Print a list that a program reads, one by one: it may be longer than what fits into memory."""
    separator = "[\n"
    for value in values:
        click.echo(separator + textwrap.indent(json.dumps(value, indent=2, default=str), "  "), nl=False)
        separator = ",\n"
    click.echo("[]" if separator == "[\n" else "\n]")
