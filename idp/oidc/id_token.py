"""The ID token (OpenID Connect Core section 2), made when Authlib's code grant has made the access token."""

from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oidc.core.grants.code import OpenIDToken
from authlib.oidc.core.grants.util import create_half_hash

from idp import settings
from idp.clients.registry import RegisteredClient
from idp.database import commit
from idp.oidc import keys
from idp.oidc.claims import subject
from idp.oidc.codes import Code
from idp.oidc.signing import Signer


class IdToken(OpenIDToken):
    """Authlib's hook on the token response; the claims, the key and the algorithm are chosen here (AUTHLIB-20, -21)."""

    def encode_id_token(self, token: dict[str, Any], request: OAuth2Request) -> str:
        """Return the signed ID token for a token response. Commits: no lock is held while a signature is made."""
        client, now = request.client.registered, request.now
        signer = keys.ring(now).signer(client.id_token_signed_response_alg)  # or nothing is spent
        commit()
        return encode(signer, client, request.authorization_code, token["access_token"], sid=request.sid, now=now)


def encode(signer: Signer, client: RegisteredClient, code: Code, access_token: str, *, sid: str, now: datetime) -> str:
    """Return a signed ID token; auth_time is when the password was given, however long ago that is."""
    issued_at = int(now.timestamp())
    claims = {
        "iss": settings.current().server.issuer,
        "sub": subject(client.sector_salt, code.account_id),
        "aud": client.client_id,
        "iat": issued_at,
        "exp": issued_at + settings.current().tokens.id_token_seconds,
        "auth_time": int(code.auth_time.timestamp()),
        "acr": code.acr,
        "amr": code.amr,
        "sid": sid,
        "at_hash": _half_hash(access_token, signer.algorithm),
    }
    if code.nonce is not None:
        claims["nonce"] = code.nonce
    return signer.sign(claims)


def _half_hash(access_token: str, algorithm: str) -> str:
    """Return at_hash (Core section 3.1.3.6); Ed25519 hashes with SHA-512, which its name does not say."""
    half: bytes = create_half_hash(access_token, "RS512" if algorithm == "EdDSA" else algorithm)
    return half.decode()
