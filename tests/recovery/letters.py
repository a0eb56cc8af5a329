"""What is in the outbox, as its readers will see it."""

import re
from dataclasses import dataclass

from sqlalchemy import select

from idp.database import db
from idp.mail import service
from idp.mail.models import OutboxMessage


@dataclass(frozen=True)
class Letter:
    """One message."""

    kind: str
    to: str
    language: str
    subject: str
    text: str
    html: str

    @property
    def links(self) -> list[str]:
        """The links with a token in it, as they stand bare in the plain part."""
        return re.findall(r"^(\S+\?token=\S+)$", self.text, re.MULTILINE)

    @property
    def link(self) -> str:
        """Its one link with a token."""
        (found,) = self.links
        return found

    @property
    def path(self) -> str:
        """The same, on this site."""
        assert self.link.startswith("http://localhost:5000/"), self.link
        return self.link.removeprefix("http://localhost:5000")

    @property
    def code(self) -> str:
        """The code that can be typed."""
        (found,) = re.findall(r"^(\d{4} \d{4})$", self.text, re.MULTILINE)
        return str(found)

    @property
    def temporary_password(self) -> str:
        """The temporary password."""
        (found,) = re.findall(r"^Temporary password: (\S+)$", self.text, re.MULTILINE)
        return str(found)


def letters(to: str | None = None) -> list[Letter]:
    """Return what waits in the outbox, the oldest first."""
    chosen = select(OutboxMessage).order_by(OutboxMessage.created_at, OutboxMessage.id)
    if to is not None:
        chosen = chosen.where(OutboxMessage.recipient == to)
    db.session.expire_all()
    found = []
    for message in db.session.scalars(chosen):
        content = service.opened(message)
        assert content
        found.append(
            Letter(message.kind, message.recipient, message.language, content.subject, content.text, content.html)
        )
    db.session.rollback()
    return found
