"""Examining a provider: what an operator would otherwise find out from parents."""

import json
import os
import shutil
import ssl
import stat
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, faults, settings
from idp.audit.models import AuditEvent
from idp.database import db
from idp.faults import Fault
from idp.oidc import metadata
from idp.operations import (
    doctor_keys,
    doctor_mail,
    doctor_passwords,
    doctor_robot,
    doctor_settings,
    doctor_throttle,
    leases,
)
from idp.operations.finding import NOTE, OK, PROBLEM, Finding
from idp.operations.readiness import Shape, shape, write
from idp.sessions.models import LogoutNotice

_WORKER_SILENT = timedelta(minutes=2)
_CLOCKS_APART = timedelta(seconds=5)
_LATEST = 1000
"""Events that are looked through for one of the future."""
_NOTICE_LATE = timedelta(minutes=5)
_UNSEALED_LONGEST = timedelta(minutes=2)
_LEAST_FREE = 1_000_000_000
"""Bytes that the disk of a SQLite database should have left: days of a district's security events."""
_OF_A_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "glusterfs", "fuse.glusterfs", "ceph", "9p"}
"""Kinds of file systems that other machines can write to, where SQLite's locks do not hold."""
_SECONDS = 5


def examine(now: datetime) -> list[Finding]:
    """Look at everything and return a finding for each thing, problems and all."""
    findings = list(doctor_settings.examine())
    parts: list[tuple[str, Callable[[datetime], Iterator[Finding]]]] = [("database", _database)]
    parts += [("keys", doctor_keys.signing), ("secrets", doctor_keys.secrets), ("audit", doctor_keys.audit)]
    parts += [("audit", _unsealed), ("worker", _worker), ("notices", _notices), ("mail", doctor_mail.outbox)]
    parts += [("clock", _clock)]
    for subject, look in parts:
        try:
            findings += look(now)
        except SQLAlchemyError as error:
            db.session.rollback()
            fault = faults.find(error) or Fault.UNREACHABLE
            findings.append(Finding(PROBLEM, subject, f"{fault}: {fault.advice} ({error.__class__.__name__})"))
            if subject == "database":
                break
    others = (doctor_passwords.examine, doctor_throttle.examine, doctor_robot.examine, doctor_mail.server, _issuer)
    return findings + [finding for look in others for finding in look()]


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
        yield from examine_file(Path(path))


def examine_file(
    path: Path, least_free: int = _LEAST_FREE, mounts: Path = Path("/proc/self/mounts")
) -> Iterator[Finding]:
    """Look at where a SQLite database lies: who can read it, is there room, is the disk this machine's own?"""
    folder = path.parent
    if (folder.stat().st_mode | path.stat().st_mode) & stat.S_IROTH and folder.stat().st_mode & stat.S_IXOTH:
        yield Finding(PROBLEM, "database", f"everybody on this machine can read it; run chmod 700 {folder}")
    free = shutil.disk_usage(folder).free
    told = f"{free / 1_000_000_000:.1f} GB are free on its disk"
    if free < least_free:
        yield Finding(PROBLEM, "disk", f"only {told}; add space, or shorten [audit] retention_days and run idp prune")
    else:
        yield Finding(OK, "disk", told)
    kind = _kind_of_file_system(folder, mounts)
    if kind in _OF_A_NETWORK:
        told = (
            f"it lies on {kind}, where a second node would damage it; use a local disk, or PostgreSQL for several nodes"
        )
        yield Finding(PROBLEM, "database", told)


