"""Answering authorization requests: what stands between is decided, and the code is issued. This journey commits."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from idp import sealing, settings
from idp.audit import service as audit
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.database import commit
from idp.oidc import authorization_request, codes, hints, interaction, responses, store
from idp.oidc.authorization_request import AuthorizationRequest, Invalid, Parameters, Unanswerable, granted_scope
from idp.oidc.claims import subject
from idp.oidc.interaction import CONSENTED, AskConsent, Issue, LogIn, Refuse, SelectAccount, Visitor
from idp.oidc.store import Visit
from idp.sessions import service as sessions
from idp.sessions.store import ActiveSession
from idp.web import metrics
from idp.web.continuation import Continuation

PATH = "/oauth/authorize/continue"
SHOWN = "shown"

_NOBODY = Visit(0, None, None, frozenset())


@dataclass(frozen=True, slots=True)
class Redirect:
    """The application is answered: go to this address."""

    address: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page stands between; what was asked goes with it."""

    endpoint: str
    continuation: Continuation


@dataclass(frozen=True, slots=True)
class Gone:
    """The application or its address is no longer allowed: an HTML page and no redirect."""


Outcome = Redirect | Page | Gone


class _Lookup:
    """Finds the application that a request names, and in the same statement who visits it in this browser."""

    def __init__(self, session_token: str | None, now: datetime) -> None:
        self._digest = sealing.digest(session_token or "")
        self._now = now
        self.visit = _NOBODY

    def find_client(self, client_id: str) -> RegisteredClient | None:
        """Return the application, if it may act now."""
        found = store.find_visit(client_id, self._digest, self._now) if registry.may_be_an_id(client_id) else None
        if found is None:
            return None
        self.visit = found
        return registry.at_revision(client_id, found.revision)


def answer(parameters: Parameters, session_token: str | None, now: datetime) -> Outcome:
    """Judge a request and take its first step."""
    lookup = _Lookup(session_token, now)
    match authorization_request.parse(parameters, lookup.find_client):
        case Unanswerable():
            return Gone()
        case Invalid(redirect_uri, state, error, description):
            return Redirect(responses.error(redirect_uri, error, description, state))
        case request, client:
            return _begin(request, client, lookup.visit, now)


def _begin(request: AuthorizationRequest, client: RegisteredClient, visit: Visit, now: datetime) -> Outcome:
    """Take the first step of a request that is in order."""
    if request.id_token_hint is not None:
        # Whom it names travels on, and not the token: it is long, and once is enough to check a signature.
        hint = hints.read(request.id_token_hint, now)
        request = request._replace(id_token_hint=None, hinted_subject=hint.subject if hint else "")
    started_at = now.timestamp()

    def going_on() -> Continuation:
        target = responses.form_target(request.redirect_uri)
        return Continuation(PATH, client.client_id, request.to_dict(), started_at, target)

    return _step(request, client, visit, now, going_on=going_on, started_at=started_at, done=())


def proceed(continuation: Continuation, session_token: str | None, now: datetime) -> Outcome:
    """Take the next step of a request that a page stood before; what has changed since is judged again."""
    try:
        request = AuthorizationRequest.from_dict(continuation.request)
    except TypeError:  # sealed by another version, beside which this one runs during an upgrade
        return Gone()
    lookup = _Lookup(session_token, now)
    client = lookup.find_client(request.client_id)
    if client is None or not client.accepts_redirect_uri(request.redirect_uri):
        return Gone()
    # The application may have lost a scope since it asked, a day ago at most.
    request = request._replace(scope=granted_scope(request.scope, client))
    if "openid" not in request.scope.split():
        return Gone()

    def going_on() -> Continuation:
        return replace(continuation, request=request.to_dict())

    started_at, done = continuation.started_at, continuation.done
    return _step(request, client, lookup.visit, now, going_on=going_on, started_at=started_at, done=done)


