"""The keyed digests that make a change to the record visible."""

import hashlib
import hmac
import json
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import RowMapping

from idp import clock
from idp.settings import NamedKey

Row = Mapping[str, Any] | RowMapping

_EVENT = (
    "id",
    "at",
    "event",
    "outcome",
    "actor_id",
    "account_id",
    "client_id",
    "source",
    "address",
    "request_id",
    "details",
)
_SEAL = (
    "number",
    "first_position",
    "last_position",
    "events_digest",
    "removed_through",
    "sealed_at",
    "previous_mac",
)
_HEAD = ("number", "last_position", "removed_through")


def event_content(event: Row) -> bytes:
    """Return all that an event says, in one spelling."""
    return _content("event", [event[name] for name in _EVENT])


def position_content(position: int, event_id: uuid.UUID, mac: str) -> bytes:
    """Return what binds an event to its place in the chain."""
    return _content("position", [position, event_id, mac])


def seal_content(seal: Row) -> bytes:
    """Return all that a seal says."""
    return _content("seal", [seal[name] for name in _SEAL])


def head_content(head: Row, seal_mac: str) -> bytes:
    """Return how far the chain reaches, and the seal at its end."""
    return _content("head", [*(head[name] for name in _HEAD), seal_mac])


def events_digest(events: Iterable[tuple[uuid.UUID, str]]) -> bytes:
    """Return the digest of a batch: ids and keyed digests of its events, in the order of their places."""
    digest = hashlib.sha256()
    for event_id, mac in events:
        digest.update(f"{event_id} {mac}\n".encode())
    return digest.digest()


def mac(key: NamedKey, content: bytes) -> str:
    """Return the keyed digest of content, with the key's name before it."""
    keyed = _keyed(key).copy()
    keyed.update(content)
    return f"{key.name}.{urlsafe_b64encode(keyed.digest()).rstrip(b'=').decode()}"


@lru_cache(maxsize=16)
def _keyed(key: NamedKey) -> hmac.HMAC:
    """Return what has taken the key in, for all that it is to digest."""
    return hmac.new(key.value, digestmod="sha256")


def is_mac(keys: Iterable[NamedKey], content: bytes, given: str | None) -> bool:
    """Tell whether given is the keyed digest of content by the key that it names."""
    name, _, _ = (given or "").partition(".")
    return any(key.name == name and hmac.compare_digest(mac(key, content), given or "") for key in keys)


def _content(kind: str, values: list[Any]) -> bytes:
    """Return values in one spelling: JSON of ASCII alone, without blanks, names in their order."""
    # The kind comes first, so that no digest of one thing is ever that of another.
    content = [kind, *values]
    return _spelled_at_once(content) or _spelled(content).encode()


def _spelled_at_once(content: list[Any]) -> bytes | None:
    """Return the same in a tenth of the time, or None for what orjson refuses, or leaves as it is."""
    try:
        text = orjson.dumps(content, _plain, orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:  # half a character, a number of more than 64 bits
        return None
    return text if text.isascii() and b"\x7f" not in text else None


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return f"{clock.spelled(value)}+00:00" if isinstance(value, datetime) else str(value)


_spelled = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=_plain).encode
