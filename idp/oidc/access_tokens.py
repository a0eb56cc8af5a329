"""The access token (RFC 6749 section 1.4), opaque to everybody else: its row's id, and 256 bits that nobody guesses."""

import binascii
import secrets
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from idp import ids, sealing

_ID_BYTES, _SECRET_BYTES = 16, 32
_LENGTH = 64  # characters of both together


@dataclass(frozen=True, slots=True)
class Shown:
    """A token that was shown, as the database knows it."""

    id: uuid.UUID
    digest: bytes
    """Of the text, to the letter: a token has no second spelling (ATTACKS JW14)."""


def new(row_id: uuid.UUID) -> str:
    """Return a token for the row of this id, as URL-safe characters; only its digest is kept."""
    return urlsafe_b64encode(row_id.bytes + secrets.token_bytes(_SECRET_BYTES)).decode()


def read(text: str) -> Shown | None:
    """Return what a text names; None for whatever can't be a token. Whether it is good is not asked here."""
    if len(text) != _LENGTH or not text.isascii():
        return None
    try:
        raw = urlsafe_b64decode(text)
    except binascii.Error:
        return None
    if len(raw) != _ID_BYTES + _SECRET_BYTES:  # there was another character in it, which base64 passes over
        return None
    return Shown(ids.of_bytes(raw[:_ID_BYTES]), sealing.digest(text))
