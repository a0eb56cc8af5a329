"""What somebody sees of their own account: where it is logged in, what happened on it, which applications know it."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from idp.audit.models import AuditEvent
from idp.clients.models import Client
from idp.database import db
from idp.oidc.models import Grant
from idp.profile import user_agents
from idp.sessions.models import BrowserSession
from idp.sessions.store import ActiveSession

_MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A browser in which the account is logged in."""

    session_id: uuid.UUID
    browser: str
    address: str
    since: datetime
    last_seen_at: datetime
    is_here: bool
    """Whether it is the one that asks."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened on the account, in words."""

    at: datetime
    words: str
    address: str
    is_alarming: bool
    """Whether somebody else may have been at work."""


@dataclass(frozen=True, slots=True)
class KnownApplication:
    """An application that the account was used at."""

    grant_id: uuid.UUID
    client: Client
    scopes: frozenset[str]
    since: datetime


def places(session: ActiveSession, now: datetime) -> list[Place]:
    """Return where the account is logged in: this browser first, then by when each was last used."""
    found = db.session.scalars(
        select(BrowserSession)
        .where(
            BrowserSession.account_id == session.account_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.idle_expires_at > now,
            BrowserSession.expires_at > now,
        )
        .order_by(BrowserSession.last_seen_at.desc())
    )
    listed = [
        Place(
            one.id,
            user_agents.describe(one.user_agent),
            one.address,
            one.created_at,
            one.last_seen_at,
            one.id == session.id,
        )
        for one in found
    ]
    return sorted(listed, key=lambda place: not place.is_here)


def happenings(account_id: uuid.UUID, now: datetime) -> list[Happening]:
    """Return the last hundred things that happened on the account in a year, the newest first."""
    words, theirs = _words(), select(AuditEvent).where(AuditEvent.account_id == account_id)
    # The index by account holds what is sealed; what is not is a handful, found by having no place yet.
    newest = theirs.where(AuditEvent.position.is_(None)).order_by(AuditEvent.id.desc()).limit(_MOST_EVENTS)
    sealed = theirs.where(AuditEvent.position.is_not(None)).order_by(AuditEvent.id.desc()).limit(_MOST_EVENTS)
    found = [*db.session.scalars(newest), *db.session.scalars(sealed)][:_MOST_EVENTS]
    year_ago = now - timedelta(days=365)
    return [
        Happening(one.at, told, one.address or "", one.outcome != "success")
        for one in found
        if one.at > year_ago and (told := words.get((one.event, one.outcome)))
    ]


def applications(account_id: uuid.UUID) -> list[KnownApplication]:
    """Return the applications that know the account, by name."""
    found = db.session.execute(
        select(Grant, Client)
        .join(Client, Client.id == Grant.client_pk)
        .where(Grant.account_id == account_id, Grant.revoked_at.is_(None))
        .order_by(Client.client_name)
    )
    return [KnownApplication(grant.id, client, frozenset(grant.scopes), grant.created_at) for grant, client in found]


def _words() -> dict[tuple[str, str], str]:
    """Return what is said of each event and its outcome; what is not in here is of no use to its owner."""
    return {
        ("log_in", "success"): _("Logged in"),
        ("log_in", "failure"): _("A try to log in"),
        ("log_in_tries_told", "success"): _("We mailed you about log-ins that failed"),
        ("password_stopped", "success"): _("Too many wrong passwords: it works in known browsers only"),
        ("log_out", "success"): _("Logged out"),
        ("reauthentication", "success"): _("Typed the password again"),
        ("reauthentication", "failure"): _("A wrong password where it was asked for again"),
        ("password_change", "success"): _("The password was changed"),
        ("password_change", "failure"): _("A wrong password where it was to be changed"),
        ("security_email_set", "success"): _("A security email was entered"),
        ("security_email_set", "failure"): _("A wrong password where the security email was to be changed"),
        ("security_email_resent", "success"): _("The verification email was sent again"),
        ("security_email_verified", "success"): _("The security email was verified"),
        ("security_email_verified", "failure"): _("A wrong code for the security email"),
        ("security_email_changed", "success"): _("The security email was changed"),
        ("security_email_removed", "success"): _("The support team removed the security email"),
        ("security_email_objection", "success"): _("A change was stopped with “This was not me”"),
        ("temporary_password", "success"): _("A new temporary password was made by the support team"),
        ("first_password_link", "success"): _("A link to choose a password was mailed"),
        ("password_forgotten", "success"): _("A link to a new password was mailed"),
        ("username_forgotten", "success"): _("The username was mailed"),
        ("robot_code_mailed", "success"): _("A code in place of pictures was mailed"),
        ("account_add", "success"): _("The account was made"),
        ("account_rename", "success"): _("The username was changed by the support team"),
        ("contact_email_changed", "success"): _("The district noted a new email address for you"),
        ("account_unlock", "success"): _("The support team let log-ins be tried again at once"),
        ("account_recovery_by", "success"): _("The support team noted how you get back in"),
        ("account_disable", "success"): _("The account was closed by the district"),
        ("account_enable", "success"): _("The account was opened again by the district"),
        ("session_end", "success"): _("Logged out in another browser"),
        ("consent_given", "success"): _("Allowed an application"),
        ("consent_withdraw", "success"): _("Withdrew from an application"),
    }
