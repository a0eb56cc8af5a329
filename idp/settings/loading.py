"""Reading settings from config/*.toml and the environment, and telling everything that is wrong at once."""

import base64
import binascii
import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from idp.settings import checks
from idp.settings.model import DEVELOPMENT, PRODUCTION, Faq, NamedKey, School, Settings

PACKAGE = Path(__file__).parent.parent

_NUMBER = re.compile(r"-?[0-9]{1,15}", re.ASCII)


class SettingsError(Exception):
    """What is wrong with the settings: all of it, a line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclasses.dataclass(frozen=True, slots=True)
class _Faults:
    """What was found while reading, and which settings (`[section] name`) have no value for that."""

    lines: list[str] = dataclasses.field(default_factory=list)
    unusable: set[str] = dataclasses.field(default_factory=set)


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read config/*.toml, then the environment. Raises SettingsError with everything that is wrong, all at once."""
    faults = _Faults()
    environment = environ.get("IDP_ENVIRONMENT", PRODUCTION)
    if environment not in {DEVELOPMENT, PRODUCTION}:
        faults.lines.append(f"IDP_ENVIRONMENT is {environment!r}; it is either {DEVELOPMENT} or {PRODUCTION}.")
        environment = PRODUCTION  # whose rules are the stricter ones, to tell all else that is wrong by
    folder = _config_folder(environ)
    values = _merged([_read_toml(folder / f"{name}.toml", faults) for name in (environment, "district")])
    kinds = _kinds()
    sections = {name: _section(name, kind, values.pop(name, {}), environ, faults) for name, kind in kinds.items()}
    faults.lines.extend(f"[{name}] is no section of the settings.{_suggested_section(name)}" for name in values)
    faults.lines.extend(_unknown_variables(environ))
    settings = _with_help_folder(Settings(environment=environment, **sections), folder, environ)
    # A value that could not be read is told once: what is wrong with the default in its place says nothing.
    found = checks.problems_of(settings, environ)
    problems = faults.lines + [line for line in found if " ".join(line.split(" ", 2)[:2]) not in faults.unusable]
    if problems:
        raise SettingsError(problems)
    return settings


def _with_help_folder(settings: Settings, folder: Path, environ: Mapping[str, str]) -> Settings:
    """Find the district's own help texts: where a setting says, from the folder of settings on, or in help/ there."""
    named = settings.district.help_folder or ("help" if "IDP_CONFIG" in environ and (folder / "help").is_dir() else "")
    if not named:
        return settings
    return dataclasses.replace(
        settings, district=dataclasses.replace(settings.district, help_folder=str(folder / named))
    )


def _config_folder(environ: Mapping[str, str]) -> Path:
    """A checkout keeps config/ beside the package; an installed package carries its own; IDP_CONFIG overrules both."""
    if chosen := environ.get("IDP_CONFIG"):
        return Path(chosen)
    beside = PACKAGE.parent / "config"
    return beside if (beside / "district.toml").exists() else PACKAGE / "config"


def _read_toml(path: Path, faults: _Faults) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        faults.lines.append(f"{path} is missing.")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.lines.append(f"{path} can't be read: {error}")
    return {}


def _merged(files: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the sections of several files together, setting by setting, so that none hides another's whole section."""
    merged: dict[str, Any] = {}
    for name, values in ((name, values) for file in files for name, values in file.items()):
        known = merged.get(name)
        merged[name] = known | values if isinstance(known, dict) and isinstance(values, dict) else values
    return merged


def _kinds() -> dict[str, type]:
    """Return each section's class by its name."""
    return {
        name: kind
        for name, kind in get_type_hints(Settings).items()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type)
    }


def _section(name: str, kind: type, given: Any, environ: Mapping[str, str], faults: _Faults) -> Any:
    if not isinstance(given, dict):
        faults.lines.append(f"[{name}] has to be a section.")
        given = {}
    types = get_type_hints(kind)
    unknown = sorted(given.keys() - types.keys())
    faults.lines.extend(f"[{name}] {key} is no setting.{_suggestion(name, key)}" for key in unknown)
    values: dict[str, Any] = {}
    for key, wanted in types.items():
        variable = f"IDP_{name}_{key}".upper()
        source = variable if {variable, f"{variable}_FILE"} & environ.keys() else f"[{name}] {key}"
        try:
            raw = _from_environment(variable, environ)
            raw = given.get(key) if raw is None else raw
            if raw is not None:
                values[key] = _converted(wanted, raw)
        except ValueError as error:
            faults.lines.append(f"{source} {error}")
            faults.unusable.add(f"[{name}] {key}")
    return kind(**values)


