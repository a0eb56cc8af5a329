"""Random tokens, their digests, and what is encrypted outside the database's reach.

Everything sealed names the key that sealed it, so that a new wrapping key can be put first while what older keys
sealed is still read. Each purpose derives a key of its own: what is sealed for one can't be opened for another.
"""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from idp import settings
from idp.settings import NamedKey

_NONCE_BYTES = 12  # what AES-GCM asks for (NIST SP 800-38D section 8.2)


class CannotOpen(Exception):
    """What was given is not ours, was changed, or was sealed by a key that is no longer configured."""


def random_token() -> str:
    """Return 256 random bits as 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """Return the SHA-256 by which a random token is stored: it has no structure that a slow hash would protect."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def seal(purpose: str, content: bytes) -> str:
    """Encrypt and sign content for one purpose with the first wrapping key; the result is URL-safe."""
    key = settings.current().secrets.wrapping_keys[0]
    nonce = secrets.token_bytes(_NONCE_BYTES)
    box = _cipher(key, purpose).encrypt(nonce, content, purpose.encode())
    return f"{key.name}.{_encode(nonce + box)}"


def open_sealed(purpose: str, text: str) -> bytes:
    """Return what seal() was given. Raises CannotOpen for anything else, whatever was sent."""
    name, _, encoded = text.partition(".")
    for key in settings.current().secrets.wrapping_keys:
        if key.name == name:
            try:
                box = _decode(encoded)
                return _cipher(key, purpose).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], purpose.encode())
            except (InvalidTag, ValueError) as error:
                raise CannotOpen from error
    raise CannotOpen


def key_name(text: str) -> str:
    """Return the name of the key that sealed a text."""
    return text.partition(".")[0]


def check_value(key: NamedKey, kind: str) -> bytes:
    """Return 32 bytes by which a key is recognised and from which it can't be found out."""
    return _derived(key, f"check:{kind}")


@lru_cache(maxsize=64)
def _cipher(key: NamedKey, purpose: str) -> AESGCM:
    return AESGCM(_derived(key, f"seal:{purpose}"))


@lru_cache(maxsize=128)
def _derived(key: NamedKey, info: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info.encode()).derive(key.value)


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Decode strictly: one text for one value, so that nothing sealed has a second spelling."""
    if not text.isascii():
        raise ValueError("not base64url")
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(raw) != text:
        raise ValueError("not base64url")
    return raw
