"""What the provider says of itself (OpenID Connect Discovery section 3, RFC 8414): only what works is listed."""

import json
from functools import lru_cache
from typing import Any

from idp.oidc import claims, keys
from idp.oidc.authorization_request import PROMPTS, SCOPES
from idp.sessions.service import ACR
from idp.settings import Settings

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")


@lru_cache(maxsize=8)
def document(settings: Settings) -> bytes:
    """Return the discovery document's bytes, made once."""
    return json.dumps(_values(settings), indent=1).encode()


def _values(settings: Settings) -> dict[str, Any]:
    issuer = settings.server.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "end_session_endpoint": f"{issuer}/logout",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(keys.ALGORITHMS),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": sorted(PROMPTS),
        "acr_values_supported": [ACR],
        "claims_supported": list(claims.SUPPORTED),
        "claim_types_supported": ["normal"],
        "ui_locales_supported": list(settings.district.languages),
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
    }
