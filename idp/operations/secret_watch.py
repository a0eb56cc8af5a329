"""Changing the keys of [secrets] while running: each process looks at their files, so that none is ever restarted.

A key that is new is read at once and used a little later, when every other process has read it, too. Whatever would
make something unreadable is not taken: the process goes on with the keys that it has, and says so.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from idp import clock, faults, settings
from idp.database import db
from idp.oidc import keys as signing_keys
from idp.operations import secret_keys
from idp.operations.secret_keys import PEPPER, SETTINGS, WRAPPING, Difference, Trouble
from idp.settings import Secrets, SettingsError

log = structlog.get_logger(__name__)

ADVICE = {
    Trouble.MISSING: "another process uses it and this one can't read what it makes; add it to the list here, too",
    Trouble.OTHER_VALUE: "everybody else's key of this name has another value; copy theirs, or give yours a new name",
}

_RETRY_AFTER = 6
"""How many looks go by until a list that was not taken is looked at again: what needed a key may be gone by then."""


class Watch:
    """Looks after the secrets of one process."""

    def __init__(self, app: Flask, environ: Mapping[str, str] = os.environ) -> None:
        self._app = app
        self._environ = environ
        names = (f"IDP_SECRETS_{entry.name.upper()}_FILE" for entry in fields(Secrets))
        self._files = [Path(environ[name]) for name in names if name in environ]
        self._is_new = True
        self._seen: object = None
        self._problems: list[str] = []
        self._retry_at: datetime | None = None
        self._wanted: Secrets | None = None
        self._use_at: datetime | None = None
        self._changed_at: datetime | None = None
        self._told: list[Difference] = []

    def start(self) -> None:
        """Look every few seconds, beside what the process does, until it ends."""
        threading.Thread(target=self._go_on, name="secrets", daemon=True).start()

    def look(self, now: datetime) -> None:
        """Take over what has changed, and tell where this process's keys are not those of the others."""
        with self._app.app_context():
            try:
                self._read(now)
                self._use(now)
                secret_keys.note(now)
                self._compare(now)
                if self._is_new:
                    _tell_missing()
                    self._is_new = False
            except SQLAlchemyError as error:
                if (fault := faults.find(error)) is None:
                    raise
                log.warning("secrets_not_compared", fault=fault)
            finally:
                db.session.remove()

    def _go_on(self) -> None:
        with self._app.app_context():
            seconds = signing_keys.reread_interval().total_seconds()
        pause = threading.Event()
        while True:
            try:
                self.look(clock.now())
            except Exception:  # a fault of one look must not be the last look
                log.exception("secrets_not_looked_at")
            pause.wait(seconds)

    def _read(self, now: datetime) -> None:
        """Read the files when they have changed; the keys used so far stay first for now."""
        seen = [_signature(path) for path in self._files]
        if seen == self._seen and (self._retry_at is None or now < self._retry_at):
            return
        is_first_look, is_told = self._seen is None, seen == self._seen
        self._seen = seen
        try:
            wanted = settings.load(self._environ).secrets
            problems = _losses(settings.current().secrets, wanted)
        except SettingsError as error:
            problems = error.problems
        self._retry_at = now + _RETRY_AFTER * signing_keys.reread_interval() if problems else None
        if problems and not (is_told and problems == self._problems):
            log.error("secrets_not_taken", problems=problems)
        self._problems = problems
        if not problems and wanted != self._wanted:
            readable = _readable(settings.current().secrets, wanted)
            if is_first_look or readable != settings.current().secrets:
                self._set(readable, "secrets_read")
                self._changed_at = now
            self._wanted, self._use_at = wanted, now + signing_keys.activation_margin()

    def _use(self, now: datetime) -> None:
        """Let the first keys be used once every process has read them."""
        if self._wanted is not None and self._use_at is not None and now >= self._use_at:
            if self._wanted != settings.current().secrets:
                self._set(self._wanted, "secrets_used")
            self._wanted = self._use_at = None

    def _set(self, secrets: Secrets, event: str) -> None:
        self._app.config["IDP"] = replace(self._app.config["IDP"], secrets=secrets)
        names = {setting: [key.name for key in getattr(secrets, setting)] for setting in SETTINGS.values()}
        log.info(event, **names)

    def _compare(self, now: datetime) -> None:
        found = secret_keys.differences(now, self._changed_at)
        for one in found:
            if one not in self._told:
                log.error(
                    "secret_key_differs", kind=one.kind, key=one.name, trouble=one.trouble, advice=ADVICE[one.trouble]
                )
        self._told = found


def _tell_missing() -> None:
    """Tell, when a process starts, of passwords and signing keys that nobody can use with the keys that it has."""
    for kind in (WRAPPING, PEPPER):
        configured = {key.name for key in secret_keys.of_kind(settings.current().secrets, kind)}
        for name, needed_by in secret_keys.needs(kind).items():
            if name not in configured:
                told = f"{secret_keys.told(needed_by)} need it; put it back at the end of [secrets] {SETTINGS[kind]}"
                log.error("secret_key_missing", kind=kind, key=name, advice=told)


def _signature(path: Path) -> tuple[int, int, int] | None:
    """Return what changes with a file's content, or None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _readable(current: Secrets, wanted: Secrets) -> Secrets:
    """Return all keys of wanted, with the one that is used now before them."""
    lists = {}
    for setting in SETTINGS.values():
        used = getattr(current, setting)[0]
        lists[setting] = (used, *(key for key in getattr(wanted, setting) if key != used))
    return Secrets(**lists)


def _losses(current: Secrets, wanted: Secrets) -> list[str]:
    """Tell what could no longer be read or verified: nothing of that is taken over while running."""
    problems = []
    for kind, setting in SETTINGS.items():
        before, after = getattr(current, setting), getattr(wanted, setting)
        gone = [key.name for key in before if key not in after]
        if before[0].name in gone:
            problems.append(f"{setting} no longer has {before[0].name!r}, which is in use: put it after the new one.")
            gone.remove(before[0].name)
        needed = secret_keys.needs(kind) if gone else {}
        for name in gone:
            if name in needed:
                told = secret_keys.told(needed[name])
                problems.append(f"{setting} no longer has {name!r}, which {told} need: put it back at the end.")
    return problems
