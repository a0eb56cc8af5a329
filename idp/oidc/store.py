"""The statements of every single sign-on, built once and run in the request's one unit of work."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    String,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from idp import batches, settings
from idp.accounts.models import Account
from idp.clients.models import Client, Sector
from idp.database import UtcDateTime, db, find_row, run, upsert
from idp.ids import first_id, new_id
from idp.oidc import codes
from idp.oidc.codes import Code
from idp.oidc.models import AccessToken, Grant
from idp.sessions import store as sessions
from idp.sessions.models import BrowserSession, Participant
from idp.sessions.store import ActiveSession
from idp.statements import Prepared


class Bearer(NamedTuple):
    """An access token that is good now, and the person it speaks of."""

    scope: str
    account_id: uuid.UUID
    username: str
    name: str
    given_name: str
    family_name: str
    email: str | None
    email_verified: bool
    locale: str
    updated_at: datetime
    sector_salt: bytes


@dataclass(frozen=True, slots=True)
class Visit:
    """An application that may act now, by its revision; whoever is logged in; and what was granted already."""

    revision: int
    session: ActiveSession | None
    grant_id: uuid.UUID | None
    granted: frozenset[str]


_VISIT = Prepared(
    select(
        *sessions.COLUMNS,
        Client.revision,
        Grant.id.label("grant_id"),
        Grant.scopes.label("granted"),
    )
    .select_from(Client)
    .outerjoin(BrowserSession, and_(BrowserSession.digest == bindparam("digest"), *sessions.LIVE))
    .outerjoin(Account, and_(Account.id == BrowserSession.account_id, Account.disabled_at.is_(None)))
    .outerjoin(Grant, and_(Grant.account_id == Account.id, Grant.client_pk == Client.id, Grant.revoked_at.is_(None)))
    .where(Client.client_id == bindparam("client_id"), Client.removed_at.is_(None), Client.disabled_at.is_(None))
)


def find_visit(client_id: str, digest: bytes, now: datetime) -> Visit | None:
    """Return who asks at an application with the session of this digest, in one statement; None if it may not act."""
    row = find_row(_VISIT, {"client_id": client_id, "digest": digest, "now": now})
    if row is None:
        return None
    session = None if row.username is None else sessions.active_session(row)
    return Visit(row.revision, session, row.grant_id, frozenset(row.granted or ()))


def give_grant(account_id: uuid.UUID, client_pk: uuid.UUID, scopes: list[str], now: datetime) -> uuid.UUID:
    """Write down what a person lets an application have, and return the grant's id.

    One that had been taken back starts anew under another id, or codes and tokens of before would be good again.
    """
    new = {
        "id": new_id(),
        "account_id": account_id,
        "client_pk": client_pk,
        "scopes": scopes,
        "revoked_at": None,
        "created_at": now,
        "updated_at": now,
    }
    insertion = upsert(Grant).values(new)
    granted_id = case((Grant.revoked_at.is_(None), Grant.id), else_=insertion.excluded.id)
    statement = insertion.on_conflict_do_update(
        index_elements=["account_id", "client_pk"],
        set_={"id": granted_id, "scopes": scopes, "revoked_at": None, "updated_at": now},
    ).returning(Grant.id)
    return db.session.execute(statement).scalar_one()


def revoke_grant(grant_id: uuid.UUID, now: datetime) -> bool:
    """Take a grant back, and with it every token that came of it; False when it had been taken back before."""
    revoked = db.session.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        .values(revoked_at=now, updated_at=now)
        .returning(Grant.id)
    ).first()
    return revoked is not None


def find_scopes(account_id: uuid.UUID, client_pk: uuid.UUID) -> list[str]:
    """Return what a person lets an application have now."""
    found = db.session.scalar(
        select(Grant.scopes).where(
            Grant.account_id == account_id, Grant.client_pk == client_pk, Grant.revoked_at.is_(None)
        )
    )
    return found or []


_STANDING = (
    select(BrowserSession.id)
    .join(Account, Account.id == BrowserSession.account_id)
    .join(Grant, Grant.id == bindparam("grant"))
    .where(
        BrowserSession.id == bindparam("session"),
        BrowserSession.ended_at.is_(None),
        Account.disabled_at.is_(None),
        or_(Account.password_changed_at.is_(None), Account.password_changed_at <= bindparam("since")),
        Grant.revoked_at.is_(None),
    )
    # A log-out under way waits until this application has taken part: it would otherwise never be told.
    .with_for_update(read=True, of=BrowserSession)
)
"""The session of a code, if session, account and grant stand since it was issued."""

_TOKEN: dict[str, ColumnElement[Any]] = {
    "id": bindparam("code", type_=Uuid()),
    "digest": bindparam("token", type_=LargeBinary()),
    "client_pk": bindparam("client", type_=Uuid()),
    "account_id": bindparam("account", type_=Uuid()),
    "session_id": bindparam("session", type_=Uuid()),
    "grant_id": bindparam("grant", type_=Uuid()),
    "scope": bindparam("allowed", type_=String()),
    "issued_at": bindparam("now", type_=UtcDateTime()),
    "expires_at": bindparam("until", type_=UtcDateTime()),
}

_SPEND = Prepared(
    # SQLite has these words from PostgreSQL, and reads them as they are.
    postgresql.insert(AccessToken)
    .from_select(list(_TOKEN), _STANDING.with_only_columns(*_TOKEN.values()))
    .on_conflict_do_nothing(index_elements=["id"])
    .returning(
        select(Participant.sid)
        .where(Participant.session_id == bindparam("session"), Participant.client_pk == bindparam("client"))
        .scalar_subquery()
        .label("sid")
    ),
    relaxed=True,
)


def spend_code(code: Code, token_digest: bytes, now: datetime) -> tuple[str | None] | None:
    """Spend a code for a token if session, account and grant stand since it was issued.

    It is one statement, so that of any number of tries one wins. Returns the application's sid (None before its first
    token) for that one, and None for all others.
    """
    row = find_row(_SPEND, _token(code, token_digest, now))
    return None if row is None else (row.sid,)


_VOID = Prepared(
    postgresql.insert(AccessToken)
    .values({**_TOKEN, "revoked_at": _TOKEN["issued_at"]})
    .on_conflict_do_nothing(index_elements=["id"])
)


def void_code(code: Code, token_digest: bytes, now: datetime) -> None:
    """Let a code that was shown when it stood no more be spent for nothing: what has ended may be begun anew."""
    run(_VOID, _token(code, token_digest, now))


def _token(code: Code, digest: bytes, now: datetime) -> dict[str, Any]:
    return {
        "code": code.id,
        "token": digest,
        "client": code.client_pk,
        "account": code.account_id,
        "session": code.session_id,
        "grant": code.grant_id,
        "allowed": code.scope,
        "since": code.issued_at,
        "now": now,
        "until": now + timedelta(seconds=settings.current().tokens.access_token_seconds),
    }


_BURN = Prepared(
    update(AccessToken).where(AccessToken.id == bindparam("code")).values(revoked_at=AccessToken.issued_at)
)


def burn_code(code: Code) -> None:
    """Let nothing come of a code that was spent and then refused: its token was revoked before anybody had it."""
    run(_BURN, {"code": code.id})


_REVOKE = Prepared(
    update(AccessToken)
    .where(AccessToken.id == bindparam("code"))
    .values(revoked_at=func.coalesce(AccessToken.revoked_at, bindparam("now", type_=UtcDateTime())))
    .returning(AccessToken.id)
)


def revoke_redeemed(code: Code, now: datetime) -> bool:
    """Revoke what a code was redeemed for (RFC 6749 section 4.1.2); False when it never was."""
    return find_row(_REVOKE, {"code": code.id, "now": now}) is not None


_BEARER = Prepared(
    select(
        AccessToken.scope,
        AccessToken.account_id,
        Account.username,
        Account.name,
        Account.given_name,
        Account.family_name,
        Account.email,
        Account.email_verified,
        Account.locale,
        Account.updated_at,
        Sector.salt.label("sector_salt"),
    )
    .join(Account, Account.id == AccessToken.account_id)
    .join(Client, Client.id == AccessToken.client_pk)
    .join(Sector, Sector.id == Client.sector_id)
    .join(Grant, Grant.id == AccessToken.grant_id)
    .join(BrowserSession, BrowserSession.id == AccessToken.session_id)
    .where(
        AccessToken.id == bindparam("id"),
        AccessToken.digest == bindparam("digest"),
        AccessToken.expires_at > bindparam("now"),
        AccessToken.revoked_at.is_(None),
        Account.disabled_at.is_(None),
        Client.disabled_at.is_(None),
        Client.removed_at.is_(None),
        Grant.revoked_at.is_(None),
        BrowserSession.ended_at.is_(None),
    ),
    into=Bearer,
)


def find_bearer(token_id: uuid.UUID, digest: bytes, now: datetime) -> Bearer | None:
    """Return what an access token is good for now: token, session, grant, account and application in one statement."""
    return find_row(_BEARER, {"id": token_id, "digest": digest, "now": now})


def delete_expired(now: datetime, limit: int) -> Iterator[int]:
    """Delete tokens that are of no more use, up to limit at once; yield how many went. Does not commit.

    A row stays until its code has run out, too, of which nothing else says that it was spent; and that had its life
    when it was issued, whatever the settings say since. Ids are in the order of time, so there is no index of when
    tokens expire, which every sign-on would have to write into; one of a longer life than now is passed over.
    """
    over = now - codes.LONGEST_LIFE
    until = first_id(over - timedelta(seconds=settings.current().tokens.access_token_seconds))
    yield from batches.delete_older(AccessToken.id, AccessToken.expires_at, over, limit, until=until)