def _step(
    request: AuthorizationRequest,
    client: RegisteredClient,
    visit: Visit,
    now: datetime,
    *,
    going_on: Callable[[], Continuation],
    started_at: float,
    done: tuple[str, ...],
) -> Outcome:
    """Answer the application, or name the page that stands between, with what goes on after it."""
    session = visit.session
    visitor = None if session is None else _visitor(session, client, visit.granted, request)
    match interaction.decide(request, started_at, done, visitor):
        case LogIn(fresh_after):
            return Page("login.log_in", replace(going_on(), fresh_after=fresh_after))
        case SelectAccount():
            return Page("oidc.select_account", going_on())
        case AskConsent() if session is not None:
            return Page("oidc.consent", going_on().with_step(_shown_to(session, now)))
        case Refuse(error, description):
            return Redirect(responses.error(request.redirect_uri, error, description, request.state))
        case Issue() if session is not None:
            return _issue(request, client, session, visit.grant_id, now)
    raise AssertionError("nothing is issued or consented to without a session")


def _visitor(
    session: ActiveSession,
    client: RegisteredClient,
    granted: frozenset[str],
    request: AuthorizationRequest,
) -> Visitor:
    hint = request.hinted_subject
    return Visitor(
        auth_time=session.auth_time.timestamp(),
        granted=frozenset(client.scopes) if client.first_party else granted,
        is_hinted=hint is None or hint == subject(client.sector_salt, session.account_id),
    )


def _issue(
    request: AuthorizationRequest,
    client: RegisteredClient,
    session: ActiveSession,
    grant_id: uuid.UUID | None,
    now: datetime,
) -> Redirect:
    """Send a code back. Commits what this has written, which mostly is nothing: the code itself carries everything."""
    is_new = grant_id is None
    if grant_id is None:
        # Only the district's own get here without one. It holds no scopes: nobody has consented to any, which
        # counts on the day on which the application is no longer the district's.
        grant_id = store.give_grant(session.account_id, client.pk, [], now)
    if sessions.touch(session, now) or is_new:
        commit()
    metrics.count_code()
    code = codes.issue(request, session, client_pk=client.pk, grant_id=grant_id, now=now)
    return Redirect(responses.code(request.redirect_uri, code, request.state))


def allow(continuation: Continuation, session: ActiveSession, now: datetime) -> Continuation:
    """Remember a consent for exactly what was shown, and return the request with that step done. Commits."""
    request = AuthorizationRequest.from_dict(continuation.request)
    client = registry.find(request.client_id)
    if client is not None:
        found = store.find_scopes(session.account_id, client.pk)
        scopes = sorted(set(found) | set(request.scope.split()))
        store.give_grant(session.account_id, client.pk, scopes, now)
        audit.record(
            "consent_given",
            actor_id=session.account_id,
            account_id=session.account_id,
            client_id=client.client_id,
            scope=request.scope,
        )
        commit()
    return continuation.with_step(CONSENTED)


def deny(continuation: Continuation, session: ActiveSession | None) -> Redirect | Gone:
    """Tell the application that the person said no. Commits."""
    request = AuthorizationRequest.from_dict(continuation.request)
    client = registry.find(request.client_id)
    if client is None or not client.accepts_redirect_uri(request.redirect_uri):
        return Gone()
    account_id = session.account_id if session else None
    audit.record(
        "consent_denied", audit.FAILURE, actor_id=account_id, account_id=account_id, client_id=client.client_id
    )
    commit()
    text = "The person did not agree."
    return Redirect(responses.error(request.redirect_uri, "access_denied", text, request.state))


def was_shown_to(continuation: Continuation, session: ActiveSession, now: datetime) -> bool:
    """Tell whether this very person was shown the consent page, and not too long ago."""
    shown = [step for step in continuation.done if step.startswith(f"{SHOWN}:")]
    if not shown:
        return False
    _, account_id, moment = shown[-1].split(":")
    lifetime = settings.current().tokens.request_at_consent_minutes * 60
    return account_id == session.account_id.hex and now.timestamp() - float(moment) <= lifetime


def _shown_to(session: ActiveSession, now: datetime) -> str:
    return f"{SHOWN}:{session.account_id.hex}:{now.timestamp()}"
