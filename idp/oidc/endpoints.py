"""The protocol's endpoints for programs: no page, no cookie, ready answers."""

from functools import lru_cache
from hashlib import sha256

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from idp import clock, settings
from idp.oidc import keys, metadata, token, userinfo
from idp.oidc.token import Answer
from idp.oidc.userinfo import Presented
from idp.web import csrf, errors

blueprint = Blueprint("protocol", __name__)

_PUBLIC_SECONDS = 300
_FAILURES = {
    True: (503, "temporarily_unavailable", "The provider can't do this just now. Try again in half a minute."),
    False: (500, "server_error", "Something went wrong here. The log of the provider says what."),
}
"""What a program is told when the machine fails (RFC 6749 section 4.1.2.1 names the codes), and when we do."""


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server", endpoint="authorization_server")
def configuration() -> Response:
    """The discovery document (OpenID Connect Discovery section 4, RFC 8414 section 3)."""
    return _public(metadata.document(settings.current()))


@blueprint.get("/oauth/jwks")
def jwks() -> Response:
    """The public signing keys (RFC 7517 section 5)."""
    return _public(keys.published(clock.now()))


@blueprint.post("/oauth/token")
@csrf.exempt
def issue_token() -> Response:
    """The token endpoint (RFC 6749 section 3.2)."""
    return _answer(token.respond(request.form.to_dict(flat=False), request.headers.get("Authorization")))


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
@csrf.exempt
def show_userinfo() -> Response:
    """The UserInfo endpoint (OpenID Connect Core section 5.3.1)."""
    body = tuple(request.form.getlist("access_token")) if request.method == "POST" else ()
    return _answer(userinfo.respond(Presented(request.headers.get("Authorization"), body), clock.now()))


@blueprint.errorhandler(Exception)
def tell_a_program(error: Exception) -> Response:
    """Tell a program in JSON, which it reads, that an answer can't be had; what it got wrong itself is said as ever."""
    if isinstance(error, HTTPException):
        return errors.http_error(error)
    failure = errors.note(error)
    status, code, text = _FAILURES[failure.is_passing]
    response = _answer(token.as_json(status, {"error": code, "error_description": text}))
    if failure.is_passing:
        response.headers["Retry-After"] = str(errors.RETRY_SECONDS)
    return response


@blueprint.after_request
def open_to_any_origin(response: Response) -> Response:
    """Let a browser application of any origin read the answers: no cookie counts here, so there is nothing to steal."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    return response


def _answer(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, list(answer.headers))
    response.headers["Cache-Control"] = "no-store"
    return response


def _public(body: bytes) -> Response:
    """Return ready bytes that anybody may keep for a while."""
    response = Response(body, content_type="application/json")
    response.headers["Cache-Control"] = f"public, max-age={_PUBLIC_SECONDS}"
    response.headers["ETag"] = _etag(body)
    response.make_conditional(request)
    return response


@lru_cache(maxsize=16)
def _etag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'
