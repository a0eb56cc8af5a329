"""Forgot Password? and Forgot Username?: a question is written down unread, and a code typed beside the answer."""

import hmac
import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from idp import sealing
from idp.database import db
from idp.ids import new_id
from idp.recovery import forgotten_questions, reset, tokens
from idp.recovery.forgotten_questions import Question
from idp.recovery.models import RESET
from idp.throttle import service as throttle
from idp.throttle.rules import FORGOTTEN_CODE, FORGOTTEN_NETWORK, Wait
from idp.web import context, cookies

_PURPOSE = "forgotten-handle"


@dataclass(frozen=True, slots=True)
class Right:
    """The code was right; this link's token is worth what the mail's was."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wrong:
    """The code was wrong, late or used, or there was never one: nobody is told which."""


def ask(kind: str, typed: str, language: str, now: datetime, way_on: str = "") -> str:
    """Write down what was forgotten, and return the handle by which its answer's page takes the mail's code. Commits.

    Whatever was typed, the same is done and in the same time: nobody is looked up here (PR3). A network that has asked
    too often gets a handle, too, and no mail.
    """
    came_from = context.origin()
    question = Question(kind, typed, language, came_from.address or "", came_from.request_id or "", way_on)
    reserved = throttle.reserve(FORGOTTEN_NETWORK, context.network(), now)
    question_id = new_id() if isinstance(reserved, Wait) else forgotten_questions.put(question, now)
    db.session.commit()
    content = {"id": question_id.hex, "code": question.code, "browser": _browser()}
    return sealing.seal(_PURPOSE, json.dumps(content).encode())


def check_code(handle: str, typed: str, now: datetime) -> Right | Wrong | Wait:
    """Look at a code that was typed on the answer's page, in the browser that asked. Commits.

    What is compared is in the handle, and tries are counted by it, so that a question that nobody was answered to takes
    as long as any other, and as many tries.
    """
    opened = _opened(handle)
    if opened is None:
        return Wrong()
    question_id, code = opened
    reserved = throttle.reserve(FORGOTTEN_CODE, str(question_id), now)
    db.session.commit()
    if isinstance(reserved, Wait):
        return reserved
    if not hmac.compare_digest(tokens.plain_code(typed), code.encode()):
        return Wrong()
    live = tokens.spend_code(question_id, RESET, typed, now)
    if live is None or reset.opened(live) is None:
        db.session.rollback()
        return Wrong()
    # The code has used its link up; a new one, which no mail holds, leads to the page where the password is chosen.
    issued = tokens.issue(RESET, live.account_id, live.address, now, live.continuation)
    db.session.commit()
    return Right(issued.token)


def _opened(handle: str) -> tuple[uuid.UUID, str] | None:
    try:
        content = json.loads(sealing.open_sealed(_PURPOSE, handle))
    except sealing.CannotOpen:
        return None
    return (uuid.UUID(content["id"]), content["code"]) if content["browser"] == _browser() else None


def _browser() -> str:
    return sealing.digest(cookies.browser_token()).hex()
