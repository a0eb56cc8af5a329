"""UserInfo (OpenID Connect Core section 5.3): a token in the header or in a form's body, never in the address."""

from dataclasses import dataclass
from datetime import datetime

from authlib.oauth2.rfc6749 import TokenValidator
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError

from idp.oidc import access_tokens, claims, store
from idp.oidc.token import as_json
from idp.web import metrics
from idp.web.direct import Answer

_TEXTS = {
    "invalid_request": "The access token was sent in more than one way, or more than once.",
    "invalid_token": "The access token is unknown, expired or revoked.",
    "insufficient_scope": "The access token was not issued for openid.",
}


@dataclass(frozen=True, slots=True)
class Presented:
    """Where a request carries its token."""

    authorization: str | None
    body: tuple[str, ...]


def respond(presented: Presented, now: datetime) -> Answer:
    """Answer a UserInfo request; it writes nothing."""
    tokens = [*_from_header(presented.authorization), *presented.body]
    if not tokens:
        metrics.count_refusal("userinfo", "no_token")
        return Answer(401, b"", (("WWW-Authenticate", "Bearer"),))
    if len(tokens) > 1:
        return _refusal(400, "invalid_request")
    shown = access_tokens.read(tokens[0])
    bearer = store.find_bearer(shown.id, shown.digest, now) if shown is not None else None
    if bearer is None:
        return _refusal(401, InvalidTokenError.error)
    if TokenValidator.scope_insufficient(bearer.scope, ["openid"]):
        return _refusal(403, InsufficientScopeError.error)
    return as_json(200, claims.user_info(bearer))


def _from_header(authorization: str | None) -> list[str]:
    if authorization is None:
        return []
    scheme, _, token = authorization.partition(" ")
    return [token.strip()] if scheme.lower() == "bearer" else [""]


def _refusal(status: int, error: str) -> Answer:
    metrics.count_refusal("userinfo", error)
    text = _TEXTS[error]
    challenge = f'Bearer error="{error}", error_description="{text}"'
    return as_json(status, {"error": error, "error_description": text}, ("WWW-Authenticate", challenge))
