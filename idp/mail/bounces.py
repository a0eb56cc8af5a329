"""Mail that came back: a delivery status notification (RFC 3464) says of which message, and why."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

from sqlalchemy import select, update

from idp.database import db
from idp.mail.models import BOUNCED, OutboxMessage

LARGEST = 1024 * 1024
"""Bytes that a notification may have; of what is longer no more is read than shows that."""
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,190}>")


@dataclass(frozen=True, slots=True)
class Report:
    """What a notification says of one of our messages that failed for good."""

    message_id: str
    reason: str


class NoReport(Exception):
    """What was read is no notification of a failure; the message says what is missing."""


def read(raw: bytes) -> Report:
    """Read a notification. Raises NoReport for anything else, however long or broken."""
    if len(raw) > LARGEST:
        raise NoReport("it is longer than any notification")
    parsed = message_from_bytes(raw, policy=policy.default)
    if parsed.get_content_type() != "multipart/report":
        raise NoReport("it is no delivery status notification (multipart/report)")
    failed = [recipient for recipient in _recipients(parsed) if str(recipient.get("Action", "")).strip() == "failed"]
    if not failed:
        raise NoReport("it tells of no delivery that has failed for good")
    message_id = _original_id(parsed)
    if message_id is None:
        raise NoReport("it does not say which message came back")
    return Report(message_id, _reason(failed[0]))


def mark(report: Report) -> OutboxMessage | None:
    """Note on the message that it came back; None when it is none of ours. Does not commit.

    A Message-ID is random and known to nobody but the reader, so that no stranger can call an address dead.
    """
    found = db.session.scalar(select(OutboxMessage).where(OutboxMessage.message_id == report.message_id))
    if found is not None:
        values = {"state": BOUNCED, "reply": report.reason, "due_at": None, "sealed_content": None}
        db.session.execute(update(OutboxMessage).where(OutboxMessage.id == found.id).values(**values))
    return found


def _recipients(parsed: EmailMessage) -> Iterator[Message]:
    """Go through the fields of each recipient: the second part's blocks after the first (RFC 3464 section 2.1)."""
    for part in parsed.walk():
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            if isinstance(blocks, list):
                yield from (block for block in blocks if isinstance(block, Message))


def _original_id(parsed: EmailMessage) -> str | None:
    """Return the Message-ID of what came back: the report's third part has it whole, or its headers alone."""
    for part in parsed.walk():
        headers: object = None
        if part.get_content_type() == "message/rfc822":
            enclosed = part.get_payload()
            headers = enclosed[0] if isinstance(enclosed, list) and enclosed else None
        elif part.get_content_type() == "text/rfc822-headers":
            written = part.get_payload(decode=True)
            headers = message_from_bytes(written, policy=policy.default) if isinstance(written, bytes) else None
        if isinstance(headers, Message) and (found := _MESSAGE_ID.search(str(headers.get("Message-ID", "")))):
            return found[0]
    return None


def _reason(recipient: Message) -> str:
    said = str(recipient.get("Diagnostic-Code", "")).partition(";")[2] or str(recipient.get("Status", ""))
    return " ".join(f"came back: {said}".split())[:500]
