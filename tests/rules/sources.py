"""The files that rules look at."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from idp.settings import PACKAGE

CHECKOUT = PACKAGE.parent
_BINARY = {".png", ".ico", ".jpg", ".gif", ".woff2", ".zip"}


@cache
def text_files() -> list[Path]:
    """Return every text file that is kept in the repository or is about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    paths = [CHECKOUT / name for name in listed if name]
    return [path for path in paths if path.is_file() and path.suffix not in _BINARY]


def modules(folder: str) -> list[Path]:
    """Return the Python modules below a folder of the checkout."""
    return [path for path in text_files() if path.suffix == ".py" and path.is_relative_to(CHECKOUT / folder)]


@cache
def tree(path: Path) -> ast.Module:
    """Return a module's syntax."""
    return ast.parse(path.read_text("utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Go through what a module imports, wherever in it: `flask.request` for `from flask import request`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def name(path: Path) -> str:
    """Return a file's path as it is written in messages."""
    return str(path.relative_to(CHECKOUT))
