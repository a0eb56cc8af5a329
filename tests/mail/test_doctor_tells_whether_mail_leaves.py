"""`idp doctor` finds out whether mail would leave, without sending any."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from flask import Flask
from sqlalchemy import update

from idp import clock
from idp.database import db
from idp.mail import service
from idp.mail.models import REFUSED, OutboxMessage
from idp.operations import doctor, doctor_mail
from idp.operations.finding import NOTE, OK, PROBLEM
from idp.settings import MAILBOX, PRODUCTION, UNENCRYPTED
from tests.mail.conftest import MailServer


def _change(app: Flask, **values: Any) -> None:
    current = app.config["IDP"]
    server = replace(current.server, issuer="https://login.district207.example")
    app.config["IDP"] = replace(current, server=server, mail=replace(current.mail, **values))


@pytest.fixture(autouse=True)
def _issuer_is_the_senders(app: Flask) -> None:
    _change(app)


def test_a_server_that_takes_mail_is_in_order_and_has_none_after_it(app: Flask, mail_server: MailServer) -> None:
    (found,) = doctor_mail.server()

    assert (found.level, found.subject) == (OK, "mail")
    assert f"localhost:{mail_server.port} takes mail from portal@district207.example" in found.text
    assert mail_server.got == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"password": "a-wrong-one"}, "535"),
        ({"security": UNENCRYPTED, "username": ""}, "530"),
        ({"security": "tls"}, "WRONG_VERSION_NUMBER"),
        ({"host": "127.0.0.2"}, "Refused"),
    ],
)
def test_what_keeps_mail_from_leaving_is_a_problem_with_the_servers_words(
    app: Flask, mail_server: MailServer, values: dict[str, str], said: str
) -> None:
    _change(app, **values)

    (found,) = [one for one in doctor_mail.server() if one.level != NOTE]

    assert (found.level, found.subject) == (PROBLEM, "mail")
    assert said in found.text
    assert "[mail]" in found.text
    assert "a-wrong-one" not in found.text


def test_a_server_that_is_away_is_a_problem(app: Flask) -> None:
    (found,) = doctor_mail.server()

    assert found.level == PROBLEM
    assert "ConnectionRefusedError" in found.text


def test_a_server_that_refuses_the_sender_is_a_problem(app: Flask, mail_server: MailServer) -> None:
    async def handle_MAIL(_server: SMTP, _session: Any, _envelope: Any, _address: str, _options: Any) -> str:  # noqa: N802  aiosmtpd's name
        return "553 5.7.1 You are not portal"

    mail_server.handle_MAIL = handle_MAIL  # type: ignore[attr-defined]  # aiosmtpd looks for it by name

    (found,) = doctor_mail.server()

    assert found.level == PROBLEM
    assert "takes nothing from portal@district207.example: 553 5.7.1 You are not portal" in found.text


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sender": "portal@mailer.example.com"}, "mail from mailer.example.com leads families to login.district207"),
        ({"security": UNENCRYPTED, "host": "mail.invalid", "username": ""}, "can read the links in mail"),
        ({"host": MAILBOX}, "mail goes to nobody"),
        ({"host": ""}, "no mail server is set"),
    ],
)
def test_what_is_unwise_is_noted(app: Flask, mail_server: MailServer, values: dict[str, str], said: str) -> None:
    _change(app, **values)

    (found,) = [one for one in doctor_mail.server() if one.level == NOTE]

    assert said in found.text


@pytest.mark.one_database
def test_production_without_a_mail_server_is_a_problem(app: Flask) -> None:
    _change(app, host="")
    app.config["IDP"] = replace(app.config["IDP"], environment=PRODUCTION)

    assert [found.level for found in doctor_mail.server()] == [PROBLEM]


def test_messages_that_have_not_left_are_told(
    app: Flask, travel: Callable[[timedelta], AbstractContextManager[None]]
) -> None:
    for _ in range(2):
        service.send("mail/test", "parent@example.org", now=clock.now())
    db.session.commit()
    assert list(doctor_mail.outbox(clock.now())) == []

    with travel(timedelta(minutes=16)):
        (waiting,) = doctor_mail.outbox(clock.now())
        refused = {"state": REFUSED, "due_at": None, "settled_at": clock.now()}
        db.session.execute(update(OutboxMessage).values(**refused))
        db.session.commit()
        (lost,) = doctor_mail.outbox(clock.now())
        assert lost in doctor.examine(clock.now())
    with travel(timedelta(days=2)):
        assert list(doctor_mail.outbox(clock.now())) == []

    assert (waiting.level, lost.level) == (PROBLEM, NOTE)
    assert "2 messages wait for over 15 minutes" in waiting.text
    assert "2 messages of the last day were refused or given up" in lost.text
