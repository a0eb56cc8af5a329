"""Each `idp` command says what it does and shows an example, without settings or a database."""

import click
import pytest
from click.testing import CliRunner

from idp.cli import main


def _paths(group: click.Group, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    context = click.Context(group)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*above, name))
        if isinstance(command, click.Group):
            found += _paths(command, (*above, name))
    return found


@pytest.mark.parametrize("path", [(), *_paths(main)], ids=" ".join)
def test_help_has_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"], prog_name="idp", env={"IDP_ENVIRONMENT": "nonsense"})

    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: {' '.join(('idp', *path))}")
    assert f"Example:  {' '.join(('idp', *path))}" in result.output


def test_an_unknown_command_is_an_error() -> None:
    result = CliRunner().invoke(main, ["fly"])

    assert result.exit_code == 2
    assert "No such command" in result.stderr
