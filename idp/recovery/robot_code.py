"""A mailed code in place of the pictures of "I'm not a robot": asked for unread, and good for one check."""

import hmac
import json
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from idp import sealing, settings
from idp.captcha import vouching
from idp.captcha.vouching import Vouched
from idp.database import db
from idp.ids import new_id
from idp.recovery import forgotten_questions, tokens
from idp.recovery.forgotten_questions import ROBOT_CODE, Question
from idp.throttle import service as throttle
from idp.throttle.rules import ROBOT_CODE_TRIES, ROBOT_CODE_USED, ROBOT_CODES_NETWORK, Wait
from idp.web import context, metrics

_PURPOSE = "robot-code"
_KIND = "code"
"""What the metrics call it."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The code was wrong, late or used, or there was never one: nobody is told which."""


@dataclass(frozen=True, slots=True)
class _Handle:
    """What the answer's page carries; nobody but us can read it."""

    id: str
    code: str = field(repr=False)
    browser: str
    purpose: str
    until: int


def ask(purpose: str, username: str, language: str, *, browser: str, now: datetime) -> str:
    """Write down who wants a code, and return the handle by which the page takes it. Commits.

    Whoever is named, the same is done and in the same time: the worker looks up to whom a mail may go. A network that
    has asked too often gets a handle, too, and no mail.
    """
    came_from = context.origin()
    question = Question(ROBOT_CODE, username, language, came_from.address or "", came_from.request_id or "")
    reserved = throttle.reserve(ROBOT_CODES_NETWORK, context.network(), now)
    question_id = new_id() if isinstance(reserved, Wait) else forgotten_questions.put(question, now)
    db.session.commit()
    metrics.count_robot_check(_KIND, "begun")
    until = now + timedelta(minutes=settings.current().recovery.code_minutes)
    handle = _Handle(question_id.hex, question.code, _digest(browser), purpose, int(until.timestamp()))
    return sealing.seal(_PURPOSE, json.dumps(asdict(handle)).encode())


def check(handle: str, typed: str, *, browser: str, now: datetime) -> Vouched | Wrong | Wait:
    """Take a typed code, once, in the browser that asked: it passes a robot check. Commits.

    It is compared with what is in the handle, and tries are counted by it, so that a username that nobody has takes as
    long as any other, and as many tries.
    """
    opened = _opened(handle, browser, now)
    if opened is None:
        return Wrong()
    subject = str(uuid.UUID(opened.id))
    reserved = throttle.reserve(ROBOT_CODE_TRIES, subject, now)
    db.session.commit()
    if isinstance(reserved, Wait):
        return reserved
    if not hmac.compare_digest(tokens.plain_code(typed), opened.code.encode()):
        metrics.count_robot_check(_KIND, "failed")
        return Wrong()
    if isinstance(throttle.reserve(ROBOT_CODE_USED, subject, now), Wait):
        return Wrong()
    vouched = vouching.vouch(opened.purpose, browser=browser, now=now)
    db.session.commit()
    metrics.count_robot_check(_KIND, "passed")
    return vouched


def _opened(handle: str, browser: str, now: datetime) -> _Handle | None:
    try:
        opened = _Handle(**json.loads(sealing.open_sealed(_PURPOSE, handle)))
    except sealing.CannotOpen:
        return None
    return opened if opened.browser == _digest(browser) and opened.until > now.timestamp() else None


def _digest(browser: str) -> str:
    return sealing.digest(browser).hex()
