"""What somebody changes of their own account, beside the password."""

import uuid
from datetime import datetime

from sqlalchemy import select

from idp.audit import service as audit
from idp.clients.models import Client
from idp.database import db
from idp.oidc import store as protocol
from idp.oidc.models import Grant
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession
from idp.sessions.store import ActiveSession


def end_elsewhere(session: ActiveSession, session_id: uuid.UUID, now: datetime) -> bool:
    """Log another browser of the same account out; False when there is none. Applications are told."""
    owner = db.session.scalar(select(BrowserSession.account_id).where(BrowserSession.id == session_id))
    if owner != session.account_id or session_id == session.id or not sessions.end(session_id, "ended_by_owner", now):
        db.session.rollback()
        return False
    audit.record("session_end", actor_id=session.account_id, account_id=session.account_id)
    db.session.commit()
    return True


def end_all_elsewhere(session: ActiveSession, now: datetime) -> int:
    """Log every other browser of the account out, and return how many there were. Applications are told."""
    ended = sessions.end_all(session.account_id, "ended_by_owner", now, except_session=session.id)
    if ended:
        audit.record("session_end", actor_id=session.account_id, account_id=session.account_id, sessions=ended)
    db.session.commit()
    return ended


def withdraw(session: ActiveSession, grant_id: uuid.UUID, now: datetime) -> Client | None:
    """Take back what an application was allowed: its tokens die at once, and it has to ask again.

    Returns the application; None when there is no such consent of this account, or it is the district's own, which
    asks nobody.
    """
    client = db.session.scalar(
        select(Client)
        .join(Grant, Grant.client_pk == Client.id)
        .where(Grant.id == grant_id, Grant.account_id == session.account_id, Client.first_party.is_(False))
    )
    if client is None or not protocol.revoke_grant(grant_id, now):
        db.session.rollback()
        return None
    account_id = session.account_id
    audit.record("consent_withdraw", actor_id=account_id, account_id=account_id, client_id=client.client_id)
    db.session.commit()
    return client
