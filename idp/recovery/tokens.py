"""Links and codes in mail: issued, looked at, and spent once. Nothing here commits but the count of a code's tries."""

import hmac
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update

from idp import batches, sealing, settings
from idp.database import db
from idp.ids import new_id
from idp.recovery.models import FIRST_PASSWORD, OBJECTION, RESET, VERIFICATION, EmailToken

_PURPOSE = "email-code"


@dataclass(frozen=True, slots=True)
class Issued:
    """What goes into the mail."""

    id: uuid.UUID
    token: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Live:
    """A link that is good now, and what it was mailed for."""

    id: uuid.UUID
    account_id: uuid.UUID
    address: str
    continuation: str
    created_at: datetime


def issue(
    purpose: str,
    account_id: uuid.UUID,
    address: str,
    now: datetime,
    continuation: str = "",
    *,
    beside: bool = False,
    token_id: uuid.UUID | None = None,
    code: str | None = None,
) -> Issued:
    """Make a link and a code for one address. Older ones of the same purpose and account no longer work (R40).

    Unless it is to stand beside them: an objection to one change is not answered by making another one. An id and a
    code are given by whoever has told them before the link was made.
    """
    if not beside:
        revoke(account_id, now, purpose)
    wanted = settings.current().recovery
    token, code = sealing.random_token(), code or f"{secrets.randbelow(10**8):08}"
    row = EmailToken(
        id=token_id or new_id(),
        purpose=purpose,
        account_id=account_id,
        address=address,
        digest=sealing.digest(token),
        sealed_code=sealing.seal(_PURPOSE, code.encode()),
        code_expires_at=now + timedelta(minutes=wanted.code_minutes),
        continuation=continuation,
        created_at=now,
        expires_at=now + lifetime(purpose),
    )
    db.session.add(row)
    return Issued(row.id, token, code)


def lifetime(purpose: str) -> timedelta:
    """Return how long a link is good for. Raises KeyError for a purpose that does not exist."""
    wanted = settings.current().recovery
    return {
        VERIFICATION: timedelta(hours=wanted.verification_hours),
        OBJECTION: timedelta(days=wanted.objection_days),
        RESET: timedelta(minutes=wanted.reset_minutes),
        FIRST_PASSWORD: timedelta(days=settings.current().passwords.temporary_days),
    }[purpose]


def find(purpose: str, token: str, now: datetime) -> Live | None:
    """Return what a link is for, if it is still good. It spends nothing: mail scanners open links, too."""
    row = db.session.execute(
        select(*_LIVE).where(EmailToken.digest == sealing.digest(token), *_is_live(purpose, now))
    ).first()
    return None if row is None else Live(*row)


def find_latest(purpose: str, account_id: uuid.UUID, now: datetime) -> Live | None:
    """Return an account's link of one purpose that is still good."""
    row = db.session.execute(select(*_LIVE).where(EmailToken.account_id == account_id, *_is_live(purpose, now))).first()
    return None if row is None else Live(*row)


def was_issued(purpose: str, account_id: uuid.UUID, since: datetime) -> bool:
    """Tell whether an account was mailed a link of one purpose at a moment or later, whatever became of it."""
    chosen = select(EmailToken.id).where(
        EmailToken.account_id == account_id, EmailToken.purpose == purpose, EmailToken.created_at >= since
    )
    return db.session.scalar(chosen.limit(1)) is not None


def spend(purpose: str, token: str, now: datetime) -> Live | None:
    """Use a link up: of any number of requests at once, one gets it, and the others None."""
    return _spend(EmailToken.digest == sealing.digest(token), purpose, now)


def spend_code(token_id: uuid.UUID, purpose: str, code: str, now: datetime) -> Live | None:
    """Use a typed code up, and with it the link beside it; None when it is wrong, late, or was tried too often.

    The try is counted and committed before the code is looked at, so that parallel guesses share one budget.
    """
    most = settings.current().recovery.code_tries
    sealed = db.session.execute(
        update(EmailToken)
        .where(
            EmailToken.id == token_id,
            EmailToken.code_expires_at > now,
            EmailToken.code_tries < most,
            *_is_live(purpose, now),
        )
        .values(code_tries=EmailToken.code_tries + 1)
        .returning(EmailToken.sealed_code)
    ).scalar()
    db.session.commit()
    if not sealed or not _is_same(sealed, code):
        return None
    return _spend(EmailToken.id == token_id, purpose, now)


def plain_code(typed: str) -> bytes:
    """Return a code without what people type between its digits."""
    plain = "".join(character for character in typed[:40] if character not in " -\u00a0")
    return plain.encode("utf-8", "surrogatepass")


def revoke(account_id: uuid.UUID, now: datetime, *purposes: str) -> None:
    """Make an account's links and codes of some purposes useless, or all of them when none is named."""
    chosen = update(EmailToken).where(EmailToken.account_id == account_id, EmailToken.spent_at.is_(None))
    if purposes:
        chosen = chosen.where(EmailToken.purpose.in_(purposes))
    db.session.execute(chosen.values(spent_at=now).execution_options(synchronize_session=False))


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete what has expired, up to limit at once; yield how many went."""
    yield from batches.delete_older(EmailToken.id, EmailToken.expires_at, now, limit)


_LIVE = (
    EmailToken.id,
    EmailToken.account_id,
    EmailToken.address,
    EmailToken.continuation,
    EmailToken.created_at,
)


def _is_live(purpose: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (EmailToken.purpose == purpose, EmailToken.spent_at.is_(None), EmailToken.expires_at > now)


def _spend(which: ColumnElement[bool], purpose: str, now: datetime) -> Live | None:
    row = db.session.execute(
        update(EmailToken)
        .where(which, *_is_live(purpose, now))
        .values(spent_at=now)
        .returning(*_LIVE)
        .execution_options(synchronize_session=False)
    ).first()
    return None if row is None else Live(*row)


def _is_same(sealed: str, code: str) -> bool:
    try:
        expected = sealing.open_sealed(_PURPOSE, sealed)
    except sealing.CannotOpen:  # the wrapping key was taken away in the ten minutes since: the link still works
        return False
    return hmac.compare_digest(expected, plain_code(code))
