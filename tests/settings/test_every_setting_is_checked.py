"""Whatever a setting may be, what it may not be is refused: a case for each setting, made from the settings' model."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from idp import settings
from idp.settings import ranges
from tests.settings.conftest import key

_NUMBER, _TEXT, _LIST = "has to be a whole number.", "has to be a text.", "has to be a list"
_WRONG: dict[Any, list[tuple[str, str]]] = {
    int: [
        ('"eighty"', _NUMBER),
        ("5.7", _NUMBER),
        ("true", _NUMBER),
        ("[]", _NUMBER),
        ("{}", _NUMBER),
        ('""', _NUMBER),
    ],
    str: [("7", _TEXT), ("5.7", _TEXT), ("false", _TEXT), ("[]", _TEXT), ("{ a = 1 }", _TEXT), ("2026-01-01", _TEXT)],
    tuple: [("7", _LIST), ("true", _LIST), ("{ a = 1 }", _LIST), ("[7]", "has to"), ("[[]]", "has to")],
}
_WRONG_IN_THE_ENVIRONMENT = ["eighty", "", " 5", "5 ", "5.0", "0x10", "1e3", "٥", "+5", "--5", "true", "9" * 16]


def _settings() -> Iterator[tuple[str, str, Any]]:
    for section, kind in get_type_hints(settings.Settings).items():
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            for name, wanted in get_type_hints(kind).items():
                yield section, name, wanted


SETTINGS = list(_settings())
NUMBERS = [(section, name) for section, name, wanted in SETTINGS if wanted is int]
_BESIDE = {
    "account_wait_seconds": {"IDP_THROTTLE_ACCOUNT_LONGEST_WAIT_SECONDS": "86400"},
    "account_longest_wait_seconds": {"IDP_THROTTLE_ACCOUNT_WAIT_SECONDS": "1"},
    "account_robot_failures": {"IDP_THROTTLE_ACCOUNT_PICTURES_FAILURES": "100"},
    "account_pictures_failures": {"IDP_THROTTLE_ACCOUNT_ROBOT_FAILURES": "1"},
    "network_pictures_failures": {"IDP_THROTTLE_NETWORK_WAIT_FAILURES": "1000000"},
    "network_wait_failures": {"IDP_THROTTLE_NETWORK_PICTURES_FAILURES": "1"},
    "rotate_days": {"IDP_KEYS_PUBLISH_AHEAD_DAYS": "1"},
    "publish_ahead_days": {"IDP_KEYS_ROTATE_DAYS": "400"},
}
"""What has to be changed with a number that goes to its bounds."""


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(settings.SettingsError) as caught:
        settings.load(environ)
    return caught.value.problems


@pytest.mark.parametrize(("section", "name", "wanted"), SETTINGS, ids=str)
def test_no_setting_takes_another_type(
    section: str, name: str, wanted: Any, folder: Path, environ: dict[str, str]
) -> None:
    environ.pop(f"IDP_{section}_{name}".upper(), None)
    cases = _WRONG[wanted if wanted in _WRONG else tuple]

    for written, said in cases:
        (folder / "production.toml").write_text(f"[{section}]\n{name} = {written}\n")
        (found,) = problems(environ)
        assert found.startswith(f"[{section}] {name} {said}"), (written, found)


@pytest.mark.parametrize(("section", "name"), NUMBERS)
def test_a_variable_that_is_no_number_is_refused(section: str, name: str, environ: dict[str, str]) -> None:
    variable = f"IDP_{section}_{name}".upper()

    for written in _WRONG_IN_THE_ENVIRONMENT:
        assert problems(environ | {variable: written}) == [f"{variable} {_NUMBER}"], written


def test_every_number_has_a_range() -> None:
    assert sorted(ranges.RANGES) == sorted(NUMBERS)


@pytest.mark.parametrize(("section", "name"), NUMBERS)
def test_a_number_is_taken_to_its_bounds_and_not_beyond(section: str, name: str, environ: dict[str, str]) -> None:
    variable, (least, most) = f"IDP_{section}_{name}".upper(), ranges.RANGES[section, name]
    said = f"[{section}] {name} has to be from {least} to {most}."

    for outside in (least - 1, most + 1, -(10**14), 10**14):
        assert said in problems(environ | {variable: str(outside)})
    for inside in (least, most):
        loaded = settings.load(environ | _BESIDE.get(name, {}) | {variable: str(inside)})
        assert getattr(getattr(loaded, section), name) == inside


@pytest.mark.parametrize(("section", "name", "_wanted"), SETTINGS, ids=str)
def test_a_misspelt_setting_is_told_with_the_one_that_is_meant(
    section: str, name: str, _wanted: Any, folder: Path, environ: dict[str, str]
) -> None:
    misspelt = f"{name}x"
    (folder / "production.toml").write_text(f"[{section}]\n{misspelt} = 1\n")

    (in_file,) = problems(environ)
    assert in_file == f"[{section}] {misspelt} is no setting. Did you mean [{section}] {name}?"
    (folder / "production.toml").write_text("")
    (in_variable,) = problems(environ | {f"IDP_{section}_{misspelt}".upper(): "x"})
    assert f"Did you mean IDP_{section}_{name}?".upper() in in_variable.upper()


def test_a_setting_of_another_section_is_told_with_its_place(folder: Path, environ: dict[str, str]) -> None:
    (folder / "production.toml").write_text("[server]\naccess_token_seconds = 60\n")

    assert problems(environ) == [
        "[server] access_token_seconds is no setting. Did you mean [tokens] access_token_seconds?"
    ]


@pytest.mark.parametrize(("section", "name", "_wanted"), SETTINGS, ids=str)
def test_a_file_that_can_t_be_read_is_told_once(
    section: str, name: str, _wanted: Any, tmp_path: Path, environ: dict[str, str]
) -> None:
    variable = f"IDP_{section}_{name}".upper()
    environ.pop(variable, None)
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")

    for path in (tmp_path / "nowhere", tmp_path, tmp_path / "binary"):
        (found,) = problems(environ | {f"{variable}_FILE": str(path)})
        assert found.startswith(f"{variable} can't be read from the file that {variable}_FILE names: ")
    (found,) = problems(environ | {f"{variable}_FILE": str(tmp_path / "empty")})
    assert found == f"{variable} has no value: the file that {variable}_FILE names is empty."


def test_what_is_wrong_is_told_without_the_value(tmp_path: Path, environ: dict[str, str]) -> None:
    secret = key("a secret value")
    wrong = {
        "IDP_DATABASE_URL": f"postgresql://idp:{secret}@db:port/idp",
        "IDP_SECRETS_PEPPERS": f"p 1:{secret}",
        "IDP_SECRETS_AUDIT_KEYS": f"a1:{secret[:-2]}",
        f"IDP_SECRETS_PEPPER_{secret}": "x",
    }
    (tmp_path / "keys").write_text(f"{secret}\n{secret}\n")
    wrong["IDP_SECRETS_WRAPPING_KEYS_FILE"] = str(tmp_path / "keys")
    del environ["IDP_SECRETS_WRAPPING_KEYS"]

    found = problems(environ | wrong)

    assert len(found) == 5
    assert not [line for line in found if secret[:-2] in line and "is no setting" not in line]
