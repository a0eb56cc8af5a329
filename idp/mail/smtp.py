"""Flask-Mail's connection with what it lacks: time-outs, a certificate that is checked, and the server's own words."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import flask_mail
import structlog
from email_validator import EmailNotValidError, validate_email
from flask import current_app

from idp import settings as settings_module
from idp.mail.composing import Content
from idp.mail.models import OutboxMessage
from idp.settings import STARTTLS, TLS

log = structlog.get_logger(__name__)

_UNSENDABLE = "it can't be handed over: see this program's log"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server has taken the message over; from here on it is the server's."""

    reply: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no to this very message; whether for good, is in its reply's first digit (RFC 5321 4.2.1)."""

    reply: str
    for_good: bool


class Unreachable(Exception):
    """The server takes nothing for now: it is away, or wants another log-in. It says nothing about the message."""


class _Keeping:
    """Keeps the answer to the message's data, which smtplib drops."""

    last_reply: tuple[int, bytes] = (0, b"")

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Send the message's data, and keep what the server says to it."""
        self.last_reply = super().data(msg)  # type: ignore[misc]  # a mix-in for either of smtplib's two classes
        return self.last_reply


class _Smtp(_Keeping, smtplib.SMTP):
    pass


class _SmtpOverTls(_Keeping, smtplib.SMTP_SSL):
    pass


class Connection(flask_mail.Connection):
    """A connection to the district's mail server, good for many messages: `with Connection() as connection`."""

    host: _Smtp | _SmtpOverTls

    def __init__(self) -> None:
        """Prepare one for the application at hand."""
        super().__init__(_mail())

    def __enter__(self) -> Self:
        """Connect. Raises Unreachable."""
        with _telling_unreachable():
            super().__enter__()
        return self

    def __exit__(self, *_error: object) -> None:
        """Say good-bye; a server that has hung up already has missed nothing."""
        with suppress(OSError, smtplib.SMTPException):
            self.host.quit()

    def configure_host(self) -> _Smtp | _SmtpOverTls:
        """Connect, encrypt and log in, and wait for no answer longer than the setting says."""
        wanted = settings_module.current().mail
        tls = ssl.create_default_context()
        host: _Smtp | _SmtpOverTls
        if wanted.security == TLS:
            host = _SmtpOverTls(wanted.host, wanted.port, timeout=wanted.timeout_seconds, context=tls)
        else:
            host = _Smtp(wanted.host, wanted.port, timeout=wanted.timeout_seconds)
        try:
            if wanted.security == STARTTLS:
                host.starttls(context=tls)
            if wanted.username:
                host.login(wanted.username, wanted.password)
        except BaseException:
            host.close()
            raise
        return host

    def deliver(self, message: OutboxMessage, content: Content) -> Accepted | Refused:
        """Hand a message over. Raises Unreachable when the server takes none for now.

        Whatever else is wrong is this message's alone, so that no address that a stranger has typed holds up others.
        """
        address = _envelope_address(message.recipient)
        if address is None:
            return Refused("no server can be told this address", for_good=True)
        with _telling_unreachable():
            try:
                self.send(_written(message, address, content))
            except smtplib.SMTPRecipientsRefused as refused:
                ((code, words),) = refused.recipients.values()
                return _refusal(code, words)
            except smtplib.SMTPDataError as refused:
                return _refusal(refused.smtp_code, refused.smtp_error)
            except (ValueError, flask_mail.BadHeaderError):
                log.exception("mail_unsendable", message=str(message.id))
                self.host.rset()  # the server may have heard the beginning
                return Refused(_UNSENDABLE, for_good=False)
        return Accepted(_words(*self.host.last_reply))


def _mail() -> Any:
    """Return Flask-Mail, told what it needs to know of a message. Whoever only serves pages never loads it."""
    config, wanted = current_app.config, settings_module.current()
    config["MAIL_SUPPRESS_SEND"] = False
    config["MAIL_DEFAULT_SENDER"] = (wanted.mail.sender_name or wanted.district.portal_name, wanted.mail.sender)
    return flask_mail.Mail(current_app).state


def _envelope_address(recipient: str) -> str | None:
    """Return an address as every server understands it, or None for one that has no such form.

    Its domain is written as registries do it today (RFC 5891): by older rules a sharp s was two letters,
    and somebody else's domain.
    """
    if recipient.isascii():
        return recipient
    try:
        found = validate_email(recipient, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.ascii_email


def _written(message: OutboxMessage, address: str, content: Content) -> flask_mail.Message:
    wanted = settings_module.current()
    written = flask_mail.Message(
        subject=content.subject,
        recipients=[address],
        body=content.text,
        html=content.html,
        reply_to=wanted.mail.reply_to or wanted.district.support_email or None,
        date=message.created_at.timestamp(),
        extra_headers={
            "Auto-Submitted": "auto-generated",  # RFC 3834 section 5: nobody's holiday note answers it
            "Content-Language": message.language,
        },
    )
    written.msgId = message.message_id
    return written


@contextmanager
def _telling_unreachable() -> Iterator[None]:
    try:
        yield
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(_fault(error)) from None


def _fault(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    return f"{type(error).__name__}: {error}"[:300]


def _refusal(code: int, words: bytes | str) -> Refused:
    return Refused(_words(code, words), for_good=code >= 500)


def _words(code: int, words: bytes | str) -> str:
    """Return a reply as one line; its bytes are whatever a stranger's server sends."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(f"{code} {text}".split())[:500]
