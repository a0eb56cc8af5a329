"""At whom passwords are guessed just now: the top of the ledger, for the team. Reads only.

The ledger knows no names, and what is typed for a username may be somebody's password. So it is the record that says
at whose accounts passwords were wrong lately, and the ledger that says what still counts there; a username that nobody
has is a number here, and nothing else.
"""

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp import settings
from idp.accounts.models import Account
from idp.audit import sealing
from idp.audit import service as audit
from idp.audit.models import AuditEvent
from idp.database import db
from idp.throttle import standing
from idp.throttle.ladder import Level
from idp.throttle.rules import LOG_IN
from idp.throttle.standing import Standing
from idp.web import context

_LOOKED_THROUGH = 5000
"""The latest events of the record: what is under attack now is among them, whatever else the district does."""
_MOST_LOOKED_UP = 200
_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Failure:
    """Something on record that failed."""

    event: str
    account_id: uuid.UUID | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Guessed:
    """An account at which passwords are wrong."""

    account: Account
    standing: Standing
    level: Level
    """How far the robot check of the next try goes."""
    is_stopped: bool
    """Whether the password is looked at in known browsers only."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network from which passwords are wrong."""

    name: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Top:
    """Where most passwords are wrong, the most first."""

    accounts: list[Guessed]
    networks: list[Network]
    unknown: int
    """Wrong passwords, among the latest events, for usernames that nobody has."""
    overall: int
    """Wrong passwords everywhere, in the five minutes that are counted just now."""


def top(now: datetime) -> Top:
    """Return where most passwords are wrong just now."""
    wrong = _latest_failures()
    at_accounts = Counter(row.account_id for row in wrong if row.account_id)
    from_networks = Counter(context.network_of(row.address) for row in wrong if row.event == LOG_IN and row.address)
    return Top(
        _accounts([account_id for account_id, _times in at_accounts.most_common(_MOST_LOOKED_UP)], now),
        _networks([name for name, _times in from_networks.most_common(_MOST_LOOKED_UP)], now),
        sum(row.event == LOG_IN and row.account_id is None for row in wrong),
        standing.overall(now),
    )


def _latest_failures() -> list[Failure]:
    """Return what failed among the latest events: those at the end of the chain, and those that have no place yet."""
    newest = sealing.newest_seal()
    last = 0 if newest is None else int(newest["last_position"])
    columns = (AuditEvent.event, AuditEvent.account_id, AuditEvent.address, AuditEvent.outcome)
    ways = (AuditEvent.position.is_(None), AuditEvent.position > last - _LOOKED_THROUGH)
    rows = [row for way in ways for row in db.session.execute(select(*columns).where(way).limit(_LOOKED_THROUGH))]
    return [Failure(row.event, row.account_id, row.address) for row in rows if row.outcome == audit.FAILURE]


def _accounts(ids: list[uuid.UUID], now: datetime) -> list[Guessed]:
    if not ids:
        return []
    found = {one.username_key: one for one in db.session.scalars(select(Account).where(Account.id.in_(ids)))}
    most = settings.current().throttle.account_stop_failures
    guessed = [
        Guessed(found[key], one, standing.level_of_account(one.failures), one.failures >= most)
        for key, one in standing.of_accounts(found, now).items()
    ]
    return sorted(guessed, key=lambda one: (-one.standing.failures, one.account.username_key))[:_MOST_SHOWN]


def _networks(names: list[str], now: datetime) -> list[Network]:
    networks = [Network(name, one) for name, one in standing.of_networks(names, now).items()]
    return sorted(networks, key=lambda one: (-one.standing.failures, one.name))[:_MOST_SHOWN]
