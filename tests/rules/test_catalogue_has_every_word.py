"""The catalogue that translators work from holds what the sources say now."""

import subprocess
import sys
from pathlib import Path

from idp.settings import PACKAGE

_CHECKOUT = PACKAGE.parent
_CATALOGUE = Path("idp/translations/messages.pot")
_EXTRACT = [
    "pybabel",
    "--quiet",
    "extract",
    "--mapping-file=config/babel.cfg",
    # Dates and line numbers would change with every commit, and tell a translator nothing.
    "--omit-header",
    "--no-location",
    "--sort-output",
    "--add-comments=Translators:",
]


def test_the_catalogue_is_what_extraction_of_the_sources_gives(tmp_path: Path) -> None:
    extracted = tmp_path / "messages.pot"
    program = Path(sys.executable).parent / _EXTRACT[0]

    subprocess.run(
        [program, *_EXTRACT[1:], f"--output-file={extracted}", "idp", "templates"], cwd=_CHECKOUT, check=True
    )

    command = " ".join([*_EXTRACT, f"--output-file={_CATALOGUE}", "idp", "templates"])
    assert extracted.read_text("utf-8") == (_CHECKOUT / _CATALOGUE).read_text("utf-8"), f"Type: {command}"
