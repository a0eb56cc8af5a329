"""The processor time of a provider and of the database sessions that work for it, read from /proc."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Meter:
    """Counts the seconds that some processes have used since it began, those included that have ended meanwhile."""

    pids: list[int]
    """Programs, with all that they have started."""
    database: str | None = None
    """A PostgreSQL database: whatever its sessions use counts, too, since SQLite's work is done by the provider."""
    _first: dict[int, float] = field(default_factory=dict)
    _last: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._first = self._read()
        self._last = dict(self._first)

    def seconds(self) -> float:
        """Return how much was used. To be asked now and then, or what ends in between is missed."""
        self._last |= self._read()
        return sum(used - self._first.get(pid, 0.0) for pid, used in self._last.items())

    def _read(self) -> dict[int, float]:
        used, parents, backends = {}, {}, []
        for pid, parent, seconds in _processes():
            used[pid], parents[pid] = seconds, parent
            if self.database is not None and f" {self.database} " in _title(pid):
                backends.append(pid)
        wanted = {pid for pid in used if _is_of(pid, self.pids, parents)}
        return {pid: used[pid] for pid in wanted | set(backends)}


def _processes() -> Iterator[tuple[int, int, float]]:
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended since it was listed
        yield int(folder.name), int(fields[1]), (int(fields[11]) + int(fields[12])) * _TICK


def _is_of(pid: int, programs: list[int], parents: dict[int, int]) -> bool:
    while pid in parents:
        if pid in programs:
            return True
        pid = parents[pid]
    return False


def _title(pid: int) -> str:
    """Return how PostgreSQL names a session's process: `postgres: user database [local] idle`."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
    return title if title.startswith("postgres: ") else ""
