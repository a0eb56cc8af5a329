"""The provider as this application sees it: Authlib's Flask client, and what must be checked around it."""

import logging
from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from authlib.oidc.core import CodeIDToken
from flask import Flask
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from clients.shared import clock
from clients.shared.settings import Settings

logger = logging.getLogger(__name__)

# Never "none", never HS*.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
KEY_TYPES = {"RSA", "EC", "OKP"}
TIMEOUT = 5
LEEWAY = 60
METADATA_AGE = 3600
KEYS_AGE = 900
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
REFETCH_PAUSE = 10  # seconds between fetches of keys that a stranger's made-up kid can cause


class Unreachable(Exception):
    """The provider does not answer, or not with what a provider answers; a later attempt may well succeed."""


class Refused(Exception):
    """The provider answered, and its answer does not make a log-in."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who logged in, as the ID token (and the userinfo that belongs to it) says."""

    subject: str
    sid: str | None
    name: str
    username: str
    locale: str
    """The language that the person reads, or nothing."""
    id_token: str


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Where to send the browser, and what to remember until it is back."""

    url: str
    state: str
    nonce: str
    code_verifier: str


class Provider:
    """One registration at one provider, known by discovery only."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        """Contacts nobody: discovery happens when it is first needed, and again until it succeeds."""
        self.issuer = settings.issuer
        self._client_id = settings.client_id
        self._redirect_uri = settings.base_url + "/callback"
        self._keys_fetched_at = self._keys_asked_for_at = 0.0
        self._key_set = KeySet([])
        self._client: Any = OAuth(app).register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic",
                "default_timeout": TIMEOUT,
            },
        )

    def metadata(self) -> dict[str, Any]:
        """The provider's metadata, at most an hour old; raises Unreachable."""
        if self._client.server_metadata.get("_loaded_at", 0) < clock.now() - METADATA_AGE:
            self._client.server_metadata.pop("_loaded_at", None)
        try:
            metadata: dict[str, Any] = self._client.load_server_metadata()
        except (requests.RequestException, ValueError, TypeError) as error:
            raise Unreachable("discovery failed") from error
        # OpenID Connect Discovery 1.0, section 4.3: another issuer's document must not be used.
        if metadata.get("issuer") != self.issuer or not all(isinstance(metadata.get(name), str) for name in ENDPOINTS):
            self._client.server_metadata.clear()
            raise Unreachable("that is not the discovery document of our provider")
        return metadata

    def known_metadata(self) -> dict[str, Any]:
        """The metadata as last seen, perhaps empty; asks nobody."""
        return dict(self._client.server_metadata)

    def begin(self, login_hint: str, language: str) -> AuthorizationRequest:
        """Make an authorization request with state, nonce and PKCE of its own; raises Unreachable.

        `language` is the one that our page was in: the log-in page should go on in it (ui_locales).
        """
        self.metadata()
        hints = {"ui_locales": language} | ({"login_hint": login_hint} if login_hint else {})
        request = self._client.create_authorization_url(self._redirect_uri, **hints)
        return AuthorizationRequest(request["url"], request["state"], request["nonce"], request["code_verifier"])

    def identify(self, code: str, nonce: str, code_verifier: str) -> Identity:
        """Turn a code into the person it stands for; raises Unreachable or Refused."""
        try:
            return self._identify(code, nonce, code_verifier)
        except requests.RequestException as error:
            raise Unreachable("the provider did not answer") from error
        except (AuthlibBaseError, JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            logger.warning("a log-in was refused: %s", type(error).__name__)
            raise Refused("no valid answer to the code") from error

    def _identify(self, code: str, nonce: str, code_verifier: str) -> Identity:
        self.metadata()
        token = self._client.fetch_access_token(redirect_uri=self._redirect_uri, code=code, code_verifier=code_verifier)
        header, claims = self.read_signed(token["id_token"])
        # Authlib judges aud by azp alone, which a token made for somebody else may satisfy; so both are named here.
        expected = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        context = {"nonce": nonce, "client_id": self._client_id, "access_token": token["access_token"]}
        CodeIDToken(claims, header, expected, context).validate(leeway=LEEWAY)
        if not isinstance(claims.get("sid"), str | None):
            raise Refused("sid must be a text")
        profile = {**self._userinfo(token, claims["sub"]), **claims}
        return Identity(
            subject=claims["sub"],
            sid=claims.get("sid"),
            name=_first_text(profile, "name", "given_name", "preferred_username"),
            username=_first_text(profile, "preferred_username"),
            locale=_first_text(profile, "locale"),
            id_token=token["id_token"],
        )

    def _userinfo(self, token: dict[str, Any], subject: str) -> dict[str, Any]:
        if "userinfo_endpoint" not in self.metadata():
            return {}
        answer = dict(self._client.userinfo(token=token))
        if answer.get("sub") != subject:  # OpenID Connect Core 1.0, section 5.3.2
            raise Refused("the userinfo is somebody else's")
        return answer

    def end_session_url(self, id_token: str, return_to: str, state: str) -> str | None:
        """Where RP-initiated log-out sends the browser, None if the provider has no such page; raises Unreachable."""
        if "end_session_endpoint" not in self.metadata():
            return None
        url = self._client.create_logout_url(
            post_logout_redirect_uri=return_to, id_token_hint=id_token, state=state, client_id=self._client_id
        )
        return str(url["url"])

    def read_signed(self, value: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a JWT that the provider signed; raises Refused or Unreachable."""
        # Named at each use: to joserfc an empty list means its own default, which holds HS256.
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            try:
                token = jwt.decode(value, self._keys(), registry=registry)
            except InvalidKeyIdError:
                token = jwt.decode(value, self._keys(again=True), registry=registry)
        except requests.RequestException as error:
            raise Unreachable("the keys could not be fetched") from error
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Refused("not signed by our provider") from error
        return dict(token.header), dict(token.claims)

    def _keys(self, *, again: bool = False) -> KeySet:
        self.metadata()
        now = clock.now()
        # A key that the provider withdrew in an emergency must not be believed for as long as we run.
        old = self._keys_fetched_at < now - KEYS_AGE
        if (old or again) and self._keys_asked_for_at < now - REFETCH_PAUSE:
            self._keys_asked_for_at = now
            self._key_set = _signing_keys(self._client.fetch_jwk_set(force=True))
            self._keys_fetched_at = now
        elif old:
            raise Unreachable("the keys were asked for a moment ago, in vain")
        return self._key_set


def _signing_keys(document: object) -> KeySet:
    # Kinds of keys that we don't know must be passed over, not refused (RFC 7517, section 5).
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("that is no set of keys")
    known = [key for key in keys if isinstance(key, dict) and key.get("kty") in KEY_TYPES and key.get("use") != "enc"]
    return KeySet.import_key_set({"keys": known})


def _first_text(claims: dict[str, Any], *names: str) -> str:
    for name in names:
        if isinstance(value := claims.get(name), str) and value.strip():
            return value.strip()[:200]
    return ""
