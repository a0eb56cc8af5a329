"""The doctor's look at the settings: what is allowed, and yet nobody should want; and who can read the secrets."""

import ipaddress
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from idp import settings
from idp.operations.finding import NOTE, OK, PROBLEM, Finding
from idp.settings import Settings, key_quality
from idp.web import words
from idp.web.language import locale_of

_NIST_LENGTH = 15  # SP 800-63B-4 section 3.1.1.2, for a password that is the only factor
_COST = 12
_HOUR = 3600
_YEAR = 365
_MOUNTED_SECRETS = "/run/secrets/"
"""Where containers mount secrets, readable by all who are inside: which is the provider alone."""


def examine(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Go through what is unwise in the settings, and through the files that hold secrets."""
    configured = settings.current()
    yield Finding(OK, "settings", "all in order")
    yield from _development(configured)
    yield from _passwords(configured)
    yield from _network(configured)
    yield from _times(configured)
    yield from _languages(configured)
    yield from _secrets(configured)
    yield from _files(environ)


def _development(configured: Settings) -> Iterator[Finding]:
    if configured.is_development:
        yield Finding(NOTE, "settings", "environment is development: plain HTTP is allowed; not for real families")
    elif configured.server.outbound_allowed:
        named = ", ".join(configured.server.outbound_allowed)
        yield Finding(NOTE, "settings", f"outbound_allowed lets log-out notices go to {named}; empty it if it need not")
    if configured.server.log_level == "DEBUG":
        yield Finding(NOTE, "settings", "log_level is DEBUG: set it to INFO when you have found what you look for")


def _passwords(configured: Settings) -> Iterator[Finding]:
    passwords = configured.passwords
    if passwords.minimum_length < _NIST_LENGTH:
        yield Finding(
            NOTE,
            "password",
            f"minimum_length is {passwords.minimum_length}: below {_NIST_LENGTH} without a second factor "
            "NIST SP 800-63B's AAL1 is not met; set it to 15",
        )
    if passwords.bcrypt_cost < _COST and not configured.is_development:
        yield Finding(
            NOTE, "password", f"bcrypt_cost is {passwords.bcrypt_cost}: set it to {_COST} if hashes may take 0.2 s"
        )


def _network(configured: Settings) -> Iterator[Finding]:
    server = configured.server
    if configured.is_https and server.trusted_proxies == 0:
        yield Finding(
            NOTE,
            "proxy",
            "trusted_proxies is 0: if a proxy of yours does the TLS, set it to 1, or everybody has the proxy's address",
        )
    if server.trusted_proxies and not _is_loopback(server.host):
        yield Finding(
            NOTE,
            "proxy",
            f"whoever reaches {server.host}:{server.port} without the proxy is believed any address; "
            "let only the proxy reach it, or set host to 127.0.0.1",
        )
    for name in ("admin_networks", "metrics_networks"):
        if any(ipaddress.ip_network(network).prefixlen == 0 for network in getattr(server, name)):
            yield Finding(NOTE, "network", f"{name} lets the whole internet in; name your own networks")


def _times(configured: Settings) -> Iterator[Finding]:
    sessions, tokens = configured.sessions, configured.tokens
    if sessions.absolute_hours > 24:
        yield Finding(
            NOTE,
            "sessions",
            f"absolute_hours is {sessions.absolute_hours}: nobody is asked again for days; 12 is usual",
        )
    if sessions.idle_minutes > 60 * sessions.absolute_hours:
        yield Finding(NOTE, "sessions", "idle_minutes is longer than absolute_hours and does nothing; shorten it")
    for name in ("access_token_seconds", "id_token_seconds"):
        if getattr(tokens, name) > _HOUR:
            yield Finding(
                NOTE, "tokens", f"{name} is {getattr(tokens, name)}: over an hour for who finds one; 900 is usual"
            )
    if configured.audit.retention_days < _YEAR:
        yield Finding(
            NOTE, "audit", f"retention_days is {configured.audit.retention_days}: a year is usual; ask the district"
        )


def _languages(configured: Settings) -> Iterator[Finding]:
    """Look for languages that nobody has translated: their pages would speak English, and say that they don't."""
    missing = [code for code in configured.district.languages if not words.is_translated(locale_of(code))]
    if missing:
        named = ", ".join(missing)
        yield Finding(NOTE, "languages", f"pages are not translated into {named}; take it out of [district] languages")


def _secrets(configured: Settings) -> Iterator[Finding]:
    used = [key.value for _name, keys in key_quality.lists(configured) for key in keys]
    if len(set(used)) < len(used):
        yield Finding(PROBLEM, "secrets", "one key serves two purposes; make a key for each: idp doctor --new-key")


def _files(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at who can read what is secret: the keys, and the database's address where it holds a password."""
    for name in ("IDP_SECRETS_WRAPPING_KEYS", "IDP_SECRETS_PEPPERS", "IDP_SECRETS_AUDIT_KEYS", "IDP_DATABASE_URL"):
        if name in environ and (name.startswith("IDP_SECRETS") or "@" in environ[name]):
            yield Finding(
                NOTE,
                "secrets",
                f"{name} is in the environment, where other programs of its user see it and only a restart changes it; "
                f"put it into a file that {name}_FILE names",
            )
        path = environ.get(f"{name}_FILE")
        if path is not None and _is_open_to_all(Path(path)):
            level = NOTE if path.startswith(_MOUNTED_SECRETS) else PROBLEM
            yield Finding(level, "secrets", f"everybody on this machine can read {path}; run chmod 600 {path}")


def _is_open_to_all(path: Path) -> bool:
    """Tell whether a file can be read by everybody who is on the machine: every folder above it lets them through."""
    try:
        folders = path.resolve().parents
        reachable = all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)
        return reachable and bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
