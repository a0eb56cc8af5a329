"""What the links and codes of a security email do: verify it, or stop its change."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from idp.accounts import letters, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.audit import service as audit
from idp.database import db
from idp.recovery import links, tokens
from idp.recovery.models import OBJECTION, RESET, VERIFICATION
from idp.recovery.tokens import Live
from idp.sessions import service as sessions
from idp.throttle.rules import Wait


@dataclass(frozen=True, slots=True)
class Verified:
    """The address is the one that recovery uses from now on."""

    address: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The change is undone, and whoever made it is locked out."""


@dataclass(frozen=True, slots=True)
class NotGood:
    """The link or code was used, is out of time, was replaced, or never was: nobody is told which (PR7)."""


def find(token: str, now: datetime) -> Live | Wait | None:
    """Return what a link would verify; None when it is not good, or its address no longer waits. It spends nothing."""
    found = links.find(VERIFICATION, token, now)
    if isinstance(found, Live) and not security_emails.waits(found.account_id, found.address):
        return None
    return found


def verify(token: str, now: datetime) -> Verified | NotGood | Wait:
    """Verify an address by the link that was mailed to it, in whatever browser (R17)."""
    return _verify(links.spend(VERIFICATION, token, now), now)


def verify_by_code(account_id: uuid.UUID, code: str, now: datetime) -> Verified | NotGood:
    """Verify an address by the code beside the link, for somebody who is logged in."""
    live = tokens.find_latest(VERIFICATION, account_id, now)
    if live is None:
        return NotGood()
    spent = tokens.spend_code(live.id, VERIFICATION, code, now)
    if spent is None:
        audit.record("security_email_verified", audit.FAILURE, account_id=account_id, actor_id=account_id)
        db.session.commit()
        return NotGood()
    outcome = _verify(spent, now)
    return outcome if isinstance(outcome, Verified) else NotGood()


def object_to_change(token: str, now: datetime) -> Stopped | NotGood | Wait:
    """Undo a change that its owner did not make: the old address is back, and nobody is logged in any more.

    Whoever made it knew the password, so that works no longer, either: recovery by the old address gives a new one.
    """
    live = links.spend(OBJECTION, token, now)
    if not isinstance(live, Live):
        return live or NotGood()
    account = accounts.get(live.account_id)
    security_emails.set_verified(account.id, live.address, now)
    tokens.revoke(account.id, now)
    accounts.forget_password(account, now)
    db.session.flush()
    ended = sessions.end_all(account.id, "objection", now)
    audit.record("security_email_objection", account_id=account.id, ended_sessions=ended)
    db.session.commit()
    return Stopped()


def _verify(live: Live | Wait | None, now: datetime) -> Verified | NotGood | Wait:
    if not isinstance(live, Live):
        return live or NotGood()
    before = security_emails.status(live.account_id).verified
    if not security_emails.verify_pending(live.account_id, live.address, now):
        db.session.commit()
        return NotGood()
    tokens.revoke(live.account_id, now, RESET)  # what was mailed to the address before opens nothing any more
    event = "security_email_verified" if before is None else "security_email_changed"
    audit.record(event, account_id=live.account_id)
    if before is None:
        _tell_address_on_file(accounts.get(live.account_id), live.address, now)
    db.session.commit()
    return Verified(live.address)


def _tell_address_on_file(account: Account, address: str, now: datetime) -> None:
    """Let the family hear of the first address at the one that the district knows, if it is another."""
    if account.email and security_emails.key(account.email) != security_emails.key(address):
        letters.tell("recovery/address_added", account, account.email, now, verified_at=now)
