"""config/README.md says of each setting what the code says."""

import dataclasses
import re
from typing import Any, get_type_hints

from idp import settings
from idp.settings import ranges

_README = settings.PACKAGE.parent / "config" / "README.md"
_ROW = re.compile(r"^\| ([a-z_]+) \| (.+?) \| `(IDP_[A-Z_]+)` \| (.+) \|$", re.MULTILINE)


def shown(section: str, default: Any) -> str:
    if section == "secrets":
        return "none"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`" if default else "empty"
    return f"`{default}`" if default != "" else "empty"


def test_the_tables_name_every_setting_its_default_and_its_variable() -> None:
    documented = [(name, default, variable) for name, default, variable, _ in _ROW.findall(_README.read_text())]

    assert documented == [
        (entry.name, shown(section, entry.default), f"IDP_{section}_{entry.name}".upper())
        for section, kind in get_type_hints(settings.Settings).items()
        if dataclasses.is_dataclass(kind)
        for entry in dataclasses.fields(kind)
    ]


def test_each_setting_s_meaning_is_a_sentence_that_names_its_unit() -> None:
    for name, _, _, meaning in _ROW.findall(_README.read_text()):
        assert meaning.endswith((".", ")")), name
        unit = name.rsplit("_", 1)[-1]
        if unit in {"seconds", "minutes", "hours", "days"}:
            assert unit in meaning.lower(), name


def test_each_number_s_meaning_names_its_range() -> None:
    meanings = {variable: meaning for _, _, variable, meaning in _ROW.findall(_README.read_text())}

    for (section, name), (least, most) in ranges.RANGES.items():
        assert f"{least} to {most}" in meanings[f"IDP_{section}_{name}".upper()], (section, name)
