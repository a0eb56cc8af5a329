"""What the team does for a person: each act with its reason, on record, and only where the one who acts may.

A form says which state of the account it was opened on, so that one which is sent twice acts once.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from idp.accounts import letters, security_emails
from idp.accounts.models import ADMIN, GUARDIAN, SUPPORT, Account
from idp.admin import people as admin_people
from idp.audit import service as audit
from idp.database import db
from idp.recovery import first_password, security_email, tokens
from idp.recovery.first_password import NoAddress
from idp.recovery.models import OBJECTION, RESET, VERIFICATION
from idp.recovery.security_email import NothingPending, Sent
from idp.support import turns
from idp.support.turns import Overtaken, Unfit
from idp.throttle import tries
from idp.throttle.rules import Wait

RECOVERY = PHONE, LETTER = "phone", "letter"


@dataclass(frozen=True, slots=True)
class Act:
    """Who acts on whom, why, and what their form had seen of the account."""

    actor_id: uuid.UUID
    actor_role: str
    account_id: uuid.UUID
    reason: str
    version: str


@dataclass(frozen=True, slots=True)
class Done:
    """The account after the act."""

    account: Account


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The one who acts may not act on this account; see may_act."""


Outcome = Done | Forbidden | Overtaken | Unfit | Wait


def may_act(actor_id: uuid.UUID, actor_role: str, account: Account) -> bool:
    """Tell whether somebody may act on an account: support on guardians alone, admins on all, nobody on their own.

    Whoever could rename, unlock or re-issue their own account would need no password for what asks for one. A closed
    account is the district's to open first.
    """
    if account.id == actor_id or account.disabled_at is not None:
        return False
    return actor_role == ADMIN or (actor_role == SUPPORT and account.role == GUARDIAN)


def version(account: Account) -> str:
    """Return what a form carries to say which state of an account it was opened on."""
    return turns.version(account.updated_at)


def rename(act: Act, username: str, now: datetime) -> Outcome:
    """Give somebody another username (R47): mails tell of it, sessions stay, and applications see the same person."""
    account = _take(act, now)
    if not isinstance(account, Account):
        return account
    if username.strip() == account.username:
        db.session.rollback()
        return Unfit(_("This is the username that the person has."))
    renamed = admin_people.rename(account.username, username, actor_id=act.actor_id, now=now, reason=act.reason)
    match renamed:
        case admin_people.Changed(changed):
            return Done(changed)
        case admin_people.Invalid(problem):
            db.session.rollback()
            return Unfit(problem)
        case admin_people.Taken():
            return Unfit(_("Somebody has this username, or one that can't be told from it. Choose another one."))
        case admin_people.Unknown():
            return Overtaken()


def send_first_password(act: Act, now: datetime) -> Outcome:
    """Mail a new temporary password, or a link in its place, to the address on file (R7, R8); sessions end."""
    account = _take(act, now)
    if not isinstance(account, Account):
        return account
    try:
        first_password.send(account, now, act.actor_id, act.reason)
    except NoAddress:
        db.session.rollback()
        return Unfit(_("The district has no email address of this person on file that mail can be sent to."))
    _tell_of_first_password(account, now)
    db.session.commit()
    return Done(account)


def unlock(act: Act, now: datetime) -> Outcome:
    """Forget wrong passwords, so that the next one is looked at at once."""
    account = _take(act, now)
    if not isinstance(account, Account):
        return account
    tries.clear(account.username_key)
    return _finish(act, account, "account_unlock")


def resend_verification(act: Act, now: datetime) -> Outcome:
    """Mail a fresh link to the address that waits to be verified (R42); the family's own limits hold here, too (R40).

    What is mailed and what is on record is committed by it, or rolled back, and with it that the account was taken.
    """
    account = _take(act, now)
    if not isinstance(account, Account):
        return account
    match security_email.resend(account.id, now, act.actor_id, act.reason):
        case Sent():
            return Done(account)
        case NothingPending():
            return Unfit(_("No address waits to be verified."))
        case Wait() as wait:
            return wait


def remove_security_email(act: Act, now: datetime) -> Outcome:
    """Take the addresses away that somebody else may have entered, and what was mailed to them; the rest stays.

    A new password does not take a verified address away: whoever reads its mail could ask for another one, or object.
    """
    account = _take(act, now)
    if not isinstance(account, Account):
        return account
    # The links go first: one that is pressed at this moment has either brought its address already, or never will.
    tokens.revoke(account.id, now, VERIFICATION, OBJECTION, RESET)
    if not security_emails.remove(account.id):
        db.session.rollback()
        return Unfit(_("No security email was entered."))
    _tell_of_removal(account, now)
    return _finish(act, account, "security_email_removed")


def recover_by(act: Act, how: str | None, now: datetime) -> Outcome:
    """Say that a family without email is helped by phone or letter, or take that back: see Account.recovery_by."""
    account = _take(act, now)
    if not isinstance(account, Account):
        return account
    if how not in {None, *RECOVERY}:
        db.session.rollback()
        return Unfit(_("Choose one."))
    account.recovery_by = how
    return _finish(act, account, "account_recovery_by", by=how or "email")


def _tell_of_first_password(account: Account, now: datetime) -> None:
    """Mail a notice to the verified security email, where that is another address than the one on file."""
    verified = security_emails.status(account.id).verified
    if verified is None or security_emails.key(verified) == security_emails.key(account.email or ""):
        return
    letters.tell("support/first_password_sent", account, verified, now)


def _tell_of_removal(account: Account, now: datetime) -> None:
    """Mail a notice to the address on file: the one that is removed may be a stranger's."""
    asks_again = account.recovery_by is None
    letters.tell("support/security_email_removed", account, account.email, now, asks_again=asks_again)


def _take(act: Act, now: datetime) -> Account | Forbidden | Overtaken:
    """Take the account for this form; what it was judged by is read in the same transaction."""
    account = db.session.get(Account, act.account_id, populate_existing=True)
    if account is None:
        return Overtaken()
    if not may_act(act.actor_id, act.actor_role, account):
        db.session.rollback()
        return Forbidden()
    return turns.take(account, Account.updated_at, act.version, now)


def _finish(act: Act, account: Account, event: str, **details: str) -> Done:
    """Put the act on record and commit."""
    audit.record(event, actor_id=act.actor_id, account_id=account.id, reason=act.reason, **details)
    db.session.commit()
    return Done(account)
