"""The doctor's look at mail: would it leave, would it be believed, and what has not left."""

import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select

from idp import settings
from idp.database import db
from idp.mail.models import GIVEN_UP, REFUSED, OutboxMessage
from idp.mail.smtp import Connection, Unreachable
from idp.operations.finding import NOTE, OK, PROBLEM, Finding
from idp.settings import UNENCRYPTED, Settings

_LATE = timedelta(minutes=15)
_LATELY = timedelta(days=1)


def outbox(now: datetime) -> Iterator[Finding]:
    """Look for messages that should have left by now, and for those of the last day that never will."""
    late = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.due_at < now - _LATE)
    if waiting := db.session.scalar(late):
        told = f"{waiting} messages wait for over 15 minutes; see idp mail list --state waiting"
        yield Finding(PROBLEM, "mail", told)
    ended = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.settled_at > now - _LATELY)
    if lost := db.session.scalar(ended.where(OutboxMessage.state.in_([REFUSED, GIVEN_UP]))):
        told = f"{lost} messages of the last day were refused or given up; see idp mail list, and idp mail retry"
        yield Finding(NOTE, "mail", told)


def server() -> Iterator[Finding]:
    """Speak to the mail server as for a message, up to its sender, and send none."""
    configured = settings.current()
    wanted = configured.mail
    if wanted.is_mailbox:
        yield Finding(NOTE, "mail", "host is mailbox: mail goes to nobody, and shows at /mailbox")
    elif not wanted.is_server:
        level = NOTE if configured.is_development else PROBLEM
        told = "no mail server is set: messages wait, and no family gets one; set [mail] host"
        yield Finding(level, "mail", told)
    else:
        yield from _settings(configured)
        yield _conversation(configured)


def _settings(configured: Settings) -> Iterator[Finding]:
    wanted = configured.mail
    if wanted.security == UNENCRYPTED and wanted.host not in {"localhost", "127.0.0.1", "::1"}:
        told = (
            f"everybody on the way to {wanted.host} can read the links in mail; set [mail] security to starttls or tls"
        )
        yield Finding(NOTE, "mail", told)
    sender, issuer = wanted.sender.rpartition("@")[2].lower(), urlsplit(configured.server.issuer).hostname or ""
    if _root(sender) != _root(issuer):
        told = f"mail from {sender} leads families to {issuer}, as a trick would; send from the issuer's own domain"
        yield Finding(NOTE, "mail", told)


def _conversation(configured: Settings) -> Finding:
    wanted = configured.mail
    where = f"{wanted.host}:{wanted.port}"
    try:
        with Connection() as connection:
            code, words = connection.host.mail(wanted.sender)
            connection.host.rset()
    except (Unreachable, smtplib.SMTPException, OSError) as error:
        told = f"{where} takes nothing: {error}; mend [mail] host, port, security, username or password"
        return Finding(PROBLEM, "mail", told)
    if code >= 400:
        said = " ".join(words.decode("utf-8", "replace").split())[:200]
        told = f"{where} takes nothing from {wanted.sender}: {code} {said}; mend [mail] sender or username"
        return Finding(PROBLEM, "mail", told)
    told = f"{where} takes mail from {wanted.sender}; idp mail test you@example.org shows whether it arrives"
    return Finding(OK, "mail", told)


def _root(name: str) -> str:
    """Return the last two parts of a name: enough to tell whose it is for a note."""
    return ".".join(name.split(".")[-2:])
