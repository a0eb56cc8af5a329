"""The mail of journeys: a real mail server on this machine, and what a family finds in its mailbox."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from tests.journeys.district import District
from tests.servers import free_ports

_SECONDS = 30


@dataclass
class Office:
    """What the mail server was given."""

    port: int
    got: list[tuple[str, EmailMessage]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """By which a provider sends its mail here."""
        where = {"HOST": "localhost", "PORT": str(self.port), "SECURITY": "none", "SENDER": "portal@localhost"}
        return {f"IDP_MAIL_{name}": value for name, value in where.items()}

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        """Take a message, unless its address is nobody's."""
        read = message_from_bytes(envelope.content or b"", policy=policy.default)  # type: ignore[arg-type]  # its policy makes it an EmailMessage
        if any(str(recipient).startswith("nobody") for recipient in envelope.rcpt_tos):
            return "550 5.1.1 No such mailbox"
        self.got += [(str(recipient), read) for recipient in envelope.rcpt_tos]
        return "250 2.0.0 Taken"

    def subjects(self, recipient: str) -> list[str]:
        """Return the subjects of what has come for an address, in the order in which it came."""
        return [str(message["Subject"]) for to, message in self.got if to == recipient]

    def wait_for(self, subject: str, *, naming: str, after: int = 0) -> EmailMessage:
        """Return the newest message of a subject that names somebody, and that came after so many others."""
        message: EmailMessage
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            for _, message in reversed(self.got[after:]):
                if str(message["Subject"]) == subject and naming in plain(message):
                    return message
            time.sleep(0.05)
        raise AssertionError(f"no mail {subject!r} for {naming}, but {[str(one['Subject']) for _, one in self.got]}")


@dataclass(frozen=True)
class Mailing:
    """A district, and the mail server that its mail goes to."""

    district: District
    office: Office


@contextmanager
def office() -> Iterator[Office]:
    """Run a mail server on a free port."""
    opened = Office(free_ports(1))
    controller = Controller(opened, hostname="127.0.0.1", port=opened.port)
    controller.start()
    try:
        yield opened
    finally:
        controller.stop()


def link(message: EmailMessage) -> str:
    """Return the address that stands on a line of its own, with what opens it."""
    return next(line for line in plain(message).splitlines() if "?token=" in line)


def plain(message: EmailMessage) -> str:
    """Return what the plain part says."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")
