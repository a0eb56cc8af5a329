"""The token endpoint: Authlib's server and code grant, with what they call back kept lean and single use kept atomic.

AUTHLIB.md says what the library leaves to us; the numbers in comments are its items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    InvalidGrantError,
    InvalidRequestError,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge

from idp import sealing, settings
from idp.audit import service as audit
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.database import commit
from idp.oidc import access_tokens, client_authentication, codes, keys, store
from idp.oidc.codes import Code
from idp.oidc.id_token import IdToken
from idp.sessions import service as sessions
from idp.web import metrics
from idp.web.direct import Answer

AUTHORIZATION_CODE = "authorization_code"

# Texts are fixed by error code: Authlib builds some from what was sent (6, 7).
_DESCRIPTIONS = {
    "invalid_request": "The request is malformed.",
    "invalid_client": "Client authentication failed.",
    "invalid_grant": "The code is unknown, used, expired, or was issued for another request.",
    "unauthorized_client": "The client may not use this grant.",
    "unsupported_grant_type": "The only grant_type is authorization_code.",
    "invalid_scope": "The scope is not allowed.",
    "temporarily_unavailable": "Too many failed authentications from this address.",
}
_LONGEST_VALUE = 2048
_OF_EVERY_ANSWER = {"Content-Type", "Cache-Control"}
"""Headers of Authlib's that all our answers have."""


def as_json(status: int, body: Mapping[str, Any], *headers: tuple[str, str]) -> Answer:
    """Return an answer of JSON that no cache keeps."""
    return Answer(status, orjson.dumps(body), (("Content-Type", "application/json"), *headers))


@dataclass(frozen=True, slots=True)
class ProtocolClient:
    """An application in the shape that Authlib's grants ask for."""

    registered: RegisteredClient

    def get_client_id(self) -> str:
        """Return the public identifier."""
        return self.registered.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether the application may use a grant: every one may use the code's, and none another."""
        return grant_type == AUTHORIZATION_CODE

    def get_allowed_scope(self, scope: str) -> str:
        """Return the scope as it was granted: it was judged when it was asked for."""
        return scope


class FormRequest(OAuth2Request):
    """A token request, read from its body alone: never from the query (11), and no name twice (12)."""

    def __init__(self, form: Mapping[str, Sequence[str]], authorization: str | None, now: datetime) -> None:
        # The transport is judged once, by the settings: the issuer is HTTPS in production (36).
        super().__init__("POST", "https://localhost/oauth/token", headers={"Authorization": authorization})
        self.values = {name: given[0] for name, given in form.items() if given}
        self.payload = BasicOAuth2Payload(self.values)
        self.is_muddled = any(len(given) != 1 for given in form.values()) or any(
            len(value) > (codes.LONGEST if name == "code" else _LONGEST_VALUE) for name, value in self.values.items()
        )
        self.authorization = authorization
        self.now = now
        """The moment at which all of it is judged."""
        self.spent: Code | None = None
        self.access_token = ""
        """What the code was spent for."""
        self.sid: str | None = None

    @property
    def form(self) -> dict[str, str]:
        """Return the body's fields."""
        return self.values


