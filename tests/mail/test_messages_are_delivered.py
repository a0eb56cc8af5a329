"""Delivery: each message once, whatever the server says and however many workers there are."""

import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp import clock
from idp.database import db
from idp.mail import composing, delivery, service
from idp.mail.models import ACCEPTED, GIVEN_UP, REFUSED, WAITING, OutboxMessage
from idp.mail.smtp import Unreachable
from idp.settings import Settings
from tests.mail.conftest import MailServer

Travel = Callable[[timedelta], AbstractContextManager[None]]


def _queue(how_many: int) -> list[str]:
    addresses = [f"parent{number}@example.org" for number in range(how_many)]
    for address in addresses:
        service.send("mail/test", address, now=clock.now())
    db.session.commit()
    return addresses


def _states() -> list[tuple[str, int]]:
    db.session.expire_all()
    return [(row.state, row.attempts) for row in db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]


def test_not_now_is_tried_again_later(app: Flask, mail_server: MailServer, travel: Travel) -> None:
    _queue(1)
    mail_server.answers = ["451 4.7.1 Come back later", "452 4.2.2 Mailbox full"]

    delivery.deliver_due()
    assert _states() == [(WAITING, 1)]
    assert delivery.deliver_due() == 0, "it is left alone for a minute"
    with travel(timedelta(minutes=2)):
        delivery.deliver_due()
    assert _states() == [(WAITING, 2)]
    with travel(timedelta(minutes=30)):
        delivery.deliver_due()

    assert _states() == [(ACCEPTED, 3)]
    assert len(mail_server.got) == 1


def test_no_is_not_asked_again(app: Flask, mail_server: MailServer, travel: Travel) -> None:
    _queue(1)
    mail_server.answers = ["550 5.1.1 No such user here"]

    delivery.deliver_due()
    with travel(timedelta(days=2)):
        assert delivery.deliver_due() == 0

    (message,) = db.session.scalars(select(OutboxMessage))
    assert (message.state, message.reply) == (REFUSED, "550 5.1.1 No such user here")
    assert message.sealed_content, "an operator may send it again"


def test_not_now_for_three_days_is_given_up(app: Flask, mail_server: MailServer, travel: Travel) -> None:
    _queue(1)
    with travel(timedelta(hours=73)):
        mail_server.answers = ["451 4.3.0 Still not"]
        delivery.deliver_due()

    assert _states() == [(GIVEN_UP, 1)]


def test_one_that_is_refused_holds_up_no_other(app: Flask, mail_server: MailServer) -> None:
    addresses = _queue(3)
    mail_server.answers = ["550 5.1.1 No such user here"]

    delivery.deliver_due()

    refused = db.session.scalars(select(OutboxMessage.recipient).where(OutboxMessage.state == REFUSED)).all()
    taken = [recipient for (recipient,) in mail_server.recipients]
    assert sorted(state for state, _ in _states()) == [ACCEPTED, ACCEPTED, REFUSED]
    assert sorted([*refused, *taken]) == addresses, "written in one millisecond, they go in any order"


def test_a_server_that_is_away_for_a_day_costs_no_message(
    app: Flask, start_mail_server: Callable[[int], MailServer], mail_port: int, travel: Travel
) -> None:
    addresses = _queue(20)

    for hours in range(0, 96, 12):
        with travel(timedelta(hours=hours)), pytest.raises(Unreachable):
            delivery.deliver_due()
    assert _states() == [(WAITING, 0)] * 20

    server = start_mail_server(mail_port)
    with travel(timedelta(hours=97)):
        assert delivery.deliver_due() == 20
    assert server.recipients == [[address] for address in addresses]


def test_a_server_that_wants_another_log_in_is_away(
    settings: Settings, app: Flask, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _queue(1)
    object.__setattr__(app.config["IDP"].mail, "password", "wrong")

    with pytest.raises(Unreachable, match="535"):
        delivery.deliver_due()

    assert _states() == [(WAITING, 0)]


def test_a_server_without_the_right_certificate_is_told_nothing(
    app: Flask, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _queue(1)
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        delivery.deliver_due()

    assert mail_server.got == []


def test_a_server_that_says_nothing_is_not_waited_for(app: Flask, mail_port: int) -> None:
    _queue(1)
    object.__setattr__(app.config["IDP"].mail, "timeout_seconds", 1)
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(("127.0.0.1", mail_port))
        silent.listen()
        with pytest.raises(Unreachable, match="timed out"):
            delivery.deliver_due()


def test_many_workers_send_no_message_twice(app: Flask, mail_server: MailServer) -> None:
    addresses = _queue(60)

    def work() -> None:
        with app.app_context():
            while delivery.deliver_due(most=5):
                pass

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(mail_server.recipients) == sorted([address] for address in addresses)
    assert _states() == [(ACCEPTED, 1)] * 60


def test_a_worker_that_died_before_its_commit_costs_one_more_copy_under_the_same_name(
    app: Flask, mail_server: MailServer, travel: Travel
) -> None:
    _queue(1)
    delivery.deliver_due()
    (message,) = db.session.scalars(select(OutboxMessage))
    # What a worker leaves that was killed after the server's answer: its lease, and a message that waits.
    killed = {"state": WAITING, "due_at": clock.now(), "lease_until": clock.now() + timedelta(minutes=10)}
    content = composing.compose("mail/test", "en", {})
    db.session.execute(update(OutboxMessage).values(**killed, sealed_content=service.seal(content)))
    db.session.commit()

    assert delivery.deliver_due() == 0, "its lease is respected"
    with travel(timedelta(minutes=11)):
        assert delivery.deliver_due() == 1

    assert [got["Message-ID"] for got in mail_server.got] == [message.message_id] * 2


def test_nothing_is_sent_while_no_server_is_set(settings: Settings, app: Flask) -> None:
    object.__setattr__(app.config["IDP"].mail, "host", "")
    _queue(1)

    assert delivery.deliver_due() == 0
    assert _states() == [(WAITING, 0)]
