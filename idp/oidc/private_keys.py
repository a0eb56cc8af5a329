"""Private keys: found by chance, and parsed without proving again what they are."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, RSAPublicNumbers
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.util import base64_to_int


def generate(algorithm: str, rsa_bits: int) -> Key:
    """Return a new key for an algorithm. Raises ValueError for one that nothing signs with here."""
    match algorithm:
        case "RS256":
            return RSAKey.generate_key(rsa_bits)
        case "ES256":
            return ECKey.generate_key("P-256")
        case "EdDSA":
            return OKPKey.generate_key("Ed25519")
    raise ValueError("no such algorithm")


def parse(jwk: dict[str, Any]) -> Key:
    """Return a private key (RFC 7517) that was generated here, and sealed since."""
    match jwk["kty"]:
        case "RSA":
            return RSAKey.import_key(_rsa(jwk))
        case "EC":
            return ECKey.import_key(jwk)
    return OKPKey.import_key(jwk)


def _rsa(jwk: dict[str, Any]) -> RSAPrivateKey:
    """Return RSA's numbers as a key: to prove that they are one takes 28 ms, and the seal has told it already."""
    number = {name: base64_to_int(jwk[name]) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")}
    numbers = RSAPrivateNumbers(
        d=number["d"],
        p=number["p"],
        q=number["q"],
        dmp1=number["dp"],
        dmq1=number["dq"],
        iqmp=number["qi"],
        public_numbers=RSAPublicNumbers(number["e"], number["n"]),
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
