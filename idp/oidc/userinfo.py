"""UserInfo (OpenID Connect Core section 5.3): a token in the header or in a form's body, never in the address."""

from dataclasses import dataclass
from datetime import datetime

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6750 import BearerTokenValidator, InsufficientScopeError, InvalidTokenError

from idp import sealing
from idp.oidc import claims, store
from idp.oidc.store import Bearer
from idp.oidc.token import Answer, as_json

_LONGEST = 200
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


class TokenValidator(BearerTokenValidator):
    """Authlib's judgement of a token and its scope; what is found in the store is already good now."""

    def validate_token(self, token: Bearer | None, scopes: list[str], request: object) -> None:  # noqa: ARG002  Authlib's signature
        """Raise InvalidTokenError or InsufficientScopeError (RFC 6750 section 3.1)."""
        if token is None:
            raise InvalidTokenError
        if self.scope_insufficient(token.scope, scopes):
            raise InsufficientScopeError


_validator = TokenValidator()


def respond(presented: Presented, now: datetime) -> Answer:
    """Answer a UserInfo request; it writes nothing."""
    tokens = [*_from_header(presented.authorization), *presented.body]
    if not tokens:
        return Answer(401, b"", (("WWW-Authenticate", "Bearer"),))
    if len(tokens) > 1:
        return _refusal(400, "invalid_request")
    # The scheme has no second spelling: a token is what was issued, to the letter (ATTACKS JW14).
    bearer = store.find_bearer(sealing.digest(tokens[0]), now) if len(tokens[0]) <= _LONGEST else None
    try:
        _validator.validate_token(bearer, ["openid"], None)
    except OAuth2Error as error:
        return _refusal(error.status_code, error.error)
    assert bearer is not None  # noqa: S101  validate_token() has just refused None
    return as_json(200, claims.user_info(bearer))


def _from_header(authorization: str | None) -> list[str]:
    if authorization is None:
        return []
    scheme, _, token = authorization.partition(" ")
    return [token.strip()] if scheme.lower() == "bearer" else [""]


def _refusal(status: int, error: str) -> Answer:
    text = _TEXTS[error]
    challenge = f'Bearer error="{error}", error_description="{text}"'
    return as_json(status, {"error": error, "error_description": text}, ("WWW-Authenticate", challenge))
