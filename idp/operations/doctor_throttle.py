"""The doctor's look at where wrong passwords are counted: does Redis answer, and does it keep what it is told?"""

from collections.abc import Iterator

from idp import settings
from idp.operations.finding import OK, PROBLEM, Finding
from idp.throttle import redis_store

_SUBJECT = "throttle"


def examine() -> Iterator[Finding]:
    """Ask the Redis that counts, if one does: counts that it throws away are guesses that it gives away."""
    if not settings.current().throttle.redis:
        yield Finding(OK, _SUBJECT, "the database counts wrong passwords")
        return
    try:
        policy = redis_store.eviction_policy()
    except redis_store.failures() as error:
        told = f"Redis does not answer us ({error.__class__.__name__}); while it answers nobody, the database counts"
        yield Finding(PROBLEM, _SUBJECT, f"{told}; start it, or mend [throttle] redis")
        return
    if policy is None:
        yield Finding(OK, _SUBJECT, "Redis counts wrong passwords")
    else:
        told = f"Redis throws counts away when its memory is full ({policy})"
        yield Finding(PROBLEM, _SUBJECT, f"{told}; set its maxmemory-policy to noeviction")
