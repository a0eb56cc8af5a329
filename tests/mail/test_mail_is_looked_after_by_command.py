"""`idp mail`, the mailbox of development, and what came back."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.database import db
from idp.mail import bounces, delivery, service
from idp.mail.models import BOUNCED, REFUSED, WAITING, OutboxMessage
from idp.operations import pruning
from idp.settings import MAILBOX, PACKAGE, Mail, Settings
from tests.databases import AppBuilder, with_database
from tests.mail.conftest import MailServer
from tests.pages import Browser
from tests.programs import Commands, variables

ADDRESS = "maria.kowalska@example.org"

_NOTIFICATION = """\
From: MAILER-DAEMON@mail.example.org
To: portal@district207.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="b"

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; maria.kowalska@example.org
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 mailbox
    unavailable

--b
Content-Type: {enclosed}

Message-ID: {message_id}
Subject: whatever

--b--
"""


def _message() -> OutboxMessage:
    message = service.send("mail/test", ADDRESS, now=clock.now())
    db.session.commit()
    return message


def _bounce(app: Flask, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "idp", "mail", "bounced"],
        input=text,
        env=variables(app.config["IDP"]),
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.one_database
@pytest.mark.parametrize("enclosed", ["message/rfc822", "text/rfc822-headers"])
def test_what_came_back_is_marked_with_the_reason(app: Flask, mail_server: MailServer, enclosed: str) -> None:
    message_id = _message().message_id
    delivery.deliver_due()

    done = _bounce(
        app, _NOTIFICATION.format(kind="delivery-status", action="failed", enclosed=enclosed, message_id=message_id)
    )

    assert done.returncode == 0, done.stderr
    db.session.expire_all()
    (message,) = db.session.scalars(select(OutboxMessage))
    assert (message.state, message.reply) == (BOUNCED, "came back: 550 5.1.1 mailbox unavailable")


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"action": "delayed"}, "no delivery that has failed"),
        ({"message_id": "<nobody@example.org>"}, "no message of ours"),
        ({"message_id": "x"}, "does not say which message"),
    ],
)
def test_anything_else_that_comes_in_marks_nothing(app: Flask, changed: dict[str, str], said: str) -> None:
    message = _message()
    fields = {"kind": "delivery-status", "action": "failed", "enclosed": "message/rfc822"}

    done = _bounce(app, _NOTIFICATION.format(**fields | {"message_id": message.message_id} | changed))

    assert done.returncode == 0
    assert said in done.stdout + done.stderr
    db.session.expire_all()
    assert db.session.scalars(select(OutboxMessage.state)).all() == [WAITING]


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\x00", b"Subject: hello\n\nhello", b"Content-Type: multipart/report\n\n", b"a" * 2**21]
)
def test_rubbish_is_no_report(raw: bytes) -> None:
    with pytest.raises(bounces.NoReport):
        bounces.read(raw)


def test_a_refused_message_is_listed_and_sent_again(app: Flask, idp: Commands, mail_server: MailServer) -> None:
    message_id = _message().id
    mail_server.answers = ["550 5.7.1 Who are you?"]
    delivery.deliver_due()

    listed = idp("mail", "list", "--state", REFUSED)
    assert f"{message_id}" in listed.stdout
    assert "550 5.7.1 Who are you?" in listed.stdout
    assert idp("mail", "retry", str(message_id)).stdout == "1 to be sent again.\n"

    assert delivery.deliver_due() == 1
    assert len(mail_server.got) == 1
    again = idp("mail", "retry", str(message_id))
    assert again.exit_code == 1
    assert "neither refused nor given up" in again.stderr


def test_the_list_never_shows_what_a_message_says(app: Flask, idp: Commands) -> None:
    _message()

    listed = idp("mail", "list", "--json")

    assert ADDRESS in listed.stdout
    assert "arrives" not in listed.stdout
    assert "sealed" not in listed.stdout


def test_a_test_message_tells_what_the_server_says(app: Flask, idp: Commands, mail_server: MailServer) -> None:
    sent = idp("mail", "test", ADDRESS)

    assert "has taken it: 250 2.0.0 Taken as 4711" in sent.stdout
    assert len(mail_server.got) == 1
    assert db.session.scalars(select(OutboxMessage)).all() == []


def test_a_test_message_tells_what_is_wrong(app: Flask, idp: Commands) -> None:
    refused = idp("mail", "test", ADDRESS)

    assert refused.exit_code == 1
    assert "takes nothing: ConnectionRefusedError" in refused.stderr


def test_what_is_old_and_done_goes(app: Flask, mail_server: MailServer) -> None:
    _message()
    delivery.deliver_due()
    _message()

    assert pruning.prune(clock.now() + timedelta(days=89))["messages"] == 0
    assert pruning.prune(clock.now() + timedelta(days=91))["messages"] == 1
    assert db.session.scalars(select(OutboxMessage.state)).all() == [WAITING]


def _with_mailbox(settings: Settings, build_app: AppBuilder, url: str) -> Flask:
    return build_app(with_database(replace(settings, mail=Mail(host=MAILBOX)), url))


def test_the_mailbox_shows_what_would_have_been_sent(
    settings: Settings, build_app: AppBuilder, database_url: str
) -> None:
    app = _with_mailbox(settings, build_app, database_url)
    with app.app_context():
        _message()
        delivery.deliver_due()
        browser = Browser(app.test_client(), app.config["IDP"].server.issuer)
        kept = browser.send("GET", "/mailbox/messages.json").json
        page = browser.open(f"/mailbox?to={ADDRESS}")

    (message,) = kept
    assert set(message) == {"to", "subject", "text", "html", "sent_at"}
    assert message["to"] == ADDRESS
    assert "arrives" in message["text"]
    assert "Test message from the Parent Portal" in page.words


def test_there_is_no_mailbox_where_mail_is_sent(app: Flask, browser: Browser) -> None:
    for path in ("/mailbox", "/mailbox/messages.json"):
        assert browser.send("GET", path).status == 404
