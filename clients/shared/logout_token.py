"""The checks of a log-out token (OpenID Connect Back-Channel Logout 1.0, section 2.6), its signature apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LEEWAY = 120  # seconds by which two honest clocks may differ
OLDEST = 3600  # seconds after which a notice is no longer news, whatever its exp says
LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """The provider's word that a session (`sid`), or all sessions of a person (`subject` alone), ended."""

    jti: str
    subject: str | None
    sid: str | None
    expires_at: float


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a log-out token counts for nothing, for the provider's log."""

    reason: str


def check(
    header: Mapping[str, Any], claims: Mapping[str, Any], *, issuer: str, client_id: str, now: float
) -> LogoutNotice | Invalid:
    """Judge a token whose signature holds; whether its jti was used before is for the caller to know."""
    reason = (
        _wrong_type(header)
        or _wrong_parties(claims, issuer, client_id)
        or _wrong_time(claims, now)
        or _wrong_event(claims)
        or _wrong_names(claims)
    )
    if reason:
        return Invalid(reason)
    return LogoutNotice(claims["jti"], claims.get("sub"), claims.get("sid"), float(claims["exp"]))


def _wrong_type(header: Mapping[str, Any]) -> str | None:
    # Section 2.4 recommends the explicit type, so that no other kind of token passes as this one; older providers send
    # "JWT" or nothing.
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in {"logout+jwt", "jwt"}:
        return "typ is not logout+jwt"
    return None


def _wrong_parties(claims: Mapping[str, Any], issuer: str, client_id: str) -> str | None:
    audience = claims.get("aud")
    if claims.get("iss") != issuer:
        return "iss is not our provider"
    if audience != client_id and not (isinstance(audience, list) and client_id in audience):
        return "aud is not this application"
    return None


def _wrong_time(claims: Mapping[str, Any], now: float) -> str | None:
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    if not (_is_time(issued_at) and _is_time(expires_at)):
        return "iat and exp must be numbers"
    if issued_at > now + LEEWAY:
        return "iat lies in the future"
    if issued_at < now - OLDEST:
        return "iat is too long ago"
    if expires_at <= now - LEEWAY:
        return "exp has passed"
    return None


def _wrong_event(claims: Mapping[str, Any]) -> str | None:
    events = claims.get("events")
    if not isinstance(events, dict) or set(events) != {EVENT} or not isinstance(events[EVENT], dict):
        return "events must hold the back-channel log-out event, an object"
    if "nonce" in claims:  # an ID token must never pass as a log-out token
        return "nonce is not allowed"
    return None


def _wrong_names(claims: Mapping[str, Any]) -> str | None:
    for name in ("sub", "sid", "jti"):
        value = claims.get(name)
        if name in claims and not (isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT):
            return f"{name} must be a short text"
    if "jti" not in claims:
        return "jti is missing"
    if "sub" not in claims and "sid" not in claims:
        return "sub or sid is missing"
    return None


def _is_time(value: object) -> TypeGuard[float]:
    # NaN and infinity pass Python's JSON reader, and NaN every comparison; true is a number to Python.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12
