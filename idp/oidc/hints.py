"""An id_token_hint: one of our own ID tokens, expired or not; signature, issuer, audience and type always count."""

from dataclasses import dataclass
from datetime import datetime

from joserfc import jwt
from joserfc.errors import JoseError

from idp import settings
from idp.oidc import keys


@dataclass(frozen=True, slots=True)
class Hint:
    """What one of our ID tokens says."""

    subject: str
    client_id: str
    sid: str


def read(token: str, now: datetime) -> Hint | None:
    """Return what a hint says, or None if it isn't an ID token of ours, whatever was sent (AUTHLIB-23, -33)."""
    try:
        decoded = jwt.decode(token, keys.ring(now).published, algorithms=list(keys.ALGORITHMS))
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None
    claims = decoded.claims
    if decoded.header.get("typ", "JWT") != "JWT" or claims.get("iss") != settings.current().server.issuer:
        return None
    subject, audience, sid = claims.get("sub"), claims.get("aud"), claims.get("sid")
    if not (isinstance(subject, str) and isinstance(audience, str) and isinstance(sid, str)):
        return None
    return Hint(subject, audience, sid)
