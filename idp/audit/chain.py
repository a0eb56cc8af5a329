"""The keyed digests that make a change to the record visible."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from idp.settings import NamedKey

_FIELDS = (
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


def event_mac(key: NamedKey, event: Mapping[str, Any]) -> str:
    """Return the keyed digest of all that an event says, with the key's name before it."""
    content = json.dumps([_plain(event[field]) for field in _FIELDS], separators=(",", ":"), sort_keys=True)
    return f"{key.name}.{urlsafe_b64encode(hmac.digest(key.value, content.encode(), 'sha256')).rstrip(b'=').decode()}"


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | dict):
        return value
    return value.isoformat(timespec="microseconds") if hasattr(value, "isoformat") else str(value)
