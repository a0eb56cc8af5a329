"""Whether the keys of [secrets] are there, are told apart, and can't be guessed."""

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Iterator

from idp.settings.model import NamedKey, Settings

_MADE_FOR_PLAY = frozenset({"demo", "dev", "development", "example", "test"})
"""Names of keys that were made to try things out: `idp demo` calls its own so, and leaves them in a folder."""

_LEAST_BITS = 128.0
"""32 random bytes have 145 or more by this measure; of 100 million keys, one would have fewer than 128."""

_ANOTHER = "make another: idp doctor --new-key"


def problems(settings: Settings) -> Iterator[str]:
    """Tell each list of keys that is missing or muddled and, in production, each key that somebody else may know."""
    for name, keys in lists(settings):
        if not keys:
            variable = f"IDP_SECRETS_{name.upper()}"
            yield f"[secrets] {name} is not set, and has no default: {variable} or its _FILE."
        if len({key.name for key in keys}) < len(keys):
            yield f"[secrets] {name} has two keys of one name."
        if not settings.is_development:
            yield from _weak(name, keys)
    if not settings.is_development:
        yield from _shared(settings)


def lists(settings: Settings) -> list[tuple[str, tuple[NamedKey, ...]]]:
    """Return each kind of key with its list."""
    secrets = settings.secrets
    return [(entry.name, getattr(secrets, entry.name)) for entry in dataclasses.fields(secrets)]


def is_guessable(value: bytes) -> bool:
    """Tell whether a key was written by hand rather than drawn: repeated, counted up, or of few different bytes."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(value)}
    repeats = any(value[period:] == value[:-period] for period in range(1, len(value) // 2 + 1))
    shares = [times / len(value) for times in Counter(value).values()]
    bits = -sum(share * math.log2(share) for share in shares) * len(value)
    return len(steps) == 1 or repeats or bits < _LEAST_BITS


def _weak(name: str, keys: tuple[NamedKey, ...]) -> Iterator[str]:
    for key in keys:
        if key.name.lower() in _MADE_FOR_PLAY:
            yield f"[secrets] {name} has the key {key.name!r}, which is named as one for trying things out; {_ANOTHER}."
        if is_guessable(key.value):
            yield f"[secrets] {name} has the key {key.name!r}, which can be guessed; {_ANOTHER}."


def _shared(settings: Settings) -> Iterator[str]:
    """Tell each key that is written twice: whoever finds out one purpose's key must not have another's."""
    places: dict[bytes, list[str]] = {}
    for name, keys in lists(settings):
        for key in keys:
            places.setdefault(key.value, []).append(f"{name} {key.name!r}")
    for named in places.values():
        if len(named) > 1:
            yield f"[secrets] {' and '.join(named)} are one key: each needs its own; {_ANOTHER}."