def _kind_of_file_system(folder: Path, mounts: Path) -> str:
    """Return the kind of file system that a folder is on, or nothing where that can't be found out."""
    try:
        lines = [line.split(" ") for line in mounts.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    above = {str(folder.resolve()), *map(str, folder.resolve().parents)}
    found = [(len(line[1]), line[2]) for line in lines if len(line) > 2 and line[1] in above]
    return max(found, default=(0, ""))[1]


def _unsealed(now: datetime) -> Iterator[Finding]:
    """Look for security events that wait for their seal: until then somebody with the database could drop them."""
    oldest = db.session.scalar(select(func.min(AuditEvent.at)).where(AuditEvent.position.is_(None)))
    limit = max(_UNSEALED_LONGEST, 10 * timedelta(seconds=settings.current().audit.seal_seconds))
    if oldest is not None and now - oldest > limit:
        minutes = (now - oldest).total_seconds() / 60
        yield Finding(PROBLEM, "audit", f"events wait for their seal for {minutes:.0f} minutes; start idp worker")


def _notices(now: datetime) -> Iterator[Finding]:
    """Look at log-out notices that applications should have had by now."""
    owed = LogoutNotice.delivered_at.is_(None) & LogoutNotice.given_up_at.is_(None)
    late = db.session.scalar(
        select(func.count()).select_from(LogoutNotice).where(owed, LogoutNotice.created_at < now - _NOTICE_LATE)
    )
    given_up = db.session.scalar(
        select(func.count()).select_from(LogoutNotice).where(LogoutNotice.given_up_at > now - timedelta(days=1))
    )
    if late:
        yield Finding(
            NOTE,
            "notices",
            f"{late} log-outs wait to be told for over 5 minutes; see the application's page in the console",
        )
    if given_up:
        yield Finding(
            NOTE, "notices", f"{given_up} log-outs of the last day could not be told; ask the application's people"
        )
    if not late and not given_up:
        yield Finding(OK, "notices", "every application has been told of every log-out")


def _worker(now: datetime) -> Iterator[Finding]:
    last = leases.last_beat()
    if last is None:
        yield Finding(PROBLEM, "worker", "none has ever run; start idp worker, or idp serve --with-worker")
    elif now - last > _WORKER_SILENT:
        yield Finding(PROBLEM, "worker", f"none alive since {last:%Y-%m-%d %H:%M:%S} UTC; start idp worker")
    else:
        yield Finding(OK, "worker", "alive")


def _clock(now: datetime) -> Iterator[Finding]:
    latest = select(AuditEvent.at).order_by(AuditEvent.id.desc()).limit(_LATEST).subquery()
    newest = db.session.scalar(select(func.max(latest.c.at)))
    if newest is not None and newest - now > _CLOCKS_APART:
        ahead = (newest - now).total_seconds()
        yield Finding(PROBLEM, "clock", f"the newest event is {ahead:.0f} seconds in the future; set the clock (NTP)")
        return
    if db.engine.dialect.name == "sqlite":
        yield Finding(OK, "clock", "goes on from the newest event's")
        return
    theirs: datetime = db.session.execute(text("SELECT clock_timestamp()")).scalar_one()
    apart = abs(theirs - clock.own())
    if apart > _CLOCKS_APART:
        yield Finding(
            PROBLEM,
            "clock",
            f"this machine and the database differ by {apart.total_seconds():.0f} seconds; set both by NTP",
        )
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
        told = f"{issuer} can't be reached from here ({cause}); start idp serve, or mend its name, proxy or certificate"
        yield Finding(PROBLEM, "issuer", told)
        return
    if found.status_code != 200 or not _is_same(found.content):
        yield Finding(PROBLEM, "issuer", f"{issuer} answers, but not as this provider; check issuer, proxy and version")
        return
    yield Finding(OK, "issuer", f"{issuer} answers as this provider")
    yield from examine_transport(page)


def examine_transport(page: httpx.Response) -> Iterator[Finding]:
    """Look at what came through the proxy of what we had sent."""
    cookies = page.headers.get_list("set-cookie")
    if not settings.current().is_https:
        yield Finding(
            NOTE, "tls", "browsers come by plain HTTP, which others can read; for families, give issuer https://"
        )
    elif "strict-transport-security" not in page.headers:
        yield Finding(PROBLEM, "tls", "a proxy takes Strict-Transport-Security away; let it pass our headers on")
    elif any(not cookie.startswith("__Host-") or "secure" not in cookie.lower() for cookie in cookies):
        yield Finding(
            PROBLEM, "cookies", "a proxy changes cookies; let it pass them on: __Host- and Secure have to stay"
        )
    else:
        yield Finding(OK, "tls", "HTTPS, HSTS and cookies in order")


def _is_same(body: bytes) -> bool:
    try:
        return bool(json.loads(body) == json.loads(metadata.document(settings.current())))
    except ValueError:
        return False