def _from_environment(variable: str, environ: Mapping[str, str]) -> str | None:
    """Return what a variable or the file that it names holds. Raises ValueError, which never repeats a value."""
    if variable in environ:
        return environ[variable]
    path = environ.get(f"{variable}_FILE")
    if path is None:
        return None
    try:
        text = Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise ValueError(
            f"can't be read from the file that {variable}_FILE names: {error.__class__.__name__}"
        ) from None
    if not text:
        raise ValueError(f"has no value: the file that {variable}_FILE names is empty.")
    return text


def _converted(wanted: Any, raw: Any) -> Any:
    """Bring a value from TOML or from the environment to its type. Raises ValueError, which never repeats a secret."""
    if wanted is str:
        return _text(raw)
    if wanted is int:
        return _whole_number(raw)
    if wanted is bool:
        return _boolean(raw)
    items = [item.strip() for item in re.split("[,\n]", raw) if item.strip()] if isinstance(raw, str) else raw
    if not isinstance(items, list):
        raise ValueError("has to be a list.")
    if wanted == tuple[School, ...]:
        return tuple(_school(item) for item in items)
    if wanted == tuple[Faq, ...]:
        return tuple(_faq(item) for item in items)
    if not all(isinstance(item, str) for item in items):
        raise ValueError("has to be a list of texts.")
    return tuple(_named_key(item) for item in items) if wanted == tuple[NamedKey, ...] else tuple(items)


def _text(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    raise ValueError("has to be a text.")


def _whole_number(raw: Any) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and _NUMBER.fullmatch(raw):
        return int(raw)
    raise ValueError("has to be a whole number.")


def _boolean(raw: Any) -> bool:
    match raw:
        case bool():
            return raw
        case "true" | "yes" | "1":
            return True
        case "false" | "no" | "0":
            return False
    raise ValueError("has to be true or false.")


def _named_key(item: str) -> NamedKey:
    name, _, encoded = item.partition(":")
    try:
        value = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        value = b""
    if not name.isalnum() or not name.isascii() or len(value) < 32:
        raise ValueError(
            "has to be NAME:KEY with a key of 32 bytes or more in base64; `idp doctor --new-key` prints one."
        )
    return NamedKey(name, value)


def _school(item: Any) -> School:
    if not isinstance(item, dict) or not {"key", "name"} <= item.keys() <= {"key", "name", "colour"}:
        raise ValueError("has to list schools, each with key, name and colour.")
    if not all(isinstance(value, str) for value in item.values()):
        raise ValueError("has to write key, name and colour as texts.")
    return School(**item)


def _faq(item: Any) -> Faq:
    if not isinstance(item, dict) or not {"name", "address"} <= item.keys() <= {"name", "address", "language"}:
        raise ValueError("has to list pages, each with name and address, and perhaps a language.")
    if not all(isinstance(value, str) for value in item.values()):
        raise ValueError("has to write name, address and language as texts.")
    return Faq(**item)


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A misspelt variable must not be ignored: the default it meant to change would stay in force unseen."""
    names = [
        f"IDP_{section}_{entry.name}".upper()
        for section, kind in _kinds().items()
        for entry in dataclasses.fields(kind)
    ]
    known = {"IDP_ENVIRONMENT", "IDP_CONFIG", *names, *(f"{name}_FILE" for name in names)}
    given = (name for name in environ if name.startswith("IDP_"))
    return [f"{name} is no setting.{_nearest(name, known, '{}')}" for name in sorted(given) if name not in known]


def _suggested_section(name: str) -> str:
    """Say which section may be meant, or in which one a setting belongs that stands above all of them."""
    kinds = _kinds()
    places = [section for section, kind in kinds.items() if name in get_type_hints(kind)]
    return f" Did you mean [{places[0]}] {name}?" if places else _nearest(name, kinds, "[{}]")


def _suggestion(section: str, key: str) -> str:
    """Say which setting may be meant: one of the section, or that of this very name in another one."""
    kinds = _kinds()
    elsewhere = [name for name, kind in kinds.items() if key in get_type_hints(kind)]
    if elsewhere:
        return f" Did you mean [{elsewhere[0]}] {key}?"
    return _nearest(key, get_type_hints(kinds[section]), f"[{section}] {{}}")


def _nearest(written: str, known: Collection[str], form: str) -> str:
    near = difflib.get_close_matches(written, sorted(known), n=1)
    return f" Did you mean {form.format(near[0])}?" if near else ""
