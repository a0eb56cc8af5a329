"""RSA keys that the provider finds a few times a run, since finding one takes longer than most tests."""

from itertools import count

import pytest
from joserfc.jwk import RSAKey

from idp.oidc import private_keys

_FEW = 16
"""More than any one test has its provider make: within a test no two are the same."""

_found: dict[tuple[int, int], RSAKey] = {}
_asked_for = count()


class LentKey(RSAKey):
    """Makes keys that were found before; what a test makes for itself is never one of them."""

    @classmethod
    def generate_key(cls, key_size: int = 2048) -> RSAKey:  # type: ignore[override]  # all that the provider gives
        """Return one that was found longest ago, or find one while there are few."""
        place = key_size, next(_asked_for) % _FEW
        if place not in _found:
            _found[place] = RSAKey.generate_key(place[0])
        return _found[place]


def find_few() -> None:
    """Let the providers of this process have such keys."""
    pytest.MonkeyPatch().setattr(private_keys, "RSAKey", LentKey)
