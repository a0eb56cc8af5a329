"""Proof of work: the browser computes for a moment, which costs one visitor nothing and a crowd of programs a lot.

It is ALTCHA's open format (altcha.org, version 2): find the number by which PBKDF2 gives a key that begins as told.
The number is drawn here, so that the time it takes is bounded; checking it costs one digest.
"""

from typing import Any

import altcha

from idp.settings import RobotCheck

_ALGORITHM = "PBKDF2/SHA-256"
_ITERATIONS = 1000
"""A third of a millisecond for each number that is tried: more than it costs a browser to ask its own code for it."""
_LONGEST_PAYLOAD = 4000
_DOUBLINGS = 4
"""How often the work is doubled at most: a slow phone is not to wait for a minute because of others."""


def tries(by_network: int, in_all: int, settings: RobotCheck) -> int:
    """Return how many numbers a browser has to try at least, by how many checks were begun lately.

    It doubles when a network, or everybody together, has begun as many as are usual, and again at twice as many.
    """
    crowding = max(by_network // settings.usual_per_network_hour, in_all // settings.usual_in_all_per_hour)
    return int(settings.work_tries * 2 ** min(crowding.bit_length(), _DOUBLINGS))


def draw(secret: str, least: int, chosen: int) -> dict[str, Any]:
    """Return a challenge for the browser: it has to try from 0 on, and finds it after `least + chosen` tries."""
    challenge = altcha.create_challenge(
        _ALGORITHM, _ITERATIONS, counter=least + chosen, hmac_secret=secret, hmac_key_secret=secret
    )
    drawn: dict[str, Any] = challenge.to_dict()
    return drawn


def is_done(payload: str, secret: str) -> bool:
    """Tell whether a browser has done the work of the one check that has this secret.

    When it was begun is judged by the check's row: the library would ask this machine's own clock.
    """
    if not payload.isascii() or len(payload) > _LONGEST_PAYLOAD:
        return False
    try:
        return bool(altcha.verify_solution(payload, secret, hmac_key_secret=secret).verified)
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):  # whatever a stranger has sent
        return False
