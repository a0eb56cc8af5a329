"""The shipped systemd units, read and started without systemd, under as much of their sandbox as one process can have.

`python -m tests.nodes.units UNIT` starts what the unit starts: with its filter of system calls, its address families,
no new privileges and no memory that can be written and run. Files and users are the test's own.
"""

import ctypes
import ctypes.util
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from idp.settings import PACKAGE

FOLDER = PACKAGE.parent / "config" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))

_PR_SET_NO_NEW_PRIVS, _PR_SET_MDWE, _MDWE_REFUSE_EXEC_GAIN = 38, 65, 1
_ALLOW, _ERROR_EPERM, _EQUAL = 0x7FFF0000, 0x00050001, 4
_FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}


def read(unit: Path) -> dict[str, list[str]]:
    """Return a unit's settings; one that is given several times has several values."""
    values: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            values.setdefault(name, []).append(value)
    return values


def allowed_calls(unit: Path) -> set[str]:
    """Return the system calls that a unit may make."""
    allowed: set[str] = set()
    for entry in read(unit)["SystemCallFilter"]:
        names = {name for word in entry.removeprefix("~").split() for name in _expanded(word)}
        allowed = allowed - names if entry.startswith("~") else allowed | names
    return allowed


def _expanded(word: str) -> set[str]:
    """Return the calls of a set of systemd's, which may hold other sets."""
    if not word.startswith("@"):
        return {word}
    return {name for member in _sets()[word] for name in _expanded(member)}


@lru_cache
def _sets() -> dict[str, list[str]]:
    told = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True)
    sets: dict[str, list[str]] = {}
    for line in told.stdout.splitlines():
        if line.startswith("@"):
            members = sets.setdefault(line.strip(), [])
        elif line.startswith(" ") and not line.strip().startswith("#"):
            members.append(line.strip())
    return sets


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp of libseccomp."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def seccomp() -> ctypes.CDLL | None:
    """Return the library that makes filters of system calls, which systemd uses, too; None when it is not there."""
    name = ctypes.util.find_library("seccomp")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(_Comparison)
    ]  # fmt: skip
    return library


def _confine(library: ctypes.CDLL, calls: Iterable[str], families: Iterable[str]) -> None:
    """Let this process make these system calls, and sockets of these families, and nothing else, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if libc.prctl(_PR_SET_MDWE, _MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
        print("this kernel knows no memory-deny-write-execute", file=sys.stderr)
    rules = library.seccomp_init(_ERROR_EPERM)
    for name in calls:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and name != "socket":
            library.seccomp_rule_add_array(rules, _ALLOW, number, 0, None)
    for family in families:
        only = _Comparison(0, _EQUAL, _FAMILIES[family], 0)
        socket = library.seccomp_syscall_resolve_name(b"socket")
        library.seccomp_rule_add_array(rules, _ALLOW, socket, 1, ctypes.byref(only))
    if error := library.seccomp_load(rules):
        raise OSError(-error, "seccomp")


def _main(unit: Path) -> None:
    settings = read(unit)
    (command,) = settings["ExecStart"]
    program, *arguments = shlex.split(command)
    assert Path(program).name == "idp", command
    library = seccomp()
    assert library is not None, "libseccomp is missing"
    _confine(library, allowed_calls(unit), settings["RestrictAddressFamilies"][0].split())
    os.execv(sys.executable, [sys.executable, "-m", "idp", *arguments])  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
