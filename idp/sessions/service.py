"""Starting, renewing and ending sessions, and the steps that stand before one. Nothing here commits."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update

from idp import sealing, settings
from idp.accounts.models import GUARDIAN, Account
from idp.clients.models import Client
from idp.database import RELAXED, db, run, upsert
from idp.ids import new_id
from idp.sessions.models import BrowserSession, LogoutNotice, OpenSteps, Participant
from idp.sessions.store import ActiveSession
from idp.statements import Prepared

ACR = "urn:district-idp:acr:password"
"""One factor: a password. Named, so that an application can tell it from what later factors will be."""


def start(
    account: Account, *, amr: list[str], shared_computer: bool, user_agent: str, address: str, now: datetime
) -> str:
    """Begin a session and return its cookie's token; beyond the cap of sessions the oldest one ends."""
    token = sealing.random_token()
    idle, absolute = _limits(account.role, shared_computer=shared_computer)
    session = BrowserSession(
        digest=sealing.digest(token),
        account_id=account.id,
        auth_time=now,
        amr=amr,
        acr=ACR,
        shared_computer=shared_computer,
        user_agent=user_agent[:300],
        address=address,
        created_at=now,
        last_seen_at=now,
        idle_expires_at=now + idle,
        expires_at=now + absolute,
    )
    db.session.add(session)
    db.session.flush()
    _end_beyond_cap(account.id, now)
    return token


def renew(session: ActiveSession, *, amr: list[str], now: datetime, shared_computer: bool | None = None) -> str:
    """Take note of a new authentication: the cookie's token changes, what hangs on the session stays."""
    token = sealing.random_token()
    shared = session.shared_computer if shared_computer is None else shared_computer
    idle, absolute = _limits(session.role, shared_computer=shared)
    db.session.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session.id)
        .values(
            digest=sealing.digest(token),
            auth_time=now,
            amr=amr,
            shared_computer=shared,
            last_seen_at=now,
            idle_expires_at=now + idle,
            expires_at=now + absolute,
        )
    )
    return token


def touch(session: ActiveSession, now: datetime) -> bool:
    """Push the idle limit out, at most once in a few minutes: a row is not written for every page. Tell if it was."""
    idle, _absolute = _limits(session.role, shared_computer=session.shared_computer)
    if now - session.last_seen_at < min(idle / 10, timedelta(minutes=3)):
        return False
    run(_TOUCH, {"session": session.id, "now": now, "idle": min(now + idle, session.expires_at)})
    return True


_TOUCH = Prepared(
    update(BrowserSession)
    .where(BrowserSession.id == bindparam("session"))
    .values(last_seen_at=bindparam("now"), idle_expires_at=bindparam("idle")),
    relaxed=True,
)


def end(session_id: uuid.UUID, by: str, now: datetime) -> bool:
    """End one session by an act, and owe each application that took part a notice; False when it had ended before."""
    ended = db.session.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session_id, BrowserSession.ended_at.is_(None))
        .values(ended_at=now, ended_by=by)
        .returning(BrowserSession.account_id)
    ).all()
    for (account_id,) in ended:
        _owe_notices(account_id, session_id, now)
    return bool(ended)


def end_all(account_id: uuid.UUID, by: str, now: datetime, except_session: uuid.UUID | None = None) -> int:
    """End an account's sessions, but one if it is named, and return how many ended; open steps go, too."""
    db.session.execute(delete(OpenSteps).where(OpenSteps.account_id == account_id))
    live = select(BrowserSession.id).where(
        BrowserSession.account_id == account_id, BrowserSession.ended_at.is_(None), BrowserSession.expires_at > now
    )
    if except_session is not None:
        live = live.where(BrowserSession.id != except_session)
    return sum(end(session_id, by, now) for session_id in db.session.scalars(live).all())


def open_steps(account: Account, steps: list[str], *, amr: list[str], shared_computer: bool, now: datetime) -> str:
    """Keep a right password whose steps are not all done, and return its cookie's token. It is not a session."""
    token = sealing.random_token()
    db.session.add(
        OpenSteps(
            digest=sealing.digest(token),
            account_id=account.id,
            steps=steps,
            amr=amr,
            shared_computer=shared_computer,
            created_at=now,
            expires_at=now + timedelta(minutes=settings.current().sessions.steps_minutes),
        )
    )
    return token


def find_open_steps(token: str, now: datetime) -> OpenSteps | None:
    """Return the steps still open in this browser, if they are in time and the account is still allowed in."""
    return db.session.scalar(
        select(OpenSteps)
        .join(Account, Account.id == OpenSteps.account_id)
        .where(OpenSteps.digest == sealing.digest(token), OpenSteps.expires_at > now, Account.disabled_at.is_(None))
    )


def close_steps(steps: OpenSteps) -> bool:
    """Spend the open steps in one statement; False when another request has done so first."""
    return (
        db.session.execute(delete(OpenSteps).where(OpenSteps.id == steps.id).returning(OpenSteps.id)).first()
        is not None
    )


def join(session_id: uuid.UUID, client_pk: uuid.UUID, now: datetime) -> str:
    """Return the sid by which an application knows a session, made when it first takes part."""
    new = {"sid": sealing.random_token(), "session_id": session_id, "client_pk": client_pk, "created_at": now}
    # DO NOTHING returns no row for one that is there, so the row is written again as it is.
    statement = (
        upsert(Participant)
        .values(new)
        .on_conflict_do_update(index_elements=["session_id", "client_pk"], set_={"client_pk": client_pk})
        .returning(Participant.sid)
        .execution_options(**RELAXED)
    )
    return db.session.execute(statement).scalar_one()


def find_participant(sid: str) -> Participant | None:
    """Return the part that a sid names, of a live session or an ended one."""
    return db.session.get(Participant, sid)


def _owe_notices(account_id: uuid.UUID, session_id: uuid.UUID, now: datetime) -> None:
    took_part = db.session.execute(
        select(Participant.sid, Participant.client_pk)
        .join(Client, Client.id == Participant.client_pk)
        .where(Participant.session_id == session_id, Client.backchannel_logout_uri.is_not(None))
    ).all()
    notices = [
        {
            "id": new_id(),
            "client_pk": client_pk,
            "account_id": account_id,
            "sid": sid,
            "created_at": now,
            "due_at": now,
            "attempts": 0,
            "last_result": "",
        }
        for sid, client_pk in took_part
    ]
    if notices:
        db.session.execute(insert(LogoutNotice), notices)


def _end_beyond_cap(account_id: uuid.UUID, now: datetime) -> None:
    beyond = (
        select(BrowserSession.id)
        .where(
            BrowserSession.account_id == account_id, BrowserSession.ended_at.is_(None), BrowserSession.expires_at > now
        )
        .order_by(BrowserSession.created_at.desc())
        .offset(settings.current().sessions.per_account)
    )
    for session_id in db.session.scalars(beyond).all():
        end(session_id, "too_many_sessions", now)


def _limits(role: str, *, shared_computer: bool) -> tuple[timedelta, timedelta]:
    """Return the idle and the absolute limit of a session."""
    limits = settings.current().sessions
    idle, absolute = timedelta(minutes=limits.idle_minutes), timedelta(hours=limits.absolute_hours)
    if role != GUARDIAN:
        idle, absolute = timedelta(minutes=limits.staff_idle_minutes), timedelta(hours=limits.staff_absolute_hours)
    if shared_computer:
        idle = min(idle, timedelta(minutes=limits.shared_idle_minutes))
        absolute = min(absolute, timedelta(hours=limits.shared_absolute_hours))
    return idle, absolute
