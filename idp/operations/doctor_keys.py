"""The doctor's look at the keys: those that sign, those of [secrets], and what needs one that is not there."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from idp import settings
from idp.accounts.models import Account
from idp.audit import chain
from idp.audit import sealing as audit_sealing
from idp.database import db
from idp.faults import Fault
from idp.oidc import keys
from idp.operations import key_uses, secret_keys, secret_watch
from idp.operations.finding import NOTE, OK, PROBLEM, Finding
from idp.operations.key_uses import OLD, KeyUse, State
from idp.operations.secret_keys import SETTINGS, WRAPPING

_LATE = timedelta(days=1)


def signing(now: datetime) -> Iterator[Finding]:
    """Look at the keys that sign: can they be opened, and does the calendar go on?"""
    ring = keys.ring(now)
    missing = [algorithm for algorithm in keys.ALGORITHMS if algorithm not in ring.signers]
    listed = keys.listed()
    if missing and listed:
        yield Finding(PROBLEM, "keys", Fault.KEYS.advice)
        return
    if missing:
        yield Finding(PROBLEM, "keys", f"no active key for {', '.join(missing)}; run idp worker --once")
        return
    by_kid = {key.kid: key for key in listed}
    due = {algorithm: keys.next_rotation(by_kid[ring.signers[algorithm].kid]) for algorithm in keys.ALGORITHMS}
    late = [algorithm for algorithm, moment in due.items() if moment + _LATE < now]
    if late:
        yield Finding(PROBLEM, "keys", f"{', '.join(late)} should have been rotated; start idp worker")
    else:
        yield Finding(
            OK, "keys", f"active for {', '.join(keys.ALGORITHMS)}; next rotation {min(due.values()):%Y-%m-%d}"
        )


def secrets(now: datetime) -> Iterator[Finding]:
    """Look at the keys of [secrets]: is one missing, another one than elsewhere, old, or no longer needed?"""
    for one in secret_keys.differences(now):
        yield Finding(PROBLEM, "secrets", f"{one.kind} key {one.name!r}: {secret_watch.ADVICE[one.trouble]}")
    for kind in SETTINGS:
        for use in key_uses.of_kind(kind, now):
            yield from _finding(use)
    yield from _costlier(settings.current().passwords.bcrypt_cost)


def _finding(use: KeyUse) -> Iterator[Finding]:
    subject = f"{use.kind} key {use.name!r}"
    if use.state is State.MISSING:
        yield Finding(PROBLEM, "secrets", f"{subject} is missing: {use.advice}")
    elif use.state is State.USED and use.days is not None and use.days >= OLD.days:
        yield Finding(NOTE, "secrets", f"{subject} has been used for {use.days} days; change it, see config/README.md")
    elif use.state is State.READ and (use.is_free or (use.kind == WRAPPING and use.needed_by)):
        yield Finding(NOTE, "secrets", f"{subject}: {use.advice}")
    else:
        yield Finding(OK, "secrets", f"{subject} is {use.state}: {use.advice}")


def _costlier(cost: int) -> Iterator[Finding]:
    """Look for passwords of a higher cost than today's: only their owner's log-in brings them down."""
    is_higher = or_(*(Account.password_hash.like(f"%$2b${more:02}$%") for more in range(cost + 1, 32)))
    count = db.session.scalar(select(func.count()).select_from(Account).where(is_higher))
    if count:
        yield Finding(
            NOTE,
            "password",
            f"{count} passwords have a higher cost than bcrypt_cost {cost}: until their owners log in, a wrong try "
            "takes longer for them than for others; set bcrypt_cost back if that was not meant",
        )


def audit(_now: datetime) -> Iterator[Finding]:
    """Look at the newest seal on the record."""
    newest = audit_sealing.newest_seal()
    if newest is None:
        yield Finding(NOTE, "audit", "nothing is sealed yet; the worker does that within seconds: idp worker")
    elif chain.is_mac(settings.current().secrets.audit_keys, chain.seal_content(newest), newest["mac"]):
        yield Finding(OK, "audit", f"newest seal {newest['number']}; idp audit verify checks them all")
    else:
        yield Finding(PROBLEM, "audit", "no key of [secrets] audit_keys made the newest seal; put the old one back")
