"""The protocol's endpoints for programs: no page, no cookie, ready answers."""

from functools import lru_cache
from hashlib import sha256

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from idp import clock, settings
from idp.oidc import keys, metadata, token, userinfo
from idp.oidc.userinfo import Presented
from idp.web import direct, errors
from idp.web.direct import Answer, Message

blueprint = Blueprint("protocol", __name__)

_PUBLIC = "public, max-age=300"
_OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
_FAILURES = {
    True: (503, "temporarily_unavailable", "The provider can't do this just now. Try again in half a minute."),
    False: (500, "server_error", "Something went wrong here. The log of the provider says what."),
}
"""What a program is told when the machine fails (RFC 6749 section 4.1.2.1 names the codes), and when we do."""


def configuration(message: Message) -> Answer:
    """The discovery document (OpenID Connect Discovery section 4, RFC 8414 section 3)."""
    return _public(metadata.document(settings.current()), message)


def authorization_server(message: Message) -> Answer:
    """The same by its other name."""
    return configuration(message)


def jwks(message: Message) -> Answer:
    """The public signing keys (RFC 7517 section 5)."""
    return _public(keys.published(clock.now()), message)


def issue_token(message: Message) -> Answer:
    """The token endpoint (RFC 6749 section 3.2)."""
    return token.respond(message.form, message.authorization, clock.now())


def show_userinfo(message: Message) -> Answer:
    """The UserInfo endpoint (OpenID Connect Core section 5.3.1)."""
    body = tuple(message.form.get("access_token", ()))
    return userinfo.respond(Presented(message.authorization, body), clock.now())


for path, endpoint, methods, is_ready in (
    ("/.well-known/openid-configuration", configuration, ["GET"], True),
    ("/.well-known/oauth-authorization-server", authorization_server, ["GET"], True),
    ("/oauth/jwks", jwks, ["GET"], False),
    ("/oauth/token", issue_token, ["POST"], False),
    ("/oauth/userinfo", show_userinfo, ["GET", "POST"], False),
):
    direct.route(blueprint, path, endpoint, methods, _OPEN, is_ready=is_ready)


@blueprint.errorhandler(Exception)
def tell_a_program(error: Exception) -> Response:
    """Tell a program in JSON, which it reads, that an answer can't be had; what it got wrong itself is said as ever."""
    if isinstance(error, HTTPException):
        return errors.http_error(error)
    failure = errors.note(error)
    status, code, text = _FAILURES[failure.is_passing]
    response = direct.response(token.as_json(status, {"error": code, "error_description": text}))
    if failure.is_passing:
        response.headers["Retry-After"] = str(errors.RETRY_SECONDS)
    return response


@blueprint.after_request
def open_to_any_origin(response: Response) -> Response:
    """Let a browser application of any origin read the answers: no cookie counts here, so there is nothing to steal."""
    response.headers.update(_OPEN)
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    return response


def _public(body: bytes, message: Message) -> Answer:
    """Return ready bytes that anybody may keep for a while."""
    etag = _etag(body)
    if message.has(etag):
        return Answer(304, b"", (("ETag", etag),), _PUBLIC)
    return Answer(200, body, (("Content-Type", "application/json"), ("ETag", etag)), _PUBLIC)


@lru_cache(maxsize=16)
def _etag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'
