"""What gets into the outbox, and what a message looks like when it arrives."""

import json
import re

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.database import db
from idp.mail import composing, delivery, service
from idp.mail.models import ACCEPTED, WAITING, OutboxMessage
from tests.mail.conftest import MailServer

ADDRESS = "maria.kowalska@example.org"


def _send(recipient: str = ADDRESS) -> OutboxMessage:
    message = service.send("mail/test", recipient, now=clock.now())
    db.session.commit()
    return message


def test_a_message_is_part_of_what_it_tells(app: Flask) -> None:
    service.send("mail/test", ADDRESS, now=clock.now())
    db.session.rollback()

    assert db.session.scalars(select(OutboxMessage)).all() == []


def test_it_arrives_once_with_two_parts_and_the_headers_of_a_machine(app: Flask, mail_server: MailServer) -> None:
    message = _send()

    assert delivery.deliver_due() == 1
    assert delivery.deliver_due() == 0

    (got,) = mail_server.got
    assert mail_server.recipients == [[ADDRESS]]
    assert mail_server.senders == ["portal@district207.example"]
    assert got["Message-ID"] == message.message_id
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["From"] == "Parent Portal <portal@district207.example>"
    assert got["Reply-To"] == app.config["IDP"].district.support_email
    assert got["Date"].datetime.timestamp() == pytest.approx(message.created_at.timestamp(), abs=1)
    assert got["Subject"] == "Test message from the Parent Portal"
    assert got.get_body(("plain",)) is not None
    assert got.get_body(("html",)) is not None


def test_the_server_s_words_are_kept_and_the_message_s_are_gone(app: Flask, mail_server: MailServer) -> None:
    message = _send()
    assert message.state == WAITING
    assert message.sealed_content
    assert ADDRESS not in message.sealed_content
    assert "arrives" not in message.sealed_content

    delivery.deliver_due()

    (message,) = db.session.scalars(select(OutboxMessage))
    assert (message.state, message.reply) == (ACCEPTED, "250 2.0.0 Taken as 4711")
    assert message.sealed_content is None
    assert message.due_at is None


def test_an_address_stands_unbroken_in_the_plain_part(app: Flask, mail_server: MailServer) -> None:
    link = f"https://login.district207.example/verify-email?token={'a' * 300}"
    message = service.send("mail/test", ADDRESS, now=clock.now())
    content = composing.Content("A link", f"Follow this:\n\n{link}\n", f'<a href="{link}">{link}</a>')
    message.sealed_content = service.seal(content)
    db.session.commit()

    delivery.deliver_due()

    part = mail_server.got[0].get_body(("plain",))
    assert part is not None
    assert link in part.get_content().splitlines()
    assert part["Content-Transfer-Encoding"] in {"7bit", "8bit"}, "a reader of the bare text sees it whole, too"


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@b@c",
        "a@example.org,evil@example.org",
        "a@example.org evil@example.org",
        "a@example.org\r\nBcc: evil@example.org",
        "a@example.org\nBcc: evil@example.org",
        "<a@example.org>",
        '"a b"@example.org',
        f"{'a' * 250}@example.org",
    ],
)
def test_what_is_no_single_address_is_refused(app: Flask, recipient: str) -> None:
    """Whatever a form lets through, no row of the outbox goes to two people."""
    with pytest.raises(ValueError, match="no single address"):
        service.send("mail/test", recipient, now=clock.now())


def test_in6_no_value_begins_a_header(app: Flask, mail_server: MailServer) -> None:
    """IN6: a name that ends the subject's line is a part of the subject."""
    message = service.send("mail/test", ADDRESS, now=clock.now())
    message.sealed_content = service.seal(
        composing.Content(composing.one_line("Dear A\r\nBcc: evil@example.org\u2028\x85X: y"), "text", "text")
    )
    db.session.commit()

    delivery.deliver_due()

    (got,) = mail_server.got
    assert got["Bcc"] is None
    assert got["X"] is None
    assert got["Subject"] == "Dear A Bcc: evil@example.org X: y"
    assert mail_server.recipients == [[ADDRESS]]


def test_what_a_message_says_shows_in_no_repr(app: Flask) -> None:
    content = composing.compose("mail/test", "en", {})

    assert "arrives" in content.text
    assert "arrives" not in repr(content)
    assert "arrives" not in json.dumps(repr(service.send("mail/test", ADDRESS, now=clock.now())))


def test_the_plain_part_has_no_marks_of_html(app: Flask) -> None:
    content = composing.compose("mail/test", "en", {})

    assert not re.search(r"<[a-z]|&[a-z]+;|\n\n\n", content.text)
    assert content.text.endswith(f"{app.config['IDP'].server.issuer}\n")
    assert content.html.startswith("<!doctype html>")
