"""Putting a backup back, so that nothing of the past lives again: what was open then is ended, and it is on record."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import CursorResult, Update, delete, select, update

from idp import clock, schema, settings
from idp.accounts.models import Account
from idp.audit import sealing, verification
from idp.audit import service as audit
from idp.clients.models import Client
from idp.database import db
from idp.mail.models import GIVEN_UP, WAITING, OutboxMessage
from idp.oidc.models import AccessToken
from idp.operations import backup
from idp.operations.backup import Content
from idp.operations.readiness import Shape, shape
from idp.recovery.models import FIRST_PASSWORD, EmailToken, ForgottenQuestion
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, OpenSteps

_REVISIONS = 1_000_000
"""How far an application's revision moves: no process may take what it has parsed since for what is there now."""
_LONGEST_WAIT_SECONDS = 2


class InUse(Exception):
    """Somebody has the database open."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What would have lived again."""

    sessions: int
    tokens: int
    temporary_passwords: int


@contextmanager
def prepared(copy: Path, database: Path) -> Iterator[tuple[Path, Content]]:
    """Copy a backup to beside the database, bring it up to date and check it; yields the copy and what is in it.

    Raises Unfit, OSError, sqlite3.Error. Nothing is left of it unless it was put in the database's place.
    """
    made = database.with_name(f".{database.name}.{os.getpid()}.restored")
    try:
        backup.copy(copy, made)
        with backup.application_on(made):
            if shape(db.engine) is Shape.BEHIND:
                schema.upgrade()
        yield made, backup.check(made)
    finally:
        for left in made.parent.glob(f"{made.name}*"):
            left.unlink()


def put_back(made: Path, database: Path, *, keep_temporary_passwords: bool) -> tuple[Ended, Path | None]:
    """Put a prepared copy in the place of the database; return what was ended, and where the old file is now.

    Until the last moment the database is the old one, and from then on the new one, whole. Raises InUse and OSError.
    """
    refuse_in_use(database)
    replaced = _head(database)
    with backup.application_on(made):
        ended = end_what_was_open(
            clock.now(), keep_temporary_passwords=keep_temporary_passwords, replaced_head=replaced
        )
    backup.settle(made)
    aside = database.with_name(f"{database.name}.before-{clock.now():%Y%m%dT%H%M%S}")
    if was_there := database.exists():
        os.link(database, aside)
    made.replace(database)
    backup.flush(database.parent)
    return ended, aside if was_there else None


def refuse_in_use(database: Path) -> None:
    """Raise InUse when anybody has the database open; else make one file of it, without a log beside it."""
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database, timeout=_LONGEST_WAIT_SECONDS)) as opened:
            opened.execute("PRAGMA journal_mode=DELETE").fetchone()  # possible only for one who is alone
    except sqlite3.OperationalError as error:
        raise InUse from error
    except sqlite3.DatabaseError:
        return  # it is damaged: that is what the backup is for


def end_what_was_open(now: datetime, *, keep_temporary_passwords: bool, replaced_head: str | None = None) -> Ended:
    """End sessions and tokens of the past and record it. Commits.

    Since the backup was made some of them were revoked or logged out of, and nobody knows which. Nor is it known which
    codes were spent: each is good for no longer than its session, or is of one that the backup has never seen.
    Applications are told of each session's end. A temporary password may have been used since, so it is taken away,
    too. Mail that waited has been sent since then, or is out of date; `idp mail retry` sends it all the same.
    """
    tokens = _count(update(AccessToken).where(AccessToken.revoked_at.is_(None)).values(revoked_at=now))
    # A code outlives for its seconds a session that runs out.
    since = now - timedelta(seconds=settings.current().tokens.code_seconds)
    live = select(BrowserSession.id).where(BrowserSession.ended_at.is_(None), BrowserSession.expires_at > since)
    ended = sum(sessions.end(session_id, "database_restored", now) for session_id in db.session.scalars(live).all())
    db.session.execute(delete(OpenSteps))
    temporary = 0 if keep_temporary_passwords else _take_temporary_passwords()
    links = _spend_links(now, but_first_passwords=keep_temporary_passwords)
    db.session.execute(delete(ForgottenQuestion))  # answered since, or asked again
    messages = _count(
        update(OutboxMessage)
        .where(OutboxMessage.state == WAITING)
        .values(state=GIVEN_UP, due_at=None, settled_at=now, reply="not sent again: the database was put back")
    )
    _count(update(Client).values(revision=Client.revision + _REVISIONS))
    newest = sealing.newest_seal()
    audit.record(
        verification.RESTORED,
        sessions=ended,
        tokens=tokens,
        temporary_passwords=temporary,
        messages=messages,
        links=links,
        head=None if newest is None else f"{newest['number']}:{newest['mac']}",
        replaced_head=replaced_head,
    )
    db.session.commit()
    return Ended(ended, tokens, temporary)


def _take_temporary_passwords() -> int:
    return _count(
        update(Account)
        .where(Account.temporary_password_digest.is_not(None))
        .values(temporary_password_digest=None, temporary_password_expires_at=None)
    )


def _spend_links(now: datetime, *, but_first_passwords: bool) -> int:
    """Let no mailed link work again: each may have been used since."""
    chosen = update(EmailToken).where(EmailToken.spent_at.is_(None))
    if but_first_passwords:
        chosen = chosen.where(EmailToken.purpose != FIRST_PASSWORD)
    return _count(chosen.values(spent_at=now))


def _count(statement: Update) -> int:
    done: CursorResult[tuple[()]] = db.session.execute(  # type: ignore[assignment]  # UPDATE gives a cursor
        statement.execution_options(synchronize_session=False)
    )
    return int(done.rowcount)


def _head(database: Path) -> str | None:
    """Return the newest seal of the database that goes, for the record; None where it can't be read any more."""
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(database)) as opened:
            row = opened.execute("SELECT number, mac FROM audit_seals ORDER BY number DESC LIMIT 1").fetchone()
    except sqlite3.DatabaseError:
        return None
    return f"{row[0]}:{row[1]}" if row else None
