"""The `idp` command in tests: the environment that says what settings say, and a call within this process."""

import contextvars
import dataclasses
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner, Result

from idp.cli import main
from idp.settings import NamedKey, Settings


def variables(settings: Settings) -> dict[str, str]:
    """Return the environment from which a process of its own loads these settings.

    Schools and the list of other FAQs can't be written so: a process takes them from config/district.toml.
    """
    environment = {"IDP_ENVIRONMENT": settings.environment}
    for section in dataclasses.fields(settings):
        values = getattr(settings, section.name)
        if not dataclasses.is_dataclass(values):
            continue
        for entry in dataclasses.fields(values):
            if entry.name not in {"schools", "other_faqs"}:
                name = f"IDP_{section.name}_{entry.name}".upper()
                environment[name] = _written(getattr(values, entry.name))
    return environment


def _written(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(_written(item) for item in value)
        case NamedKey(name, key):
            return f"{name}:{b64encode(key).decode()}"
    return str(value)


@dataclass(frozen=True)
class Commands:
    """Types `idp …` under these settings."""

    settings: Settings

    def __call__(self, *arguments: str, typed: str | None = None) -> Result:
        """Run one command and return what it printed (stdout, stderr) and its exit code."""
        # A command line is a process of its own: it sees nothing of the application that the test has open.
        return contextvars.Context().run(
            CliRunner().invoke, main, list(arguments), env=variables(self.settings), input=typed
        )
