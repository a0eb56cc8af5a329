"""Who asks at the token endpoint: exactly one method, the registered one, and one answer for every failure."""

import base64
import binascii
from datetime import datetime
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Error

from idp.audit import service as audit
from idp.clients import secrets
from idp.clients.registry import RegisteredClient
from idp.database import db
from idp.throttle import service as throttle
from idp.throttle.rules import Wait
from idp.web import context, metrics

BASIC, POST, NONE = "client_secret_basic", "client_secret_post", "none"

_LONGEST = 400


class TooManyTriesError(OAuth2Error):
    """This application's secret was tried wrongly too often from this address."""

    error = "temporarily_unavailable"
    description = "Too many failed authentications from this address."
    status_code = 429

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds

    def get_headers(self) -> list[tuple[str, str]]:
        """Say when to come back (RFC 6585 section 4)."""
        return [*super().get_headers(), ("Retry-After", str(self.seconds))]


def authenticate(authorization: str | None, form: dict[str, str], now: datetime) -> tuple[RegisteredClient, str]:
    """Return the application and the method by which it proved itself.

    Raises InvalidRequestError for a muddle, InvalidClientError (401) for any failure, TooManyTriesError (429). A right
    secret writes nothing: it has 256 bits, so the limit guards the server's work and the record, not the secret.
    """
    client_id, secret, method = _presented(authorization, form)
    client, is_proven = secrets.find(client_id, secret, now) if client_id else (None, False)
    is_method = client is not None and client.token_endpoint_auth_method == method
    if client is not None and is_method and (method == NONE or is_proven):
        return client, method
    reason = "secret" if is_method else "unknown_client" if client is None else "method"
    metrics.count_refusal("client_authentication", reason)
    _record_failure(client_id, client, now)
    raise InvalidClientError(status_code=401, description="Client authentication failed.")


def _presented(authorization: str | None, form: dict[str, str]) -> tuple[str, str, str]:
    """Return id, secret and method; of two methods at once neither is taken (RFC 6749 section 2.3)."""
    by_header = authorization is not None
    by_body = "client_secret" in form
    if by_header and by_body:
        raise InvalidRequestError("More than one way of client authentication was used.")
    if by_header:
        client_id, secret = _basic(authorization or "")
        if form.get("client_id", client_id) != client_id:
            raise InvalidRequestError("The client_id differs from the authenticated client.")
        return client_id, secret, BASIC
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if len(client_id) > _LONGEST or len(secret) > _LONGEST:
        return "", "", POST
    return client_id, secret, POST if by_body else NONE


def _basic(header: str) -> tuple[str, str]:
    """Return what HTTP Basic holds, form-decoded (RFC 6749 section 2.3.1); whatever was sent, never an exception."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(encoded) > 2 * _LONGEST:
        return "", ""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return "", ""
    client_id, _, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _record_failure(client_id: str, client: RegisteredClient | None, now: datetime) -> None:
    """Count the failure; name it in the record only for an application that exists, so that rubbish fills no table."""
    subject = client_id if client is not None else "unknown"
    verdict = throttle.reserve("client_secret", f"{subject} {context.network()}", now)
    if isinstance(verdict, Wait):
        db.session.rollback()
        raise TooManyTriesError(max(1, int((verdict.until - now).total_seconds())))
    if client is not None:
        audit.record("client_authentication", audit.FAILURE, client_id=client_id)
    db.session.commit()
