"""Robot checks by a service that a district has chosen: reCAPTCHA v2, hCaptcha, Turnstile, through one adapter.

Each has a box of its own on the page, which puts a token into the form, and an address that says once whether that
token is good (siteverify). A service that does not answer leaves people with the embedded check, which needs nobody.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from flask import current_app

from idp import places, settings
from idp.settings import EMBEDDED, HCAPTCHA, RECAPTCHA, TURNSTILE
from idp.web import metrics, outbound

log = structlog.get_logger(__name__)

PREFIX = "provider:"
"""How an answer begins that a service gave, so that it is told from one of ours."""

_SECONDS = 3.0
_LEFT_ALONE = timedelta(minutes=1)
_LONGEST_TOKEN = 8192
OUR_FAULT = frozenset(
    {
        "missing-input-secret",
        "invalid-input-secret",
        "sitekey-secret-mismatch",
        "not-using-dummy-passcode",
        "missing-remoteip",
        "invalid-remoteip",
        "internal-error",
    }
)
"""Reasons that no visitor can do anything about: they must not keep families out."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The service could not say; the reason is in plain words, for the operator."""

    reason: str


@dataclass(frozen=True, slots=True)
class Service:
    """How one service's box is put on a page, and where its tokens are asked about."""

    script: str
    css_class: str
    """What its script looks for, to put its box there."""
    field: str
    """The form's field that its script fills in."""
    verify_address: str
    sources: Mapping[str, tuple[str, ...]]
    """What its documentation wants allowed in the Content-Security-Policy, by directive."""


@dataclass(frozen=True, slots=True)
class Widget:
    """A service's box, for one page."""

    service: Service
    site_key: str


_GOOGLE, _CLOUDFLARE = "https://www.google.com/recaptcha/", "https://challenges.cloudflare.com"
_HCAPTCHA = ("https://hcaptcha.com", "https://*.hcaptcha.com")

SERVICES: Final[Mapping[str, Service]] = MappingProxyType(
    {
        RECAPTCHA: Service(
            script=f"{_GOOGLE}api.js",
            css_class="g-recaptcha",
            field="g-recaptcha-response",
            verify_address=f"{_GOOGLE}api/siteverify",
            sources={
                "script-src": (_GOOGLE, "https://www.gstatic.com/recaptcha/"),
                "frame-src": (_GOOGLE, "https://recaptcha.google.com/recaptcha/"),
            },
        ),
        HCAPTCHA: Service(
            script="https://js.hcaptcha.com/1/api.js",
            css_class="h-captcha",
            field="h-captcha-response",
            verify_address="https://api.hcaptcha.com/siteverify",
            sources=dict.fromkeys(("script-src", "frame-src", "style-src", "connect-src"), _HCAPTCHA),
        ),
        TURNSTILE: Service(
            script=f"{_CLOUDFLARE}/turnstile/v0/api.js",
            css_class="cf-turnstile",
            field="cf-turnstile-response",
            verify_address=f"{_CLOUDFLARE}/turnstile/v0/siteverify",
            sources={"script-src": (_CLOUDFLARE,), "frame-src": (_CLOUDFLARE,)},
        ),
    }
)
"""As each one's documentation for sites has it."""


@dataclass(slots=True)
class _Breaker:
    """Until when this process leaves a service alone that did not answer; every process finds out by itself."""

    until: datetime | None = field(default=None)


def widget(now: datetime) -> Widget | None:
    """Return the box to show; None while the embedded check is the one: by setting, or since the service is away."""
    wanted = settings.current().robot_check
    if wanted.provider == EMBEDDED or _is_left_alone(now):
        return None
    return Widget(SERVICES[wanted.provider], wanted.site_key)


def script_origins() -> Mapping[str, tuple[str, ...]]:
    """Return what a page with the service's box has to allow, by directive; nothing for the embedded check."""
    service = SERVICES.get(settings.current().robot_check.provider)
    return service.sources if service else {}


def answer_in(form: Mapping[str, str]) -> str:
    """Return the answer that the service's box has put into a form; nothing when there is none."""
    service = SERVICES.get(settings.current().robot_check.provider)
    token = form.get(service.field, "") if service else ""
    return f"{PREFIX}{token}" if token else ""


def token_in(answer: str) -> str | None:
    """Return the token of an answer that a service gave; None for one that is to be judged here."""
    return answer.removeprefix(PREFIX) if answer.startswith(PREFIX) else None


def verify(token: str, address: str, now: datetime) -> bool | Unreachable:
    """Ask the service whether a token is good: it says yes once (and each of them forgets one within five minutes).

    The address is the visitor's, which the service has seen already. Hold no transaction open: while the service is
    asked, three seconds at most, others work on in the request's place. While it is not the provider, or was away a
    moment ago, nobody is asked.
    """
    wanted = settings.current().robot_check
    if wanted.provider == EMBEDDED or not _has_form(token):
        return False
    if _is_left_alone(now):
        return Unreachable("it did not answer a moment ago")
    found = _asked(token, address)
    if isinstance(found, Unreachable):
        _breaker().until = now + _LEFT_ALONE
        log.warning("robot_check_not_asked", provider=wanted.provider, reason=found.reason, advice="run idp doctor")
        metrics.count_robot_lookup("failed")
        return found
    metrics.count_robot_lookup("passed" if found else "refused")
    return found


def probe() -> frozenset[str] | Unreachable:
    """Ask the service about a token that nobody has, and return its reasons to refuse it: see what is set up wrong."""
    said = _ask("a-token-that-nobody-has", "")
    return said if isinstance(said, Unreachable) else _codes(said)


def _asked(token: str, address: str) -> bool | Unreachable:
    said = _ask(token, address)
    if isinstance(said, Unreachable):
        return said
    if said["success"]:
        # A token of a page elsewhere that shows our site key: somebody lets others' visitors solve it for them.
        return said.get("hostname") in {None, "", urlsplit(settings.current().server.issuer).hostname}
    if ours := _codes(said) & OUR_FAULT:
        return Unreachable(", ".join(sorted(ours)))
    return False


def _ask(token: str, address: str) -> dict[str, Any] | Unreachable:
    """Return what the service says of a token: an object whose `success` is true or false."""
    wanted = settings.current().robot_check
    fields = {"secret": wanted.secret, "response": token}
    if wanted.provider == HCAPTCHA:
        fields["sitekey"] = wanted.site_key  # its documentation asks for it: a token of another site's box is refused
    if address:
        fields["remoteip"] = address
    url = wanted.verify_address or SERVICES[wanted.provider].verify_address
    try:
        with places.lent():
            answer = outbound.post_form(url, fields, seconds=_SECONDS)
    except outbound.CallFailed as failed:
        return Unreachable(str(failed))
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("success"), bool):
        return Unreachable(f"it answered {answer.status}, and not what is documented")
    return said


def _codes(said: Mapping[str, Any]) -> frozenset[str]:
    codes = said.get("error-codes")
    return frozenset(code for code in codes if isinstance(code, str)) if isinstance(codes, list) else frozenset()


def _has_form(token: str) -> bool:
    """Tell whether this may be a token at all: what can't be one costs nobody a call."""
    return 0 < len(token) <= _LONGEST_TOKEN and token.isascii() and token.isprintable() and " " not in token


def _is_left_alone(now: datetime) -> bool:
    until = _breaker().until
    return until is not None and until > now


def _breaker() -> _Breaker:
    kept: _Breaker = current_app.extensions.setdefault("idp_robot_provider", _Breaker())
    return kept
