"""The authorization request: read once, strictly, and frozen (OpenID Connect Core section 3.1.2.1)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from idp.clients.registry import RegisteredClient

SCOPES = ("openid", "profile", "email")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})

_SINGLE = frozenset((
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age",
    "code_challenge", "code_challenge_method", "id_token_hint", "login_hint", "request", "request_uri",
    "registration", "acr_values", "display", "ui_locales", "claims_locales", "claims",
))  # fmt: skip
_LONGEST = {
    "client_id": 100, "redirect_uri": 400, "scope": 300, "state": 2048, "nonce": 300, "prompt": 100,
    "id_token_hint": 8192, "login_hint": 100,
}  # fmt: skip
"""Bytes, as UTF-8: what is kept travels in an address until the code is issued, and an address has its limits, too."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_LOCALES = re.compile(r"[A-Za-z0-9 -]{1,100}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)

Parameters = Mapping[str, Sequence[str]]


class AuthorizationRequest(NamedTuple):
    """What an application asks for, once all of it has been judged."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str | None
    prompt: tuple[str, ...]
    max_age: int | None
    code_challenge: str | None
    login_hint: str
    id_token_hint: str | None
    """As it was sent; None once it is read."""
    hinted_subject: str | None = None
    """Whom the hint names; nobody, when it is empty."""
    ui_locales: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return what can be sealed."""
        return self._asdict()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return what to_dict() gave."""
        return cls(**{**values, "prompt": tuple(values["prompt"])})


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """The application or its address is not to be believed: an HTML page, and never a redirect (RFC 6749 4.1.2.1)."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """The application is known and its address is its own, so it is told what is wrong."""

    redirect_uri: str
    state: str | None
    error: str
    description: str


def parse(
    parameters: Parameters, find_client: Callable[[str], RegisteredClient | None]
) -> tuple[AuthorizationRequest, RegisteredClient] | Unanswerable | Invalid:
    """Judge a request. Application and address come first, whatever else is wrong with it (ATTACKS RU7)."""
    client_id, redirect_uri = _only(parameters, "client_id"), _only(parameters, "redirect_uri")
    if client_id is None or redirect_uri is None:
        return Unanswerable()
    client = find_client(client_id)
    if client is None or not client.accepts_redirect_uri(redirect_uri):
        return Unanswerable()
    values = {name: given[0] for name, given in parameters.items() if name in _SINGLE and given}
    wrong = _first_problem(parameters, values, client)
    if wrong is not None:
        error, description = wrong
        state = values.get("state") if len(parameters.get("state", ())) == 1 else None
        return Invalid(redirect_uri, state, error, description)
    request = AuthorizationRequest(
        client_id=client_id,
        redirect_uri=redirect_uri,
        scope=granted_scope(values.get("scope", ""), client),
        state=values.get("state"),
        nonce=values.get("nonce"),
        prompt=tuple(sorted(set(values.get("prompt", "").split()))),
        max_age=int(values["max_age"]) if "max_age" in values else None,
        code_challenge=values.get("code_challenge"),
        login_hint=values.get("login_hint", ""),
        id_token_hint=values.get("id_token_hint"),
        ui_locales=_kept_locales(values.get("ui_locales", "")),
    )
    return request, client


def _kept_locales(ui_locales: str) -> str:
    """Keep a wish for languages if it is one: no wish is an error (OpenID Connect Core section 3.1.2.1)."""
    return ui_locales if _LOCALES.fullmatch(ui_locales) else ""


def granted_scope(scope: str, client: RegisteredClient) -> str:
    """Return the scopes asked for that exist and that the application may ask for, in one fixed order."""
    asked = set(scope.split())
    return " ".join(name for name in SCOPES if name in asked and name in client.scopes)


def _only(parameters: Parameters, name: str) -> str | None:
    """Return a parameter that was sent once, within its length; of two, neither can be believed."""
    given = parameters.get(name, ())
    return given[0] if len(given) == 1 and 0 < _bytes(given[0]) <= _LONGEST[name] else None


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _is_whole(text: str) -> bool:
    """Tell whether a text has no half of a character (a lone surrogate), which UTF-8 and so JSON can't hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _first_problem(
    parameters: Parameters, values: Mapping[str, str], client: RegisteredClient
) -> tuple[str, str] | None:
    """Return error code and fixed text of what is wrong first: no text is ever made from what was sent (AUTHLIB-6)."""
    if any(len(given) > 1 and name in _SINGLE for name, given in parameters.items()):
        return "invalid_request", "A parameter was sent more than once."
    if any(name in _LONGEST and _bytes(value) > _LONGEST[name] for name, value in values.items()):
        return "invalid_request", "A parameter is too long."
    if "\0" in values.get("nonce", "") or not _is_whole(values.get("nonce", "")):
        return "invalid_request", "The nonce holds a character that cannot be kept."
    for name in ("request", "request_uri", "registration"):
        if name in values:
            return f"{name}_not_supported", "This parameter is not supported."
    return (
        _response_problem(values)
        or _scope_problem(values, client)
        or _prompt_problem(values)
        or _challenge_problem(values, client)
    )


def _response_problem(values: Mapping[str, str]) -> tuple[str, str] | None:
    if "response_type" not in values:
        return "invalid_request", "The response_type is missing."
    if values["response_type"] != "code":
        return "unsupported_response_type", "The only response_type is code."
    if values.get("response_mode", "query") != "query":
        return "invalid_request", "The only response_mode is query."
    return None


def _scope_problem(values: Mapping[str, str], client: RegisteredClient) -> tuple[str, str] | None:
    if "openid" not in granted_scope(values.get("scope", ""), client).split():
        return "invalid_scope", "The scope has to contain openid, and the application must be allowed to ask for it."
    return None


def _prompt_problem(values: Mapping[str, str]) -> tuple[str, str] | None:
    prompts = set(values.get("prompt", "").split())
    if prompts - PROMPTS:
        return "invalid_request", "The prompt holds a value that does not exist."
    if "none" in prompts and len(prompts) > 1:
        return "invalid_request", "The prompt none stands alone."
    if "max_age" in values and not _SECONDS.fullmatch(values["max_age"]):
        return "invalid_request", "The max_age is a number of seconds."
    return None


def _challenge_problem(values: Mapping[str, str], client: RegisteredClient) -> tuple[str, str] | None:
    """PKCE by S256 and nothing else, before anybody logs in (RFC 7636 section 4.4.1, RFC 9700 section 2.1.1)."""
    challenge, method = values.get("code_challenge"), values.get("code_challenge_method")
    if challenge is None and method is None:
        if client.is_public or client.require_pkce:
            return "invalid_request", "A code_challenge is required (PKCE)."
        return None
    if challenge is None or method != "S256" or not _CHALLENGE.fullmatch(challenge):
        return "invalid_request", "The code_challenge has to be one of the method S256."
    return None
