"""`idp mail`: what was sent, what became of it, and what to do about it."""

import sys
import uuid
from datetime import datetime

import click
from sqlalchemy import select, update

from idp import clock, settings
from idp.command_line import print_json, refuse, with_application
from idp.database import db
from idp.mail import bounces, service
from idp.mail.models import ACCEPTED, BOUNCED, GIVEN_UP, REFUSED, WAITING, OutboxMessage
from idp.mail.smtp import Accepted, Connection, Unreachable

_STATES = (WAITING, ACCEPTED, REFUSED, GIVEN_UP, BOUNCED)


@click.group()
def mail() -> None:
    """Look after the mail that goes out.

    \b
    Example:  idp mail list --state refused
    """


@mail.command("list")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--to", "recipient", help="Only those to this address.")
@click.option("--most", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print what a program reads.")
@with_application
def list_(state: str | None, recipient: str | None, most: int, *, as_json: bool) -> None:
    """List messages and what the mail server said; never what they say.

    \b
    Example:  idp mail list --to parent@example.org
    """
    chosen = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(most)
    if state:
        chosen = chosen.where(OutboxMessage.state == state)
    if recipient:
        chosen = chosen.where(OutboxMessage.recipient == recipient)
    found = db.session.scalars(chosen).all()
    if as_json:
        print_json([_shown(message) for message in found])
        return
    for message in found:
        reply = f"  {message.reply}" if message.reply else ""
        click.echo(f"{message.id}  {_moment(message.created_at)}  {message.state:<8}  {message.recipient}{reply}")
    if not found:
        click.echo("There is no such message.", err=True)


@mail.command()
@click.argument("message", type=click.UUID, required=False)
@click.option("--all", "every", is_flag=True, help="Every message that was refused or given up.")
@with_application
def retry(message: uuid.UUID | None, *, every: bool) -> None:
    """Send again what was refused or given up, once its reason is mended.

    \b
    Example:  idp mail retry --all
    """
    if every == (message is not None):
        refuse("name one message, or say --all; `idp mail list` shows them.")
    again = update(OutboxMessage).where(
        OutboxMessage.state.in_([REFUSED, GIVEN_UP]), OutboxMessage.sealed_content.is_not(None)
    )
    if message:
        again = again.where(OutboxMessage.id == message)
    values = {"state": WAITING, "due_at": clock.now(), "attempts": 0, "settled_at": None}
    count = len(db.session.execute(again.values(**values).returning(OutboxMessage.id)).all())
    db.session.commit()
    if message and not count:
        refuse("this message is unknown, or was neither refused nor given up; `idp mail list` shows all.")
    click.echo(f"{count} to be sent again.")


@mail.command()
@click.argument("address")
@with_application
def test(address: str) -> None:
    """Send a test message to ADDRESS at once, past the outbox, and print what the mail server says.

    \b
    Example:  idp mail test you@example.org
    """
    wanted = settings.current().mail
    if not wanted.is_server:
        refuse("no mail server is set; see [mail] in config/README.md.")
    try:
        message = service.send("mail/test", address, now=clock.now())
    except ValueError as error:
        refuse(f"{error}: {address!r}.")
    content = service.opened(message)
    db.session.rollback()
    if content is None:
        raise AssertionError("a message that was just written has its content")
    try:
        with Connection() as connection:
            outcome = connection.deliver(message, content)
    except Unreachable as error:
        refuse(f"{wanted.host}:{wanted.port} takes nothing: {error}")
    if not isinstance(outcome, Accepted):
        refuse(f"{wanted.host}:{wanted.port} refuses it: {outcome.reply}")
    click.echo(f"{wanted.host}:{wanted.port} has taken it: {outcome.reply}")


@mail.command()
@with_application
def bounced() -> None:
    """Read a notification of failed delivery (RFC 3464) from standard input, and mark the message it is about.

    For a mail server's alias that pipes what comes back to it; always ends with 0 for a message it could read, so that
    the mail server does not send a notification about the notification.

    \b
    Example:  idp mail bounced < notification.eml
    """
    try:
        report = bounces.read(sys.stdin.buffer.read(bounces.LARGEST + 1))
    except bounces.NoReport as error:
        click.echo(f"Nothing was marked: {error}.", err=True)
        return
    marked = bounces.mark(report)
    db.session.commit()
    click.echo("Nothing was marked: it is about no message of ours." if marked is None else f"{marked.id} came back.")


def _shown(message: OutboxMessage) -> dict[str, object]:
    names = ("id", "kind", "recipient", "language", "subject", "state", "reply", "attempts", "message_id")
    moments = ("created_at", "due_at", "settled_at", "useful_until")
    return {name: getattr(message, name) for name in names} | {
        name: _moment(getattr(message, name)) for name in moments
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
