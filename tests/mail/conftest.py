"""A real mail server, which keeps what it is given and says what it is told to."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope

from idp.settings import Mail, Settings
from tests import certificates
from tests.servers import free_ports

USERNAME, PASSWORD = "portal", "mail-server-password"


@dataclass
class MailServer:
    """What an aiosmtpd server on this machine has been given."""

    port: int
    got: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """What it answers to the next messages; it takes all others."""
    before_answer: Callable[[], None] = lambda: None
    """What happens when it has a message, and nobody knows yet."""
    stop: Callable[[], None] = lambda: None

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Answer a message."""
        answer = self.answers.pop(0) if self.answers else "250 2.0.0 Taken as 4711"
        if answer.startswith("250"):
            self.got.append(message_from_bytes(envelope.content or b"", policy=policy.default))  # type: ignore[arg-type]  # its policy makes it an EmailMessage
            self.senders.append(str(envelope.mail_from))
            self.recipients.append([str(one) for one in envelope.rcpt_tos])
        self.before_answer()
        return answer


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    return certificates.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def start_mail_server(certificate: tuple[Path, Path]) -> Iterator[Callable[[int], MailServer]]:
    """Start a mail server on a port: STARTTLS and a log-in first, as a district's server wants it."""
    running = list[MailServer]()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (USERNAME.encode(), PASSWORD.encode()), handled=False)

    def start(port: int) -> MailServer:
        server = MailServer(port)
        controller = Controller(
            server,
            hostname="127.0.0.1",
            port=port,
            server_hostname="mail.district207.example",
            tls_context=tls,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
        )
        controller.start()
        server.stop = partial(_stop, controller)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


def _stop(controller: Controller) -> None:
    """Hang up on everybody, and listen no more; it may be stopped already."""
    if controller.server is not None:
        controller.stop()


@pytest.fixture
def mail_port() -> int:
    """The port on which the mail server is, or will be."""
    return free_ports(1)


@pytest.fixture
def settings(
    settings: Settings, mail_port: int, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings whose mail goes to that server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))  # what OpenSSL trusts, in place of the machine's own list
    mail = Mail("localhost", mail_port, username=USERNAME, password=PASSWORD, sender="portal@district207.example")
    return replace(settings, mail=mail)


@pytest.fixture
def mail_server(start_mail_server: Callable[[int], MailServer], mail_port: int) -> MailServer:
    """The mail server, running."""
    return start_mail_server(mail_port)
