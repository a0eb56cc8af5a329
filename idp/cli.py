"""The `idp` command: thin, each group with its feature, loaded only when it is called."""

import gc
import importlib
import sys
from typing import TYPE_CHECKING, Any

import click

from idp import settings
from idp.settings import SettingsError

if TYPE_CHECKING:
    from flask import Flask

_COMMANDS = {
    "account": "idp.admin.account_commands:account",
    "audit": "idp.audit.commands:audit",
    "backup": "idp.operations.backup_commands:make",
    "client": "idp.admin.client_commands:client",
    "db": "idp.operations.commands:database",
    "demo": "idp.demo.commands:demo",
    "doctor": "idp.operations.commands:doctor",
    "keys": "idp.operations.key_commands:keys",
    "mail": "idp.mail.commands:mail",
    "prune": "idp.operations.commands:prune",
    "restore": "idp.operations.backup_commands:put_back",
    "serve": "idp.serve:serve",
    "worker": "idp.worker:worker",
}

_WRONG_SETTINGS = 2
"""The exit code that says: nothing was started or touched, since the settings are wrong; as for a wrong option."""


class Commands(click.Group):
    """A group that imports a command when it is called, so that none waits for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  the base class's signature
        """Name the commands."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002  likewise
        """Load one command."""
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name].partition(":")
        gc.disable()  # of what is imported nothing goes, and looking for it takes a sixth of the time
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        finally:
            gc.enable()
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Say what is wrong with the settings in one line a problem, never as a trace, and end with exit code 2."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            for problem in error.problems:
                click.echo(f"idp: {problem}", err=True)
            ctx.exit(_WRONG_SETTINGS)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="district-idp")
@click.pass_context
def main(context: click.Context) -> None:
    """Run and look after a school district's OpenID Connect provider.

    \b
    Example:  idp serve --with-worker
    """
    context.obj = _application


def _application() -> "Flask":
    app = importlib.import_module("idp.app")
    made: Flask = app.create_app(settings.load())
    return made


if __name__ == "__main__":
    sys.exit(main())
