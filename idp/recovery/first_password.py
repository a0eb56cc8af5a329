"""The way to a first password, mailed to the address that the district has on file (R7, R8)."""

import uuid
from datetime import datetime

from idp import settings
from idp.accounts import letters, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.audit import service as audit
from idp.database import db
from idp.mail import service as mail
from idp.recovery import tokens
from idp.recovery.models import FIRST_PASSWORD, RESET, VERIFICATION
from idp.sessions import service as sessions
from idp.settings import FIRST_BY_LINK


class NoAddress(Exception):
    """The district has no email address of this person on file, or none that mail can be sent to."""


def send(account: Account, now: datetime, actor_id: uuid.UUID | None = None, reason: str = "") -> None:
    """Mail the username with a temporary password or, as `[passwords] first` has it, with a link. Does not commit.

    Whatever password there was no longer works, sessions end, and so does every link to choose one. Raises NoAddress,
    and then nothing has changed.
    """
    if not account.email or not mail.is_address(account.email):
        raise NoAddress
    forget_links(account, now)
    if settings.current().passwords.first == FIRST_BY_LINK:
        event, kind, values = "first_password_link", "recovery/first_password_link", _link(account, now)
    else:
        event, kind, values = "temporary_password", "recovery/temporary_password", _temporary_password(account, now)
    # Written before the sessions are read: a log-in under way either is among them or finds the password gone.
    db.session.flush()
    ended = sessions.end_all(account.id, "temporary_password", now)
    letters.write(
        kind,
        account,
        account.email,
        now,
        useful_until=account.temporary_password_expires_at or now + tokens.lifetime(FIRST_PASSWORD),
        log_in_address=f"{settings.current().server.issuer}/login",
        **values,
    )
    details = {"reason": reason} if reason else {}
    audit.record(event, actor_id=actor_id, account_id=account.id, ended_sessions=ended, sent_by="mail", **details)


def forget_links(account: Account, now: datetime) -> None:
    """Let no link to a password work any more, nor one by which an address would begin to count. Does not commit.

    An address that waits to be verified may be a stranger's, who had the password that is replaced: whoever has the
    next one is asked for an address again.
    """
    security_emails.drop_pending(account.id)
    tokens.revoke(account.id, now, RESET, FIRST_PASSWORD, VERIFICATION)


def _temporary_password(account: Account, now: datetime) -> dict[str, object]:
    temporary = accounts.issue_temporary_password(account, now)
    return {"temporary_password": temporary, "expires_at": account.temporary_password_expires_at}


def _link(account: Account, now: datetime) -> dict[str, object]:
    accounts.forget_password(account, now)
    issued = tokens.issue(FIRST_PASSWORD, account.id, account.email or "", now)
    address = f"{settings.current().server.issuer}/first-password?token={issued.token}"
    return {"link": address, "expires_at": now + tokens.lifetime(FIRST_PASSWORD)}
