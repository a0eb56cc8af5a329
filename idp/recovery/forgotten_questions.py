"""What somebody has forgotten, sealed from the request that asks to the worker that answers. Nothing here commits."""

import json
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from idp import batches, sealing
from idp.database import db
from idp.ids import new_id
from idp.recovery.models import ForgottenQuestion

PASSWORD, USERNAME, TEMPORARY_PASSWORD = "password", "username", "temporary_password"
ROBOT_CODE = "robot_code"
"""What is asked for: a link to a new password, the usernames of an address, a temporary password that has run out;
and a code in place of the pictures of "I'm not a robot"."""

_PURPOSE = "forgotten-question"
_LONGEST_TYPED = 400
_KEPT = timedelta(days=1)
"""After a day without a worker an answer would surprise people more than it would help them."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, by whom as far as the request tells, and how its answer leads on."""

    kind: str
    typed: str = field(repr=False)
    """What was typed, or, for a temporary password, what names the account."""
    language: str
    address: str
    """The network address that asked, for the record of the account."""
    request_id: str
    way_on: str = field(default="", repr=False)
    code: str = field(default_factory=lambda: f"{secrets.randbelow(10**8):08}", repr=False)
    """The code that is mailed beside the link: it is made here, so that a wrong one is found out without a look-up."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A question that this worker answers; its row is gone once what answers it is committed."""

    id: uuid.UUID
    question: Question | None
    """None when its key is gone: nobody can answer it any more."""


def put(question: Question, now: datetime) -> uuid.UUID:
    """Write a question down, and return its id."""
    whole = asdict(question) | {"typed": question.typed[:_LONGEST_TYPED]}
    row = ForgottenQuestion(
        id=new_id(), sealed_content=sealing.seal(_PURPOSE, json.dumps(whole).encode()), created_at=now
    )
    db.session.add(row)
    return row.id


def is_waiting() -> bool:
    """Tell whether there is anything to answer: it takes no lock, so that a worker that finds nothing costs nothing."""
    return db.session.scalar(select(ForgottenQuestion.id).limit(1)) is not None


def take() -> Taken | None:
    """Take the oldest question for the transaction at hand; another worker passes over it, and gets the next one."""
    oldest = (
        select(ForgottenQuestion.id)
        .order_by(ForgottenQuestion.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = db.session.execute(
        delete(ForgottenQuestion)
        .where(ForgottenQuestion.id == oldest)
        .returning(ForgottenQuestion.id, ForgottenQuestion.sealed_content)
        .execution_options(synchronize_session=False)
    ).first()
    return None if taken is None else Taken(taken.id, _opened(taken.sealed_content))


def drop(question_id: uuid.UUID) -> None:
    """Give a question up that can't be answered."""
    db.session.execute(delete(ForgottenQuestion).where(ForgottenQuestion.id == question_id))


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete what no worker has answered for a day, up to limit at once; yield how many went."""
    yield from batches.delete_older(ForgottenQuestion.id, ForgottenQuestion.created_at, now - _KEPT, limit)


def _opened(sealed: str) -> Question | None:
    try:
        return Question(**json.loads(sealing.open_sealed(_PURPOSE, sealed)))
    except (sealing.CannotOpen, TypeError):  # another version's, beside which this one runs during an upgrade
        return None
