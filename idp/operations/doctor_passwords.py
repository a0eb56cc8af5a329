"""The doctor's look at leaked passwords: are new ones looked up, and does what is asked for them answer?"""

from collections.abc import Iterator

from idp import settings
from idp.accounts import breached
from idp.operations.finding import OK, PROBLEM, Finding

_LEAKED_EVERYWHERE = "password"


def examine() -> Iterator[Finding]:
    """Look up a password that every such list holds."""
    source = settings.current().passwords.breached
    if not source:
        yield Finding(OK, "leaked passwords", "not looked up: [passwords] breached is empty; common ones are refused")
        return
    try:
        known = breached.is_leaked(_LEAKED_EVERYWHERE)
    except breached.LookUpFailed as failed:
        yield Finding(PROBLEM, "leaked passwords", f"new ones pass without it: {source}: {failed}")
        return
    if known:
        yield Finding(OK, "leaked passwords", f"new ones are looked up: {source}")
    else:
        told = f'{source} does not know even "{_LEAKED_EVERYWHERE}"; is it whole, and in the order of its hashes?'
        yield Finding(PROBLEM, "leaked passwords", told)
