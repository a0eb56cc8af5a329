"""Signing a JSON Web Token (RFC 7519) with a key of ours, by joserfc's algorithms.

What joserfc asks of key and header is asked once for each: to ask it for every token costs a tenth of a signature.
"""

from typing import Any

import orjson
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from joserfc.util import json_b64encode, urlsafe_b64encode


class Signer:
    """The key that signs now, for one algorithm."""

    def __init__(self, kid: str, algorithm: str, key: Key) -> None:
        """Take a private key. Raises joserfc's errors for one that the algorithm can't sign with."""
        self.kid, self.algorithm = kid, algorithm
        self._registry = JWSRegistry(algorithms=[algorithm])
        self.key, self._algorithm = key, self._registry.get_alg(algorithm)
        self._algorithm.check_key(key)
        self._headers: dict[str, bytes] = {}

    def sign(self, claims: dict[str, Any], typ: str = "JWT") -> str:
        """Return claims as a signed token of one of our few types, in the compact form (RFC 7515 section 7.1)."""
        signed = b"%b.%b" % (self._header(typ), urlsafe_b64encode(orjson.dumps(claims)))
        return f"{signed.decode()}.{urlsafe_b64encode(self._algorithm.sign(signed, self.key)).decode()}"

    def _header(self, typ: str) -> bytes:
        if typ not in self._headers:
            header = {"typ": typ, "alg": self.algorithm, "kid": self.kid}
            self._registry.check_header(header)
            self._headers[typ] = json_b64encode(header)
        return self._headers[typ]
