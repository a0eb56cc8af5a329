"""What nobody wants to read in a review."""

import ast
import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.rules.sources import CHECKOUT, modules, name, text_files, tree

_THIS_MACHINE = re.compile(r"(?<![\w.~-])/(?:work|root|home/[a-z]+|Users|tmp/[a-z]+)/", re.ASCII)
_LATER = re.compile("TO" + "DO|FIX" + "ME|XX" + "X")
_LONGEST = 400


def test_every_text_file_ends_with_one_newline_and_no_line_with_a_blank() -> None:
    wrong = []
    for path in text_files():
        text = path.read_text("utf-8")
        if path.suffix in {".po", ".pot"}:  # a program writes them
            continue
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            wrong.append(f"{name(path)}: its end")
        wrong += [f"{name(path)}:{n}" for n, line in enumerate(text.split("\n"), 1) if line.endswith((" ", "\t", "\r"))]

    assert wrong == []


def test_no_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    found = [
        f"{name(path)}: {match[0]}"
        for path in text_files()
        for match in _THIS_MACHINE.finditer(path.read_text("utf-8"))
    ]

    assert found == []


def test_nothing_is_left_for_later() -> None:
    assert [name(path) for path in text_files() if _LATER.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_file_names_no_server_and_pins_everything_by_hash(lock: str) -> None:
    lines = (CHECKOUT / "config" / lock).read_text("utf-8").splitlines()
    pinned = [line for line in lines if line and line[0].isalnum()]

    assert pinned
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ; .+)? \\", line) for line in pinned)
    assert not [line for line in lines if "://" in line or line.startswith("-")]


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_file_pins_what_the_oldest_python_needs_too(lock: str) -> None:
    lines = (CHECKOUT / "config" / lock).read_text("utf-8").splitlines()
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lines if line and line[0].isalnum()}
    oldest = {"python_version": "3.11", "python_full_version": "3.11.0", "extra": ""}
    needed = {
        (name, canonicalize_name(wanted.name))
        for name in pinned
        for wanted in map(Requirement, metadata.requires(name) or ())
        if wanted.marker is None or wanted.marker.evaluate(oldest)
    }

    assert needed
    assert {(name, wanted) for name, wanted in needed if wanted not in pinned} == set(), (
        "run `make lock` with Python 3.11"
    )


@pytest.mark.parametrize("folder", ["idp", "clients", "tests"])
def test_every_module_says_in_one_line_what_it_is_for(folder: str) -> None:
    said = {name(path): ast.get_docstring(tree(path)) for path in modules(folder) if path.read_text("utf-8").strip()}

    assert said
    assert [path for path, text in said.items() if not text or len(text.split("\n")[0]) > 120] == []


def test_no_file_of_the_program_is_too_long_to_be_read_at_once() -> None:
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in modules("idp") + modules("clients")}

    assert [path for path, lines in lengths.items() if lines > _LONGEST and "migrations" not in path] == []


def test_an_exception_to_a_lint_rule_has_its_reason_beside_it() -> None:
    bare = re.compile(
        r"# (noqa(:\s*[A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*)?|type: ignore(\[[a-z-]+(,\s*[a-z-]+)*\])?)\s*$", re.MULTILINE
    )

    assert [name(path) for path in modules(".") if bare.search(path.read_text("utf-8"))] == []
