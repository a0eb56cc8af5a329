"""The tables of tests/README.md, which `make tables` writes: what is demanded and its tests, what a page weighs."""

import os
import sys
from pathlib import Path

from tests.rules import requirements

README = Path(__file__).parent / "README.md"
_KEPT = "IDP_TABLES"
"""The variable that names a file which a run of the tests adds what it has weighed to."""


def block(name: str) -> str:
    """Return what stands between the marks of a table."""
    return README.read_text("utf-8").partition(f"<!-- {name} -->\n")[2].partition(f"<!-- end of {name} -->")[0]


def add_weights(weights: dict[str, int]) -> None:
    """Print what pages weigh, and keep it for the table where somebody has asked for that."""
    lines = [f"| {name} | {weight / 1000:.1f} |\n" for name, weight in weights.items()]
    print("| page | kB at the first view |\n|---|---|\n" + "".join(lines))
    if kept := os.environ.get(_KEPT):
        with Path(kept).open("a", encoding="utf-8") as file:
            file.writelines(lines)


def main(weighed: str) -> None:
    """Write the tables anew; what was weighed is in a file."""
    rows = sorted(set(Path(weighed).read_text("utf-8").splitlines()))
    _put("weights", "| page | kB at the first view |\n|---|---|\n" + "".join(f"{row}\n" for row in rows))
    _put("requirements", requirements.table())


def _put(name: str, table: str) -> None:
    text = README.read_text("utf-8")
    before, mark, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not mark or not end:
        raise SystemExit(f"{README} has no place for the table of {name}")
    README.write_text(before + mark + table + end + after, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
