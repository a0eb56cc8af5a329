"""Examining a provider: what an operator would otherwise find out from parents."""

import json
import os
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, faults, settings
from idp.audit import chain
from idp.audit import sealing as audit_sealing
from idp.database import db
from idp.faults import Fault
from idp.oidc import keys, metadata
from idp.operations import leases
from idp.operations.readiness import Shape, shape, write

OK, NOTE, PROBLEM = "ok", "note", "problem"

_WORKER_SILENT = timedelta(minutes=2)
_CLOCKS_APART = timedelta(seconds=5)
_NIST_LENGTH = 15  # SP 800-63B-4 section 3.1.1.2, for a password that is the only factor
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and how it is."""

    level: str
    subject: str
    text: str


def examine(now: datetime) -> list[Finding]:
    """Look at everything and return a finding for each thing, problems and all."""
    findings = list(_settings())
    parts: list[tuple[str, Callable[[datetime], Iterator[Finding]]]] = [("database", _database)]
    parts += [("keys", _signing_keys), ("audit", _audit), ("worker", _worker), ("clock", _clock)]
    for subject, look in parts:
        try:
            findings += look(now)
        except SQLAlchemyError as error:
            db.session.rollback()
            fault = faults.find(error) or Fault.UNREACHABLE
            findings.append(Finding(PROBLEM, subject, f"{fault}: {fault.advice} ({error.__class__.__name__})"))
            if subject == "database":
                break
    return findings + list(_issuer())


def _settings() -> Iterator[Finding]:
    configured = settings.current()
    yield Finding(OK, "settings", "all in order")
    if configured.is_development:
        yield Finding(NOTE, "settings", "environment is development: plain HTTP is allowed; not for real families")
    if configured.passwords.minimum_length < _NIST_LENGTH:
        yield Finding(
            NOTE,
            "password",
            f"minimum_length is {configured.passwords.minimum_length}: below {_NIST_LENGTH} without a second factor "
            "NIST SP 800-63B's AAL1 is not met",
        )
    if configured.is_https and configured.server.trusted_proxies == 0:
        yield Finding(
            NOTE,
            "proxy",
            "trusted_proxies is 0: if a proxy of yours does the TLS, set it to 1, or everybody has the proxy's address",
        )
    used = [
        key.value for name in ("wrapping_keys", "peppers", "audit_keys") for key in getattr(configured.secrets, name)
    ]
    if len(set(used)) < len(used):
        yield Finding(PROBLEM, "secrets", "one key serves two purposes; make a key for each: idp doctor --new-key")


def _database(_now: datetime) -> Iterator[Finding]:
    found = shape(db.engine)
    if found in {Shape.EMPTY, Shape.BEHIND}:
        yield Finding(PROBLEM, "database", f"it is {found}; run idp db upgrade")
    elif found is Shape.AHEAD:
        yield Finding(NOTE, "database", "a newer version has upgraded it; fine while all nodes are being upgraded")
    else:
        yield Finding(OK, "database", f"{db.engine.dialect.name}, up to date")
    if found in {Shape.CURRENT, Shape.AHEAD}:
        write(db.engine)
    path = db.engine.url.database
    if db.engine.dialect.name == "sqlite" and path and os.path.exists(path):
        folder = Path(path).parent
        if (folder.stat().st_mode | os.stat(path).st_mode) & stat.S_IROTH and folder.stat().st_mode & stat.S_IXOTH:
            yield Finding(PROBLEM, "database", f"everybody on this machine can read it; run chmod 700 {folder}")


def _signing_keys(now: datetime) -> Iterator[Finding]:
    signers = keys.ring(now).signers
    missing = [algorithm for algorithm in keys.ALGORITHMS if algorithm not in signers]
    if missing and keys.listed():
        yield Finding(PROBLEM, "keys", Fault.KEYS.advice)
    elif missing:
        yield Finding(PROBLEM, "keys", f"no active key for {', '.join(missing)}; run idp worker --once")
    else:
        yield Finding(OK, "keys", f"active for {', '.join(keys.ALGORITHMS)}")


def _audit(_now: datetime) -> Iterator[Finding]:
    newest = audit_sealing.newest_seal()
    if newest is None:
        yield Finding(NOTE, "audit", "nothing is sealed yet")
    elif chain.is_mac(settings.current().secrets.audit_keys, chain.seal_content(newest), newest["mac"]):
        yield Finding(OK, "audit", f"newest seal {newest['number']}; idp audit verify checks them all")
    else:
        yield Finding(PROBLEM, "audit", "no key of [secrets] audit_keys made the newest seal; put the old one back")


def _worker(now: datetime) -> Iterator[Finding]:
    last = leases.last_beat()
    if last is None:
        yield Finding(PROBLEM, "worker", "none has ever run; start idp worker, or idp serve --with-worker")
    elif now - last > _WORKER_SILENT:
        yield Finding(PROBLEM, "worker", f"none alive since {last:%Y-%m-%d %H:%M:%S} UTC; start idp worker")
    else:
        yield Finding(OK, "worker", "alive")


def _clock(_now: datetime) -> Iterator[Finding]:
    if db.engine.dialect.name == "sqlite":
        return
    theirs: datetime = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(theirs - clock.now())
    if apart > _CLOCKS_APART:
        yield Finding(PROBLEM, "clock", f"this machine and the database differ by {apart.total_seconds():.0f} seconds")
    else:
        yield Finding(OK, "clock", "agrees with the database's")


def _issuer() -> Iterator[Finding]:
    """Ask our own address what it says of itself, as an application does."""
    issuer = settings.current().server.issuer
    try:
        with httpx.Client(timeout=_SECONDS, trust_env=False, verify=ssl.create_default_context()) as client:
            found = client.get(f"{issuer}/.well-known/openid-configuration")
            page = client.get(f"{issuer}/login")
    except httpx.HTTPError as error:
        cause = f"{error.__class__.__name__}: {error}"[:150]
        yield Finding(PROBLEM, "issuer", f"{issuer} can't be reached from here ({cause})")
        return
    if found.status_code != 200 or not _is_same(found.content):
        yield Finding(PROBLEM, "issuer", f"{issuer} answers, but not as this provider; check issuer, proxy and version")
        return
    yield Finding(OK, "issuer", f"{issuer} answers as this provider")
    yield from _transport(page)


def _transport(page: httpx.Response) -> Iterator[Finding]:
    cookies = page.headers.get_list("set-cookie")
    if not settings.current().is_https:
        yield Finding(NOTE, "tls", "browsers come by plain HTTP: passwords and cookies can be read on the way")
    elif "strict-transport-security" not in page.headers:
        yield Finding(PROBLEM, "tls", "a proxy takes Strict-Transport-Security away")
    elif any(not cookie.startswith("__Host-") or "secure" not in cookie.lower() for cookie in cookies):
        yield Finding(PROBLEM, "cookies", "a proxy changes cookies: __Host- and Secure have to stay")
    else:
        yield Finding(OK, "tls", "HTTPS, HSTS and cookies in order")


def _is_same(body: bytes) -> bool:
    try:
        return bool(json.loads(body) == json.loads(metadata.document(settings.current())))
    except ValueError:
        return False
