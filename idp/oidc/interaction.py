"""What stands between an authorization request and its code: a pure decision."""

from dataclasses import dataclass

from idp.oidc.authorization_request import AuthorizationRequest

SELECTED, CONSENTED = "selected", "consented"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in, as far as the decision needs to know."""

    auth_time: float
    """Seconds since 1970."""
    granted: frozenset[str]
    """The scopes this person has let the application have; all of them for the district's own."""
    is_hinted: bool = True
    """Whether an id_token_hint, if there is one, names this person."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """Ask for username and password; a log-in before fresh_after does not count."""

    fresh_after: float | None


@dataclass(frozen=True, slots=True)
class SelectAccount:
    """Ask whether to go on as who is logged in."""


@dataclass(frozen=True, slots=True)
class AskConsent:
    """Ask whether the application may have what it asks for."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Nothing stands between: give the code."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Something stands between, and the application asked that no page be shown."""

    error: str
    description: str


Decision = LogIn | SelectAccount | AskConsent | Issue | Refuse


def decide(
    request: AuthorizationRequest, started_at: float, done: tuple[str, ...], visitor: Visitor | None
) -> Decision:
    """Return the next step. Freshness is judged against the request's start: judged against now it would never end."""
    silent = "none" in request.prompt
    fresh_after = _fresh_after(request, started_at)
    if visitor is not None and not visitor.is_hinted:
        # Whoever has logged in since, and is still not the person hinted at, would be asked for ever.
        if silent or visitor.auth_time >= started_at:
            return Refuse("login_required", "Somebody else is logged in than the hint names.")
        return LogIn(started_at)
    if visitor is None or (fresh_after is not None and visitor.auth_time < fresh_after):
        return Refuse("login_required", "Nobody is logged in as required.") if silent else LogIn(fresh_after)
    if "select_account" in request.prompt and SELECTED not in done and visitor.auth_time < started_at:
        return SelectAccount()
    asked_again = "consent" in request.prompt and CONSENTED not in done
    if asked_again or not set(request.scope.split()) <= visitor.granted:
        return Refuse("consent_required", "Consent has not been given.") if silent else AskConsent()
    return Issue()


def _fresh_after(request: AuthorizationRequest, started_at: float) -> float | None:
    """Return the moment before which a log-in is too old, or None when any will do."""
    if "login" in request.prompt:
        return started_at
    return None if request.max_age is None else started_at - request.max_age
