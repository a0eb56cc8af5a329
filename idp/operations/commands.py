"""`idp db`, and what else an operator types."""

import click

from idp import schema
from idp.command_line import with_application


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
