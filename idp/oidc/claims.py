"""What an application learns of a person, by scope (OpenID Connect Core section 5.4)."""

import hashlib
import uuid
from base64 import urlsafe_b64encode
from typing import Any

from idp.oidc.store import Bearer

SUPPORTED = (
    "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid",
    "name", "given_name", "family_name", "preferred_username", "locale", "updated_at", "email", "email_verified",
)  # fmt: skip


def subject(sector_salt: bytes, account_id: uuid.UUID) -> str:
    """Return the pairwise subject (Core section 8.1): the same for a sector for ever, and meaningless outside it."""
    return urlsafe_b64encode(hashlib.sha256(sector_salt + account_id.bytes).digest()).rstrip(b"=").decode()


def user_info(bearer: Bearer) -> dict[str, Any]:
    """Return the claims that a token's scopes stand for; what is not known is left out, never sent empty."""
    scopes = bearer.scope.split()
    claims: dict[str, Any] = {"sub": subject(bearer.sector_salt, bearer.account_id)}
    if "profile" in scopes:
        claims |= {
            "name": bearer.name,
            "given_name": bearer.given_name,
            "family_name": bearer.family_name,
            "preferred_username": bearer.username,
            "locale": bearer.locale,
            "updated_at": int(bearer.updated_at.timestamp()),
        }
    if "email" in scopes and bearer.email:
        claims |= {"email": bearer.email, "email_verified": bearer.email_verified}
    return {name: value for name, value in claims.items() if value is not None and value != ""}