class S256(CodeChallenge):
    """PKCE by S256 alone (3); a verifier that is missing or malformed is a wrong grant (FAPI 2.0 asks for that)."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_verifier(self, grant: "CodeGrant", result: Any) -> None:
        """Compare the verifier with the challenge. The code is spent by now: a wrong verifier burns it (2)."""
        try:
            super().validate_code_verifier(grant, result)
        except InvalidRequestError as error:
            raise InvalidGrantError from error


class CodeGrant(AuthorizationCodeGrant):
    """The authorization code grant (RFC 6749 section 4.1.3)."""

    def query_authorization_code(self, code: str, client: ProtocolClient) -> Code | None:
        """Spend the code for a token, in one statement and before anything is checked against it (1)."""
        now, found = self.request.now, codes.read(code)
        if found is None:
            # A node that has not got the others' key knows no code of theirs; it can't sign either, and says so.
            keys.ring(now).signer(client.registered.id_token_signed_response_alg)
            return None
        if found.client_pk != client.registered.pk:
            return None
        access_token = access_tokens.new(found.id)
        digest, is_good = sealing.digest(access_token), found.expires_at > now
        spent = store.spend_code(found, digest, now) if is_good else None
        if spent is not None:
            self.request.spent, self.request.access_token = found, access_token
            (self.request.sid,) = spent
            return found
        if store.revoke_redeemed(found, now):
            client_id = client.registered.client_id
            audit.record("code_replayed", audit.FAILURE, account_id=found.account_id, client_id=client_id)
        elif is_good:
            store.void_code(found, digest, now)
        return None

    def authenticate_user(self, authorization_code: Code) -> FormRequest:
        """Return the request, with the application's sid: session, account and grant stood when the code was spent."""
        request: FormRequest = self.request
        if request.sid is None:
            request.sid = sessions.join(authorization_code.session_id, authorization_code.client_pk, request.now)
        return request

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Keep it spent: a second use must revoke what this one produced (1)."""


class TokenServer(AuthorizationServer):
    """Authlib's server, reduced to the token endpoint."""

    def query_client(self, client_id: str) -> ProtocolClient | None:
        """Return an application."""
        found = registry.find(client_id)
        return ProtocolClient(found) if found else None

    def authenticate_client(self, request: FormRequest, methods: Any, endpoint: str = "token") -> ProtocolClient:  # noqa: ARG002  Authlib's signature
        """Authenticate by the registered method alone (8, 9)."""
        if request.is_muddled:
            raise InvalidRequestError
        client, request.auth_method = client_authentication.authenticate(
            request.authorization, request.values, request.now
        )
        return ProtocolClient(client)

    def save_token(self, token: dict[str, Any], request: FormRequest) -> None:  # noqa: ARG002  Authlib's signature
        """Record what was granted, from where the person was; the token is stored since its code was spent (28)."""
        code = request.authorization_code
        client: RegisteredClient = request.client.registered
        audit.record(
            "authorization_granted",
            actor_id=code.account_id,
            account_id=code.account_id,
            client_id=client.client_id,
            address=code.address,
            scope=code.scope,
        )
        registry.touch_used(client, request.now)

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        """Take the request as it was built."""
        return request

    def handle_response(self, status: int, body: dict[str, Any], headers: Sequence[tuple[str, str]]) -> Answer:
        """Return the answer as bytes; an error's text is the fixed one of its code."""
        if "error" in body:
            metrics.count_refusal("token", body["error"])
            body = {"error": body["error"], "error_description": _DESCRIPTIONS[body["error"]]}
        return as_json(status, body, *(header for header in headers if header[0] not in _OF_EVERY_ANSWER))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


@cache
def _server() -> TokenServer:
    server = TokenServer()
    server.register_token_generator("default", BearerTokenGenerator(_access_token, expires_generator=_expires_in))
    server.register_grant(CodeGrant, [S256(required=True), IdToken()])
    return server


def _access_token(user: FormRequest, **_for_whom: Any) -> str:
    """Return the token that the code was spent for; who asks for the person is the request itself."""
    return user.access_token


def _expires_in(_client: ProtocolClient, _grant_type: str) -> int:
    """Return the token's life; Authlib's own default is ten days (24)."""
    return settings.current().tokens.access_token_seconds


def respond(form: Mapping[str, Sequence[str]], authorization: str | None, now: datetime) -> Answer:
    """Answer a token request. The one commit keeps a code spent that a later check has refused, and its token dead."""
    request = FormRequest(form, authorization, now)
    answer: Answer = _server().create_token_response(request)
    if answer.status != 200 and request.spent is not None:
        store.burn_code(request.spent)
    commit()
    if answer.status == 200:
        metrics.count_tokens(AUTHORIZATION_CODE)
    return answer
