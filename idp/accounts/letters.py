"""Mail to the owner of an account, in their language and with their username. Nothing here commits."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from idp.accounts.models import Account
from idp.mail import service as mail


def write(kind: str, account: Account, address: str, now: datetime, **values: Any) -> None:
    """Write to an address of theirs; values are what the template tells. Raises ValueError for what is no address."""
    mail.send(
        kind,
        address,
        now=now,
        language=account.locale,
        account_id=account.id,
        username=account.username,
        **values,
    )


def tell(kind: str, account: Account, address: str | None, now: datetime, **values: Any) -> None:
    """Write a notice where there is an address: one on file that is none keeps nobody from what the notice is about."""
    if address:
        with suppress(ValueError):
            write(kind, account, address, now, **values)
