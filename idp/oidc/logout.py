"""RP-initiated log-out (OpenID Connect RP-Initiated Logout 1.0): who asks, whom it ends, where it goes on."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from idp.audit import service as audit
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.database import db
from idp.oidc import hints, responses
from idp.oidc.claims import subject
from idp.sessions import service as sessions
from idp.sessions.store import KnownSession

_LONGEST_STATE = 2048


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A log-out as it was asked for, judged."""

    client: RegisteredClient | None
    sid: str | None
    """Of a valid hint: the session it names."""
    subject: str | None
    return_to: str | None
    """The application's registered address, with its state; None when there is none, or it is not to be believed."""
    is_wrong: bool
    """Something was sent that is not ours or not registered: nothing is ended without asking, and no redirect."""


def parse(parameters: dict[str, list[str]], now: datetime) -> LogoutRequest:
    """Judge a log-out request (section 2). An address counts only with the application that registered it."""
    repeated = any(len(given) > 1 for given in parameters.values())
    values = {name: given[0] for name, given in parameters.items() if given and given[0]}
    hint = hints.read(values["id_token_hint"], now) if "id_token_hint" in values else None
    client_id = values.get("client_id")
    wrong = repeated or ("id_token_hint" in values and hint is None)
    if hint is not None and client_id not in {None, hint.client_id}:
        wrong, hint = True, None
    named = hint.client_id if hint is not None else client_id
    client = registry.find(named) if named else None
    address = values.get("post_logout_redirect_uri")
    state = values.get("state")
    registered = client is not None and address is not None and client.accepts_post_logout_redirect_uri(address)
    wrong = wrong or (address is not None and not registered) or len(state or "") > _LONGEST_STATE
    return LogoutRequest(
        client=client,
        sid=hint.sid if hint else None,
        subject=hint.subject if hint else None,
        return_to=responses.with_parameters(address, {"state": state})
        if address and registered and not wrong
        else None,
        is_wrong=wrong,
    )


def names_session(request: LogoutRequest, session: KnownSession) -> bool:
    """Tell whether the hint is of this browser's session, so that nobody else's page can log a person out."""
    if request.client is None or request.sid is None or request.is_wrong:
        return False
    part = sessions.find_participant(request.sid)
    return (
        part is not None
        and part.session_id == session.id
        and part.client_pk == request.client.pk
        and request.subject == subject(request.client.sector_salt, session.account_id)
    )


def end(session: KnownSession, client_id: str | None, now: datetime) -> None:
    """End the session and owe every application its notice, in one transaction. Commits."""
    if sessions.end(session.id, "log_out", now):
        account: uuid.UUID = session.account_id
        audit.record("log_out", actor_id=account, account_id=account, client_id=client_id)
    db.session.commit()
