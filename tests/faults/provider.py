"""A provider to which things happen: `idp serve`, on one address for all its starts."""

import sys
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tests.nodes.node import Node
from tests.programs import Commands, variables
from tests.servers import program


@dataclass
class Provider(Node):
    """A node that is its own issuer, and that may be started although it can't be ready."""

    environment: dict[str, str] = field(default_factory=dict)
    """Beside what the settings say; a file in place of a value (NAME_FILE) takes the value away."""
    command: tuple[str, ...] = ("-m", "idp")
    """What Python is started with."""
    through: tuple[str, ...] = ()
    """A program and its arguments that start it, such as one that takes rights away."""

    @property
    def origin(self) -> str:
        """Where it answers."""
        return self.settings.server.issuer

    @property
    def idp(self) -> Commands:
        """Type `idp …` on its machine."""
        return Commands(self.settings)

    def start(self, *, until: str = "/readyz") -> None:
        """Start it, and wait until an address answers with no 5xx."""
        settings = replace(self.settings, server=replace(self.settings.server, port=self.port))
        arguments = [*self.command, "serve", "--workers", str(self.workers)]
        arguments += ["--with-worker"] if self.with_worker else []
        if self.through:
            started = ["-c", "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])", *self.through, sys.executable]
            arguments = started + arguments
        log = self.folder / f"node-{self.port}.log"
        environment = variables(settings) | self.environment
        for name in self.environment:
            environment.pop(name.removesuffix("_FILE") if name.endswith("_FILE") else "", None)
        own = f"http://localhost:{self.port}"
        self._running = self._stack.enter_context(program(arguments, environment, own, until, log))

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask for a page, as a stranger."""
        return httpx.get(f"{self.origin}{path}", trust_env=False, timeout=60, **options)

    def readiness(self) -> tuple[int, str | None]:
        """Return what /readyz says: its status, and the cause."""
        answer = self.get("/readyz")
        cause: str | None = answer.json().get("cause")
        return answer.status_code, cause
