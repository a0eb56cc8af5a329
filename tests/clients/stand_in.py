"""A small OpenID provider over real HTTP that answers as a test tells it to, rightly or wrongly."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "gradebook"
CLIENT_SECRET = "a-secret-that-is-known-to-this-test-only"
EVENT = "http://schemas.openid.net/event/backchannel-logout"

Json = dict[str, Any]


@dataclass
class StandIn:
    """The provider's side; `asked` holds the paths that were called, `down` makes it answer 503 to everything."""

    issuer: str
    key: RSAKey
    key_id: str = "first"
    down: bool = False
    metadata: Json = field(default_factory=dict)
    token_changes: Json = field(default_factory=dict)
    userinfo_changes: Json = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, tuple[str, Json]] = field(default_factory=dict)
    people: dict[str, Json] = field(default_factory=dict)

    def discovery(self) -> Json:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.issuer + "/authorize",
            "token_endpoint": self.issuer + "/token",
            "userinfo_endpoint": self.issuer + "/userinfo",
            "jwks_uri": self.issuer + "/jwks",
            "end_session_endpoint": self.issuer + "/end",
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        } | self.metadata

    def jwks(self) -> Json:
        """Our key, beside one of a kind that nobody knows yet."""
        return {"keys": [self.key.as_dict(private=False, kid=self.key_id, use="sig"), {"kty": "XYZ", "kid": "future"}]}

    def sign(self, claims: Json, **header: Any) -> str:
        """A JWT of ours, or not of ours if `header` says so."""
        return jwt.encode({"alg": "RS256", "kid": self.key_id} | header, claims, self.key, default_type=None)

    def sign_with_secret(self, claims: Json, secret: str) -> str:
        """What an attacker makes who hopes that a shared secret is taken for a key."""
        # By hand, since joserfc refuses to sign with a public key.
        header = {"alg": "HS256", "kid": self.key_id}
        text = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        return f"{text}.{_encode(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"

    def authorize(self, address: str, username: str, *, subject: str = "", sid: str = "s1", **changes: Any) -> str:
        """Be the person who logs in at `address`: the query that the browser then brings back to the callback."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        now, code = int(time.time()), f"code-{len(self.codes)}"
        claims = {
            "iss": self.issuer,
            "sub": subject or f"sub-of-{username}",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 600,
            "nonce": query["nonce"],
            "sid": sid,
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        self.codes[code] = (query["code_challenge"], claims)
        self.people[code] = {"sub": claims.get("sub"), "preferred_username": username, "name": username.title()}
        return urlencode({"code": code, "state": query["state"], "iss": self.issuer})

    def logout_token(self, header: Json | None = None, **changes: Any) -> str:
        """A sound log-out token, but for `changes`; None takes a claim away."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": f"jti-{time.monotonic_ns()}",
            "events": {EVENT: {}},
            "sid": "s1",
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return self.sign(claims, **({"typ": "logout+jwt"} if header is None else header))

    def answer(self, path: str, form: dict[str, list[str]], authorization: str) -> tuple[int, Json]:
        """Answer one call."""
        self.asked.append(path)
        if self.down:
            return 503, {"error": "temporarily_unavailable"}
        match path:
            case "/.well-known/openid-configuration":
                return 200, self.discovery()
            case "/jwks":
                return 200, self.jwks()
            case "/token":
                return self._token(form, authorization)
            case "/userinfo":
                code = authorization.removeprefix("Bearer access-to-")
                return 200, self.people[code] | self.userinfo_changes
        return 404, {}

    def _token(self, form: dict[str, list[str]], authorization: str) -> tuple[int, Json]:
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        code = form["code"][0]
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        challenge, claims = self.codes.get(code, ("", {}))
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        if _encode(digest) != challenge:
            return 400, {"error": "invalid_grant"}
        answer = {"access_token": f"access-to-{code}", "token_type": "Bearer", "id_token": self.sign(claims)}
        return 200, {name: value for name, value in (answer | self.token_changes).items() if value is not None}


@contextmanager
def running(key: RSAKey) -> Iterator[StandIn]:
    """Serve a provider on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = StandIn(f"http://localhost:{server.server_port}", key)  # type: ignore[attr-defined]  # ours, on the library's server
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.provider  # type: ignore[attr-defined]  # ours, on the library's server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(parse_qs(body.decode()))

    def _answer(self, form: dict[str, list[str]]) -> None:
        provider: StandIn = self.server.provider  # type: ignore[attr-defined]  # ours, on the library's server
        status, document = provider.answer(self.path, form, self.headers.get("Authorization", ""))
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Keep quiet."""
