"""Answering by mail what was forgotten: the worker looks up who it is, out of sight of whoever asked.

A question goes and its answer comes in one transaction, so that several workers answer it once, and one that is killed
in between leaves it to the next.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from idp import clock, faults, settings
from idp.accounts import security_emails, usernames
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.audit import service as audit
from idp.database import db
from idp.login import expired
from idp.mail import service as mail
from idp.recovery import first_password, forgotten_questions, tokens
from idp.recovery.forgotten_questions import PASSWORD, ROBOT_CODE, TEMPORARY_PASSWORD, USERNAME, Question, Taken
from idp.recovery.models import RESET
from idp.throttle import service as throttle
from idp.throttle.rules import (
    FORGOTTEN_DAY,
    FORGOTTEN_HOUR,
    FORGOTTEN_IN_ALL,
    ROBOT_CODES_DAY,
    ROBOT_CODES_HOUR,
    ROBOT_CODES_IN_ALL,
    Wait,
)
from idp.web.context import Origin, set_origin

log = structlog.get_logger(__name__)

_AT_ONCE = 100
_MOST_ACCOUNTS = 20
"""On one address: a family has a handful, and a mail has an end."""
_LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the accounts that a mail offers a new password for."""

    username: str
    link: str


def answer_due(most: int = _AT_ONCE) -> int:
    """Answer what waits, the oldest first, and return how many questions there were. Commits after each."""
    for done in range(most):
        taken = forgotten_questions.take() if forgotten_questions.is_waiting() else None
        if taken is None:
            db.session.rollback()
            return done
        _answer_or_drop(taken)
    return most


def _answer_or_drop(taken: Taken) -> None:
    try:
        if taken.question is not None:
            # On the account's record stands who asked, not who answered.
            set_origin(Origin("web", taken.question.address, taken.question.request_id))
            _ANSWERS[taken.question.kind](taken.id, taken.question, clock.now())
        db.session.commit()
    except Exception as error:
        db.session.rollback()
        if faults.find(error) is not None:
            raise  # it waits until the database is back
        log.exception("question_unanswerable", question=str(taken.id))
        forgotten_questions.drop(taken.id)
        db.session.commit()
    finally:
        set_origin(Origin("worker"))


def _answer_password(question_id: uuid.UUID, question: Question, now: datetime) -> None:
    """Mail a link to a new password, one for each account where an address stands for several."""
    address, named = _find(question.typed)
    allowed = [account for account in named if _may_have_mail(str(account.id), now)]
    if not allowed or not _may_be_sent(now):
        return
    code = question.code if len(allowed) == 1 else None
    choices = []
    for account in allowed:
        issued = tokens.issue(
            RESET,
            account.id,
            address,
            now,
            question.way_on,
            token_id=question_id if code else None,
            code=code,
        )
        link = f"{settings.current().server.issuer}/reset-password?token={issued.token}"
        choices.append(Choice(account.username, link))
        audit.record("password_forgotten", account_id=account.id)
    limits = settings.current().recovery
    mail.send(
        "recovery/reset",
        address,
        now=now,
        language=_language(allowed, question),
        account_id=allowed[0].id,
        useful_until=now + tokens.lifetime(RESET),
        choices=choices,
        code=_readable(code) if code else "",
        minutes=limits.reset_minutes,
        code_minutes=limits.code_minutes,
    )


def _answer_username(_id: uuid.UUID, question: Question, now: datetime) -> None:
    """Mail every username of a verified address to it (R18, PR23)."""
    found = _verified(question.typed)
    if not found or not _may_have_mail(f"address {security_emails.key(question.typed.strip())}", now):
        return
    address = security_emails.status(found[0].id).verified
    if address is None or not _may_be_sent(now):
        return
    for account in found:
        audit.record("username_forgotten", account_id=account.id)
    mail.send(
        "recovery/usernames",
        address,
        now=now,
        language=_language(found, question),
        account_id=found[0].id,
        usernames=[account.username for account in found],
        log_in_address=f"{settings.current().server.issuer}/login",
    )


def _answer_temporary_password(_id: uuid.UUID, question: Question, now: datetime) -> None:
    """Mail a new temporary password in place of the one that has run out, unless there is another by now (TP3)."""
    account = expired.find(question.typed, now)
    if account is None or not account.email:
        return
    if _may_have_mail(str(account.id), now) and _may_be_sent(now):
        first_password.send(account, now)


def _answer_robot_code(_id: uuid.UUID, question: Question, now: datetime) -> None:
    """Mail the code to the verified security email of the username, and to nothing else.

    These mails have limits of their own: whoever asks for them again and again keeps nobody from a new password.
    """
    account = accounts.find_by_username(question.typed) if usernames.key(question.typed) else None
    address = security_emails.status(account.id).verified if account and account.disabled_at is None else None
    if account is None or address is None:
        return
    limits = ((ROBOT_CODES_HOUR, str(account.id)), (ROBOT_CODES_DAY, str(account.id)), (ROBOT_CODES_IN_ALL, ""))
    if any(isinstance(throttle.reserve(kind, subject, now), Wait) for kind, subject in limits):
        return
    audit.record("robot_code_mailed", account_id=account.id)
    minutes = settings.current().recovery.code_minutes
    mail.send(
        "recovery/robot_code",
        address,
        now=now,
        language=_language([account], question),
        account_id=account.id,
        useful_until=now + timedelta(minutes=minutes),
        code=_readable(question.code),
        minutes=minutes,
    )


_ANSWERS = {
    PASSWORD: _answer_password,
    USERNAME: _answer_username,
    TEMPORARY_PASSWORD: _answer_temporary_password,
    ROBOT_CODE: _answer_robot_code,
}


def _find(typed: str) -> tuple[str, list[Account]]:
    """Return the accounts that a username or a security email stands for, and the verified address of all of them."""
    sharing = _verified(typed)
    named = accounts.find_by_username(typed) if usernames.key(typed) else None
    own = security_emails.status(named.id).verified if named and named.disabled_at is None else None
    if named is None or own is None:
        first = security_emails.status(sharing[0].id).verified if sharing else None
        return first or "", sharing
    # A username that is an address: it may be the verified one of a whole family, which is then asked for whom it is.
    return own, sharing if named in sharing else [named]


def _verified(typed: str) -> list[Account]:
    address = typed.strip()
    if not address.isprintable() or len(address) > _LONGEST_ADDRESS or "@" not in address:
        return []
    found = security_emails.find_accounts(address)[:_MOST_ACCOUNTS]
    return [account for account in found if account.disabled_at is None]


def _may_have_mail(subject: str, now: datetime) -> bool:
    """Take one from the mails that an account, or an address, gets in an hour and in a day."""
    return all(not isinstance(throttle.reserve(kind, subject, now), Wait) for kind in (FORGOTTEN_HOUR, FORGOTTEN_DAY))


def _may_be_sent(now: datetime) -> bool:
    return not isinstance(throttle.reserve(FORGOTTEN_IN_ALL, "", now), Wait)


def _readable(code: str) -> str:
    return f"{code[:4]} {code[4:]}"


def _language(found: list[Account], question: Question) -> str:
    return next((account.locale for account in found if account.locale), question.language)
