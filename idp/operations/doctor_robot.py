"""The doctor's look at the robot check: who does it, and does a service that was chosen know us?"""

from collections.abc import Iterator

from idp import settings
from idp.captcha import providers
from idp.captcha.providers import Unreachable
from idp.operations.finding import OK, PROBLEM, Finding
from idp.settings import EMBEDDED

_SUBJECT = "robot check"
_KNOWS_US = "invalid-input-response"
"""What each of the services says of a token that nobody has, once site and secret are right."""


def examine() -> Iterator[Finding]:
    """Ask the service about a token that nobody has: it refuses that, and says if it does not know us either."""
    provider = settings.current().robot_check.provider
    if provider == EMBEDDED:
        yield Finding(OK, _SUBJECT, "embedded: nobody else is asked")
        return
    match providers.probe():
        case Unreachable(reason):
            yield Finding(PROBLEM, _SUBJECT, f"people get the embedded check: {provider}: {reason}")
        case codes if _KNOWS_US in codes and not codes & providers.OUR_FAULT:
            yield Finding(OK, _SUBJECT, f"{provider} answers")
        case codes:
            named = ", ".join(sorted(codes)) or "no reason"
            told = f"{provider} says {named}; are site_key and secret those of this site?"
            yield Finding(PROBLEM, _SUBJECT, told)
