"""The mailbox: what would have been mailed, on machines that mail to nobody."""

from typing import Any

from flask import Blueprint, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from idp import sealing, settings
from idp.database import db
from idp.mail import service
from idp.mail.models import ACCEPTED, OutboxMessage

blueprint = Blueprint("mail", __name__, url_prefix="/mailbox")

_MOST = 200


@blueprint.before_request
def admit() -> None:
    """Be there under development settings only, and only while mail goes nowhere else."""
    current = settings.current()
    if not current.is_development or not current.mail.is_mailbox:
        abort(404)


@blueprint.get("")
def show() -> ResponseReturnValue:
    """Show the newest messages to a person."""
    return render_template("mail/mailbox.html", messages=_kept(), recipient=request.args.get("to", ""))


@blueprint.get("/messages.json")
def messages() -> ResponseReturnValue:
    """Give the newest messages to a program; `?to=` names one address."""
    return jsonify(_kept())


def _kept() -> list[dict[str, Any]]:
    chosen = select(OutboxMessage).where(OutboxMessage.state == ACCEPTED).order_by(OutboxMessage.id.desc()).limit(_MOST)
    if recipient := request.args.get("to"):
        chosen = chosen.where(OutboxMessage.recipient == recipient)
    return [shown for message in db.session.scalars(chosen) if (shown := _shown(message))]


def _shown(message: OutboxMessage) -> dict[str, Any] | None:
    try:
        content = service.opened(message)
    except sealing.CannotOpen:
        return None
    if content is None or message.settled_at is None:
        return None
    return {
        "to": message.recipient,
        "subject": content.subject,
        "text": content.text,
        "html": content.html,
        "sent_at": message.settled_at.isoformat(timespec="seconds"),
    }
