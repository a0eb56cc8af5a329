"""What is said of mail when something dies: the mail server, a worker, one of two workers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from idp import clock
from idp.database import db
from idp.mail import delivery, service
from idp.mail.models import ACCEPTED, GIVEN_UP, TOO_LATE, WAITING, OutboxMessage
from idp.mail.smtp import Unreachable
from idp.settings import PACKAGE
from tests.mail.conftest import MailServer
from tests.programs import variables

Travel = Callable[[timedelta], AbstractContextManager[None]]


def _queue(how_many: int, name: str = "parent") -> list[list[str]]:
    addresses = [f"{name}{number}@example.org" for number in range(how_many)]
    for address in addresses:
        service.send("mail/test", address, now=clock.now())
    db.session.commit()
    return [[address] for address in addresses]


def _states() -> list[tuple[str, int]]:
    db.session.expire_all()
    return [(row.state, row.attempts) for row in db.session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]


def test_a_server_that_is_away_for_an_hour_has_every_message_once_when_it_is_back(
    app: Flask, start_mail_server: Callable[[int], MailServer], mail_port: int, travel: Travel
) -> None:
    before = start_mail_server(mail_port)
    addresses = _queue(20)
    assert delivery.deliver_due(most=8) == 8
    before.stop()

    for minutes in (0, 1, 5, 15, 30, 59):
        with travel(timedelta(minutes=minutes)), pytest.raises(Unreachable):
            delivery.deliver_due()
    with travel(timedelta(minutes=30)):
        addresses += _queue(5, "while.it.was.away")
    after = start_mail_server(mail_port)
    with travel(timedelta(hours=1)):
        assert delivery.deliver_due() == 17

    assert sorted(before.recipients + after.recipients) == sorted(addresses)
    assert _states() == [(ACCEPTED, 1)] * 25
    names = [str(got["Message-ID"]) for got in before.got + after.got]
    assert len(set(names)) == 25


def _worker(app: Flask, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a real worker; whom it trusts is in the environment by now."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    return subprocess.Popen(
        [sys.executable, "-m", "idp", "worker", *arguments],
        env=kept | variables(app.config["IDP"]),
        cwd=PACKAGE.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_worker_that_is_killed_between_the_answer_and_its_commit_costs_one_copy_at_most(
    app: Flask, mail_server: MailServer, travel: Travel
) -> None:
    """The second copy has the first one's Message-ID, and nothing else is sent twice."""
    addresses = _queue(5)
    engine, held, taken = db.engine, list[object](), threading.Event()

    def hold_the_outbox() -> None:
        """Let nobody write into the outbox: a worker hears the answer, and can't write down what became of it."""
        if not held:
            connection = engine.connect()
            held.append(connection)
            connection.execute(update(OutboxMessage).values(kind=OutboxMessage.kind))
            taken.set()

    mail_server.before_answer = hold_the_outbox
    with _worker(app) as worker:
        assert taken.wait(60)
        time.sleep(0.5)  # the answer is on its way, and the worker waits for its turn to write
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(20) == -signal.SIGKILL
    held[0].close()  # type: ignore[attr-defined]  # the connection, which is rolled back

    assert _states().count((WAITING, 1)) == 1, "it waits for its lease to run out"
    assert delivery.deliver_due() == 4
    with travel(timedelta(minutes=11)):
        assert delivery.deliver_due() == 1

    twice = mail_server.recipients[0]
    assert sorted(mail_server.recipients) == sorted([*addresses, twice])
    same = {str(got["Message-ID"]) for got in mail_server.got if got["To"] == twice[0]}
    assert len(same) == 1
    assert {state for state, _ in _states()} == {ACCEPTED}


def test_two_workers_send_no_message_twice(app: Flask, mail_server: MailServer) -> None:
    addresses = _queue(60)

    workers = [_worker(app, "--once") for _ in range(2)]

    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert sorted(mail_server.recipients) == sorted(addresses)
    assert _states() == [(ACCEPTED, 1)] * 60


def test_a_worker_that_is_told_to_stop_hands_over_the_message_under_way_and_begins_no_other(
    app: Flask, mail_server: MailServer
) -> None:
    addresses = _queue(30)
    worker = _worker(app)
    arrived = threading.Event()

    def stop() -> None:
        if not arrived.is_set():
            arrived.set()
            worker.send_signal(signal.SIGTERM)
            time.sleep(0.5)

    mail_server.before_answer = stop
    assert arrived.wait(60)
    assert worker.wait(20) == 0

    first = len(mail_server.got)
    assert first < 30
    assert _states().count((ACCEPTED, 1)) == first
    assert delivery.deliver_due() == 30 - first
    assert sorted(mail_server.recipients) == sorted(addresses)


def test_a_message_whose_link_ran_out_while_the_server_was_away_is_not_sent(
    app: Flask, start_mail_server: Callable[[int], MailServer], mail_port: int, travel: Travel
) -> None:
    now = clock.now()
    for address, until in (("late@example.org", 30), ("early@example.org", 90)):
        service.send("mail/test", address, now=now, useful_until=now + timedelta(minutes=until))
    db.session.commit()
    with travel(timedelta(minutes=29)), pytest.raises(Unreachable):
        delivery.deliver_due()
    server = start_mail_server(mail_port)

    with travel(timedelta(hours=1)):
        assert delivery.deliver_due() == 2

    assert server.recipients == [["early@example.org"]]
    chosen = select(OutboxMessage).where(OutboxMessage.recipient == "late@example.org")
    late = db.session.scalars(chosen.execution_options(populate_existing=True)).one()
    assert (late.state, late.reply, late.due_at) == (GIVEN_UP, TOO_LATE, None)
    assert late.sealed_content is None, "so that it is not sent by `idp mail retry --all`, either"
