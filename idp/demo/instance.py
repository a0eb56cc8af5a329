"""The folder in which a demo keeps its data, and the secrets it makes there."""

import base64
import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_KEYS = ("wrapping_keys", "peppers", "audit_keys")


class InUse(Exception):
    """Another demo runs on the same folder."""


@contextmanager
def opened(folder: Path) -> Iterator[None]:
    """Make the folder, for its owner only, and keep other demos out of it. Raises InUse."""
    for path in (folder, folder / "secrets", folder / "logs"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse from None
        description = folder / "demo.json"
        description.unlink(missing_ok=True)  # it tells of a demo that runs, and appears once this one does
        try:
            yield
        finally:
            description.unlink(missing_ok=True)


def environment(folder: Path, port: int) -> dict[str, str]:
    """Return what tells the provider that it is this demo; secrets are made once, and passed on as files."""
    values = {
        "IDP_ENVIRONMENT": "development",
        "IDP_SERVER_ISSUER": f"http://localhost:{port}",
        "IDP_SERVER_PORT": str(port),
    }
    if not {"IDP_DATABASE_URL", "IDP_DATABASE_URL_FILE"} & os.environ.keys():
        values["IDP_DATABASE_URL"] = f"sqlite:///{folder.resolve()}/idp.db"
    for name in _KEYS:
        variable = f"IDP_SECRETS_{name.upper()}"
        if not {variable, f"{variable}_FILE"} & os.environ.keys():
            path = folder.resolve() / "secrets" / name
            if not path.exists():
                write_secret(path, "demo:" + base64.b64encode(secrets.token_bytes(32)).decode())
            values[f"{variable}_FILE"] = str(path)
    return values


def write_secret(path: Path, value: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value)
    beside.replace(path)


def write_environment(folder: Path, values: dict[str, str]) -> None:
    """Write demo.env: sourced by a shell, it lets every `idp` command speak to this demo."""
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
    write_secret(folder / "demo.env", lines)


def write_description(folder: Path, description: dict[str, Any]) -> None:
    """Write demo.json, by which scripts and tests find everything; it holds passwords, so it is kept like a secret."""
    write_secret(folder / "demo.json", json.dumps(description, indent=2, ensure_ascii=False) + "\n")
