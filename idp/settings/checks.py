"""What makes settings wrong although each value has its type."""

import dataclasses
import ipaddress
import logging
import re
import zoneinfo
from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from idp.settings.model import NamedKey, Settings

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_SCHOOL_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DATABASES = ("sqlite:", "postgresql:", "postgres:")


def problems_of(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return everything that is wrong, a sentence each; none repeats a secret."""
    return [
        *_address_problems(settings),
        *_server_problems(settings),
        *_database_problems(settings),
        *_secret_problems(settings),
        *_password_problems(settings),
        *_number_problems(settings),
        *_district_problems(settings),
        *_environment_problems(settings, environ),
    ]


def _address_problems(settings: Settings) -> Iterator[str]:
    written = settings.server.issuer
    issuer = _split(written)
    if issuer is None or not issuer.scheme or not issuer.hostname:
        yield "[server] issuer is not set: the address that browsers use, such as https://login.example.org."
    elif written != f"{issuer.scheme}://{issuer.netloc}" or issuer.username is not None:
        yield "[server] issuer has to be scheme and host alone, with no path and no slash at its end."
    elif written != written.lower():
        yield "[server] issuer has to be in small letters, as browsers write it."
    elif issuer.scheme != "https" and not (settings.is_development and issuer.scheme == "http"):
        yield "[server] issuer has to start with https://."
    for allowed in settings.server.outbound_allowed:
        parts = _split(allowed)
        if parts is None or parts.scheme not in {"http", "https"} or allowed != f"{parts.scheme}://{parts.netloc}":
            yield f"[server] outbound_allowed holds {allowed!r}, which is no address such as http://localhost:5001."


def _split(address: str) -> SplitResult | None:
    """Take an address apart; None when it can't be, which urlsplit tells of a port only when asked for it."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _server_problems(settings: Settings) -> Iterator[str]:
    server = settings.server
    if not 1 <= server.port <= 65535:
        yield "[server] port has to be from 1 to 65535."
    if server.trusted_proxies < 0 or server.workers < 0 or server.threads < 1:
        yield "[server] trusted_proxies and workers can't be negative, and threads has to be at least 1."
    if server.log_level not in logging.getLevelNamesMapping():
        yield "[server] log_level has to be DEBUG, INFO, WARNING or ERROR."
    for name in ("admin_networks", "metrics_networks"):
        for network in getattr(server, name):
            try:
                ipaddress.ip_network(network)
            except ValueError:
                yield f"[server] {name} holds {network!r}, which is no network such as 10.0.0.0/8."


def _database_problems(settings: Settings) -> Iterator[str]:
    if not settings.database.url.replace("+psycopg:", ":").startswith(_DATABASES):
        yield "[database] url has to start with sqlite:/// or postgresql://."


def _secret_problems(settings: Settings) -> Iterator[str]:
    for entry in dataclasses.fields(settings.secrets):
        keys: tuple[NamedKey, ...] = getattr(settings.secrets, entry.name)
        if not keys:
            variable = f"IDP_SECRETS_{entry.name.upper()}"
            yield f"[secrets] {entry.name} is not set, and has no default: {variable} or its _FILE."
        if len({key.name for key in keys}) < len(keys):
            yield f"[secrets] {entry.name} has two keys of one name."


def _password_problems(settings: Settings) -> Iterator[str]:
    passwords = settings.passwords
    if not settings.is_development and passwords.bcrypt_cost < 10:
        yield "[passwords] bcrypt_cost is below 10, which only tests may use."
    if not 4 <= passwords.bcrypt_cost <= 16:
        yield "[passwords] bcrypt_cost has to be from 4 to 16."
    if not 8 <= passwords.minimum_length <= passwords.maximum_length <= 256:
        yield "[passwords] minimum_length has to be at least 8, maximum_length at most 256 and not below it."
    if passwords.temporary_days <= 0:
        yield "[passwords] temporary_days has to be above 0."


def _number_problems(settings: Settings) -> Iterator[str]:
    for section in ("database", "throttle", "sessions", "tokens", "keys", "audit"):
        values = getattr(settings, section)
        for entry in dataclasses.fields(values):
            value = getattr(values, entry.name)
            if isinstance(value, int) and value <= 0:
                yield f"[{section}] {entry.name} has to be above 0."
    if settings.keys.rsa_bits < 2048:
        yield "[keys] rsa_bits has to be at least 2048."
    if settings.keys.publish_ahead_days >= settings.keys.rotate_days:
        yield "[keys] publish_ahead_days has to be below rotate_days."


def _district_problems(settings: Settings) -> Iterator[str]:
    district = settings.district
    for name, colour in [("district", district.colour), *((school.key, school.colour) for school in district.schools)]:
        if not _COLOUR.fullmatch(colour):
            yield f"[district] the colour of {name} has to be written like #1d4f91."
    for key, times in Counter(school.key for school in district.schools).items():
        if times > 1 or not _SCHOOL_KEY.fullmatch(key):
            yield f"[district] the school key {key!r} has to be one of its own, like maine-east."
    if not district.languages:
        yield "[district] languages has to name one at least."
    try:
        zoneinfo.ZoneInfo(district.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        yield "[district] time_zone has to be a name such as America/Chicago."


def _environment_problems(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    if not settings.is_development and environ.get("AUTHLIB_INSECURE_TRANSPORT") is not None:
        # Authlib switches its HTTPS check off for any value of this variable, "0" and "false" included.
        yield "AUTHLIB_INSECURE_TRANSPORT is set: unset it, production never answers plain HTTP."
    for name in environ:
        if name.startswith("IDP_") and f"{name}_FILE" in environ:
            yield f"{name} and {name}_FILE are both set: keep one."
