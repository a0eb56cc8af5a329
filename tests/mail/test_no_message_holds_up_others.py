"""An address that no server can be told, whoever has typed it, costs other people's mail nothing."""

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.database import db
from idp.mail import delivery, service
from idp.mail.models import ACCEPTED, REFUSED, WAITING, OutboxMessage
from tests.mail.conftest import MailServer

LONG = "ewa@" + "\u00e4" * 70 + ".example"


def _deliver_to(*addresses: str) -> list[str]:
    for address in addresses:
        service.send("mail/test", address, now=clock.now())
    db.session.commit()
    delivery.deliver_due()
    states = {message.recipient: message.state for message in db.session.scalars(select(OutboxMessage))}
    return [states[address] for address in addresses]


@pytest.mark.parametrize(
    "odd",
    ["\u017c\u00f3\u0142w@example.org", LONG, "ewa@\u200d.example", "ewa@\u00df..example"],
    ids=["letters before the at sign", "a label too long", "nothing to see", "an empty label"],
)
def test_an_address_that_no_server_can_be_told_is_refused_and_the_next_mail_leaves(
    app: Flask, mail_server: MailServer, odd: str
) -> None:
    assert _deliver_to(odd, "ewa@example.org") == [REFUSED, ACCEPTED]
    assert mail_server.recipients == [["ewa@example.org"]]


def test_a_domain_with_a_sharp_s_is_its_own_and_not_the_one_with_two_s(app: Flask, mail_server: MailServer) -> None:
    assert _deliver_to("ewa@fa\u00df.example") == [ACCEPTED]
    assert mail_server.recipients == [["ewa@xn--fa-hia.example"]]


def test_what_nobody_has_foreseen_of_one_message_holds_up_no_other(app: Flask, mail_server: MailServer) -> None:
    """A subject that no header can hold is put off; nothing makes one, but a row may be anything."""
    service.send("mail/test", "ewa@example.org", now=clock.now())
    db.session.flush()
    row = db.session.scalars(select(OutboxMessage)).one()
    content = service.opened(row)
    assert content is not None
    row.sealed_content = service.seal(type(content)("Hello\r\nBcc: x@example.org", content.text, content.html))

    assert _deliver_to("zosia@example.org") == [ACCEPTED]
    assert db.session.get_one(OutboxMessage, row.id, populate_existing=True).state == WAITING
