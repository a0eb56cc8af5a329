"""The logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4), signed when it is delivered."""

from datetime import datetime

from idp import sealing, settings
from idp.clients.registry import RegisteredClient
from idp.oidc import keys
from idp.oidc.claims import subject
from idp.sessions.models import LogoutNotice

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LIFE_SECONDS = 120


def logout_token(notice: LogoutNotice, client: RegisteredClient, now: datetime) -> str:
    """Return the signed logout token of one notice; it has no nonce, so that it can't pass for an ID token."""
    issued_at = int(now.timestamp())
    signer = keys.ring(now).signer(client.id_token_signed_response_alg)
    claims = {
        "iss": settings.current().server.issuer,
        "aud": client.client_id,
        "iat": issued_at,
        "exp": issued_at + _LIFE_SECONDS,
        "jti": sealing.random_token(),
        "sub": subject(client.sector_salt, notice.account_id),
        "sid": notice.sid,
        "events": {EVENT: {}},
    }
    return signer.sign(claims, "logout+jwt")
