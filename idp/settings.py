"""Every setting: its type, its default and what makes it wrong. Frozen once loaded; config/README.md documents each.

Values come from config/<environment>.toml and config/district.toml, then from the environment (IDP_SECTION_NAME, or
IDP_SECTION_NAME_FILE for a file that holds the value). A secret has no default here.
"""

import base64
import binascii
import dataclasses
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from flask import current_app

DEVELOPMENT, PRODUCTION = "development", "production"
PACKAGE = Path(__file__).parent


class SettingsError(Exception):
    """What is wrong with the settings: all of it, a line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A secret key and the name by which what it made tells it apart; its value never shows in a repr."""

    name: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the provider answers, and whom it believes."""

    issuer: str = ""
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 0
    threads: int = 4
    trusted_proxies: int = 0
    admin_networks: tuple[str, ...] = (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    )
    metrics_networks: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    outbound_allowed: tuple[str, ...] = ()
    log_level: str = "INFO"


@dataclass(frozen=True, slots=True)
class Database:
    """Where everything is kept."""

    url: str = field(default="sqlite:///instance/idp.db", repr=False)
    pool_size: int = 8
    lock_timeout_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys that are never in the database. Each is a list; the first one is used, the others are still read."""

    wrapping_keys: tuple[NamedKey, ...] = ()
    peppers: tuple[NamedKey, ...] = ()
    audit_keys: tuple[NamedKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Passwords:
    """What a password must be, and what one costs (POLICY: NIST SP 800-63B section 3.1.1.2)."""

    bcrypt_cost: int = 12
    minimum_length: int = 15
    maximum_length: int = 128
    temporary_days: int = 14


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often something may be tried."""

    account_failures: int = 5
    account_wait_seconds: int = 30
    account_longest_wait_seconds: int = 900
    account_forget_hours: int = 12
    client_failures: int = 10
    client_window_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Sessions:
    """How long a browser stays logged in."""

    idle_minutes: int = 30
    absolute_hours: int = 12
    shared_idle_minutes: int = 10
    shared_absolute_hours: int = 1
    staff_idle_minutes: int = 15
    staff_absolute_hours: int = 8
    reauthentication_minutes: int = 10
    per_account: int = 20
    steps_minutes: int = 30


@dataclass(frozen=True, slots=True)
class Tokens:
    """How long what the protocol issues is good for."""

    code_seconds: int = 60
    access_token_seconds: int = 900
    id_token_seconds: int = 900
    request_at_login_hours: int = 24
    request_at_consent_minutes: int = 30
    client_secret_overlap_days: int = 30


@dataclass(frozen=True, slots=True)
class Keys:
    """Signing keys: strength, and the calendar of their rotation."""

    rsa_bits: int = 2048
    rotate_days: int = 90
    publish_ahead_days: int = 14
    keep_days: int = 14


@dataclass(frozen=True, slots=True)
class Audit:
    """The record of security events."""

    retention_days: int = 365
    seal_seconds: int = 5


@dataclass(frozen=True, slots=True)
class School:
    """One school of the district."""

    key: str
    name: str
    colour: str = "#1d4f91"


@dataclass(frozen=True, slots=True)
class District:
    """All that another district has to change."""

    name: str = "District 207"
    portal_name: str = "Parent Portal"
    colour: str = "#1d4f91"
    website: str = ""
    general_faq: str = ""
    support_team: str = "District 207 Portal Support Team"
    support_email: str = ""
    support_phone: str = ""
    support_hours: str = ""
    time_zone: str = "America/Chicago"
    languages: tuple[str, ...] = ("en",)
    schools: tuple[School, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process."""

    environment: str = PRODUCTION
    server: Server = Server()
    database: Database = Database()
    secrets: Secrets = Secrets()
    passwords: Passwords = Passwords()
    throttle: Throttle = Throttle()
    sessions: Sessions = Sessions()
    tokens: Tokens = Tokens()
    keys: Keys = Keys()
    audit: Audit = Audit()
    district: District = District()

    @property
    def is_development(self) -> bool:
        """Whether conveniences that production refuses (plain HTTP, cheap hashes) are allowed."""
        return self.environment == DEVELOPMENT

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the provider by HTTPS, which decides cookie prefixes and HSTS."""
        return self.server.issuer.startswith("https://")


def current() -> Settings:
    """Return the settings of the running application."""
    loaded: Settings = current_app.config["IDP"]
    return loaded


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read config/*.toml, then the environment. Raises SettingsError with everything that is wrong, all at once."""
    problems: list[str] = []
    environment = environ.get("IDP_ENVIRONMENT", PRODUCTION)
    if environment not in {DEVELOPMENT, PRODUCTION}:
        raise SettingsError([f"IDP_ENVIRONMENT is {environment!r}; it is either {DEVELOPMENT} or {PRODUCTION}."])
    folder = _config_folder(environ)
    values = _read_toml(folder / f"{environment}.toml", problems) | _read_toml(folder / "district.toml", problems)
    sections = {
        name: _section(name, kind, values.pop(name, {}), environ, problems)
        for name, kind in get_type_hints(Settings).items()
        if dataclasses.is_dataclass(kind) and isinstance(kind, type)
    }
    problems += [f"[{name}] is no section of the settings." for name in values]
    problems += _unknown_variables(environ)
    settings = Settings(environment=environment, **sections)
    problems += _contradictions(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _config_folder(environ: Mapping[str, str]) -> Path:
    """A checkout keeps config/ beside the package; an installed package carries its own; IDP_CONFIG overrules both."""
    if chosen := environ.get("IDP_CONFIG"):
        return Path(chosen)
    beside = PACKAGE.parent / "config"
    return beside if (beside / "district.toml").exists() else PACKAGE / "config"


def _read_toml(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        problems.append(f"{path} is missing.")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path} can't be read: {error}")
    return {}


def _section(name: str, kind: type, given: Any, environ: Mapping[str, str], problems: list[str]) -> Any:
    if not isinstance(given, dict):
        problems.append(f"[{name}] has to be a section.")
        given = {}
    values: dict[str, Any] = {}
    types = get_type_hints(kind)
    problems += [f"[{name}] {key} is no setting." for key in sorted(given.keys() - types.keys())]
    for key, wanted in types.items():
        raw = _from_environment(f"IDP_{name}_{key}".upper(), environ, problems)
        source = f"IDP_{name}_{key}".upper() if raw is not None else f"[{name}] {key}"
        raw = given.get(key) if raw is None else raw
        if raw is not None:
            try:
                values[key] = _converted(wanted, raw)
            except ValueError as error:
                problems.append(f"{source} {error}")
    return kind(**values)


def _from_environment(variable: str, environ: Mapping[str, str], problems: list[str]) -> str | None:
    if variable in environ:
        return environ[variable]
    path = environ.get(f"{variable}_FILE")
    if path is None:
        return None
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{variable}_FILE can't be read: {error.__class__.__name__}")
        return None


def _converted(wanted: Any, raw: Any) -> Any:
    """Bring a value from TOML or from the environment to its type. Raises ValueError, which never repeats a secret."""
    if wanted is str and isinstance(raw, str):
        return raw
    if wanted is int and not isinstance(raw, bool):
        try:
            return int(raw)
        except (TypeError, ValueError):
            raise ValueError("has to be a whole number.") from None
    if wanted is bool:
        return _boolean(raw)
    items = [item.strip() for item in raw.split(",") if item.strip()] if isinstance(raw, str) else raw
    if not isinstance(items, list):
        raise ValueError("has to be a list.")
    if wanted == tuple[School, ...]:
        return tuple(_school(item) for item in items)
    if not all(isinstance(item, str) for item in items):
        raise ValueError("has to be a list of texts.")
    return tuple(_named_key(item) for item in items) if wanted == tuple[NamedKey, ...] else tuple(items)


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


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """A misspelt variable must not be ignored: the default it meant to change would stay in force unseen."""
    known = {"IDP_ENVIRONMENT", "IDP_CONFIG"}
    for section, kind in get_type_hints(Settings).items():
        if dataclasses.is_dataclass(kind):
            known |= {f"IDP_{section}_{entry.name}".upper() for entry in dataclasses.fields(kind)}
    given = (name for name in environ if name.startswith("IDP_"))
    return [f"{name} is no setting." for name in sorted(given) if name.removesuffix("_FILE") not in known]


def _contradictions(settings: Settings) -> list[str]:
    problems = _address_problems(settings) + _network_problems(settings)
    for name in ("wrapping_keys", "peppers", "audit_keys"):
        keys: tuple[NamedKey, ...] = getattr(settings.secrets, name)
        if not keys:
            problems.append(
                f"[secrets] {name} is not set, and has no default: IDP_SECRETS_{name.upper()} or its _FILE."
            )
        if len({key.name for key in keys}) < len(keys):
            problems.append(f"[secrets] {name} has two keys of one name.")
    if not settings.is_development and settings.passwords.bcrypt_cost < 10:
        problems.append("[passwords] bcrypt_cost is below 10, which only tests may use.")
    if not 4 <= settings.passwords.bcrypt_cost <= 16:
        problems.append("[passwords] bcrypt_cost has to be from 4 to 16.")
    if not 8 <= settings.passwords.minimum_length <= settings.passwords.maximum_length <= 256:
        problems.append("[passwords] minimum_length has to be at least 8, maximum_length at most 256 and not below it.")
    for section in ("throttle", "sessions", "tokens", "keys", "audit"):
        values = getattr(settings, section)
        problems += [
            f"[{section}] {entry.name} has to be above 0."
            for entry in dataclasses.fields(values)
            if getattr(values, entry.name) <= 0
        ]
    if not settings.is_development and os.environ.get("AUTHLIB_INSECURE_TRANSPORT") is not None:
        # Authlib switches its HTTPS check off for any value of this variable, "0" and "false" included.
        problems.append("AUTHLIB_INSECURE_TRANSPORT is set: unset it, production never answers plain HTTP.")
    return problems


def _address_problems(settings: Settings) -> list[str]:
    issuer = urlsplit(settings.server.issuer)
    problems = []
    if not issuer.scheme or not issuer.hostname:
        problems.append("[server] issuer is not set: the address that browsers use, such as https://login.example.org.")
    elif issuer.path or issuer.query or issuer.fragment or issuer.username or settings.server.issuer.endswith("/"):
        problems.append("[server] issuer has to be scheme and host alone, with no path and no slash at its end.")
    elif issuer.scheme != "https" and not (settings.is_development and issuer.scheme == "http"):
        problems.append("[server] issuer has to start with https://.")
    if not 1 <= settings.server.port <= 65535:
        problems.append("[server] port has to be from 1 to 65535.")
    if settings.server.trusted_proxies < 0 or settings.server.workers < 0 or settings.server.threads < 1:
        problems.append("[server] trusted_proxies and workers can't be negative, and threads has to be at least 1.")
    return problems


def _network_problems(settings: Settings) -> list[str]:
    problems = []
    for name in ("admin_networks", "metrics_networks"):
        for network in getattr(settings.server, name):
            try:
                ipaddress.ip_network(network)
            except ValueError:
                problems.append(f"[server] {name} holds {network!r}, which is no network such as 10.0.0.0/8.")
    return problems
