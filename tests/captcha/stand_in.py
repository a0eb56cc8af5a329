"""A server on this machine that speaks what reCAPTCHA v2, hCaptcha and Turnstile document of their siteverify."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from idp.settings import HCAPTCHA, RECAPTCHA, TURNSTILE
from tests.listeners import Handler, listening

SITE_KEY, SECRET = "10000000-ffff-ffff-ffff-000000000001", "0x-the-secret-of-this-site"
_SPENT = {
    RECAPTCHA: "timeout-or-duplicate",
    HCAPTCHA: "already-seen-response",
    TURNSTILE: "timeout-or-duplicate",
}


@dataclass
class StandIn:
    """One service: which tokens it has given, what it was asked, and how it fails when it is told to."""

    kind: str
    hostname: str = "localhost"
    good: set[str] = field(default_factory=set)
    spent: set[str] = field(default_factory=set)
    asked: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    delay: float = 0
    port: int = 0

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}/siteverify"

    def give(self, token: str) -> str:
        """Give a visitor a token, as its box does once it is solved."""
        self.good.add(token)
        return token

    def answer(self, fields: dict[str, str]) -> dict[str, Any]:
        """Say what its documentation says of such a request."""
        self.asked.append(fields)
        if codes := self._wrong(fields):
            return {"success": False, "error-codes": codes}
        self.spent.add(fields["response"])
        return {"success": True, "challenge_ts": "2026-11-29T12:00:00Z", "hostname": self.hostname, "error-codes": []}

    def _wrong(self, fields: dict[str, str]) -> list[str]:
        token = fields.get("response", "")
        if not fields.get("secret"):
            return ["missing-input-secret"]
        if fields["secret"] != SECRET:
            return ["invalid-input-secret"]
        if not token:
            return ["missing-input-response"]
        if self.kind == HCAPTCHA and fields.get("sitekey", SITE_KEY) != SITE_KEY:
            return ["sitekey-secret-mismatch"]
        if token in self.spent:
            return [_SPENT[self.kind]]
        return [] if token in self.good else ["invalid-input-response"]


@contextmanager
def running(kind: str) -> Iterator[StandIn]:
    """Run one until the block ends."""
    service = StandIn(kind)

    class Verify(Handler):
        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            time.sleep(service.delay)
            said = json.dumps(service.answer({name: values[0] for name, values in parse_qs(sent).items()}))
            self.say(service.status, said.encode() if service.body is None else service.body, "application/json")

    with listening(Verify) as service.port:
        yield service
