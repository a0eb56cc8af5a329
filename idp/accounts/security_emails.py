"""The addresses that recovery mail goes to: one verified and one pending at most, for each account. Nothing commits."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select

from idp.accounts.models import Account, SecurityEmail
from idp.database import db, upsert
from idp.ids import new_id


@dataclass(frozen=True, slots=True)
class Status:
    """What an account has: recovery uses the verified address until the pending one is verified, too."""

    verified: str | None
    pending: str | None
    pending_since: datetime | None = field(default=None, compare=False)

    @property
    def is_set(self) -> bool:
        """Whether anything was entered: the page that asks for an address then stays away (R11)."""
        return self.verified is not None or self.pending is not None


_NONE = None, None


def key(address: str) -> str:
    """Return the form by which addresses are compared: people write theirs in capitals, too."""
    local, _, domain = address.rpartition("@")
    return f"{local.casefold()}@{domain.casefold()}"


def status(account_id: uuid.UUID) -> Status:
    """Return an account's security email."""
    rows = db.session.scalars(select(SecurityEmail).where(SecurityEmail.account_id == account_id))
    found = {row.is_verified: (row.address, row.created_at) for row in rows}
    (verified, _since), (pending, since) = found.get(True, _NONE), found.get(False, _NONE)
    return Status(verified, pending, since)


def notice_address(account: Account) -> str | None:
    """Return where notices of security go: to the verified security email, else to the address on file."""
    return status(account.id).verified or account.email or None


def find_accounts(address: str) -> list[Account]:
    """Return everybody whose verified address this is: guardians may share one (R13). Nobody else counts (R19)."""
    chosen = (
        select(Account)
        .join(SecurityEmail, SecurityEmail.account_id == Account.id)
        .where(SecurityEmail.address_key == key(address), SecurityEmail.is_verified)
        .order_by(Account.username_key)
    )
    return list(db.session.scalars(chosen))


def set_pending(account_id: uuid.UUID, address: str, now: datetime) -> None:
    """Keep an address that is not verified yet, in place of another such one."""
    _keep(account_id, address, is_verified=False, now=now)


def waits(account_id: uuid.UUID, address: str) -> bool:
    """Tell whether an address is the one that is pending."""
    pending = status(account_id).pending
    return pending is not None and key(pending) == key(address)


def verify_pending(account_id: uuid.UUID, address: str, now: datetime) -> bool:
    """Make the pending address the one that recovery uses; False when another one is pending by now, or none."""
    waiting = (
        SecurityEmail.account_id == account_id,
        SecurityEmail.is_verified.is_(False),
        SecurityEmail.address_key == key(address),
    )
    gone = delete(SecurityEmail).where(*waiting).returning(SecurityEmail.address)
    found = db.session.execute(gone.execution_options(synchronize_session=False)).scalar()
    if found is None:
        return False
    _keep(account_id, found, is_verified=True, now=now)
    return True


def set_verified(account_id: uuid.UUID, address: str, now: datetime) -> None:
    """Make an address the one that recovery uses; what was pending is gone, and so is the one before."""
    drop_pending(account_id)
    _keep(account_id, address, is_verified=True, now=now)


def drop_pending(account_id: uuid.UUID) -> bool:
    """Forget an address that was not verified; False when there was none."""
    gone = delete(SecurityEmail).where(SecurityEmail.account_id == account_id, SecurityEmail.is_verified.is_(False))
    return db.session.execute(gone.returning(SecurityEmail.id)).first() is not None


def remove(account_id: uuid.UUID) -> bool:
    """Forget what was entered, verified or not, so that the next log-in asks again (R11); False when nothing was."""
    gone = delete(SecurityEmail).where(SecurityEmail.account_id == account_id).returning(SecurityEmail.id)
    return bool(db.session.execute(gone.execution_options(synchronize_session=False)).all())


def _keep(account_id: uuid.UUID, address: str, *, is_verified: bool, now: datetime) -> None:
    values = {"address": address, "address_key": key(address), "created_at": now}
    row = {"id": new_id(), "account_id": account_id, "is_verified": is_verified} | values
    db.session.execute(
        upsert(SecurityEmail)
        .values(row)
        .on_conflict_do_update(index_elements=["account_id", "is_verified"], set_=values)
    )
