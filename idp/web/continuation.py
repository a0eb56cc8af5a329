"""Where somebody was heading before a page came between: sealed, bound to the browser, and carried in the address.

An anonymous visitor costs no row, two tabs don't know of each other, and the back button, a reload and a page that
lay open for three hours all work.
"""

import json
import zlib
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from idp import sealing
from idp.web.cookies import browser_token

_PURPOSE = "continuation"


@dataclass(frozen=True, slots=True)
class Continuation:
    """What was asked, and how far it has come."""

    path: str
    """The local page that goes on with it."""
    client_id: str | None
    """The application that asked, named on the pages between."""
    request: dict[str, Any]
    """What it asked, validated: nothing is read again from a live query."""
    started_at: float
    """When it was asked, in seconds since 1970; freshness is judged by this, never by now."""
    form_target: str = ""
    """Where the page's form may end after redirects: the application's origin or scheme."""
    fresh_after: float | None = None
    """A log-in before this moment does not count (max_age, prompt=login)."""
    done: tuple[str, ...] = field(default=())
    """The steps that were asked for and are done, so that nothing is asked twice."""

    @property
    def ui_locales(self) -> str:
        """The languages that the application wishes for the pages between (OpenID Connect Core section 3.1.2.1)."""
        wished = self.request.get("ui_locales")
        return wished if isinstance(wished, str) else ""

    def with_step(self, step: str) -> Self:
        """Return the same with one more step done."""
        return replace(self, done=(*self.done, step))


def seal(continuation: Continuation) -> str:
    """Return what travels in the address: the sealed request.

    It is compressed first, so that it stays as short as what was asked: JSON may make six bytes of one. Nobody can
    measure by its length what they did not send themselves, for it is shown to the visitor's browser alone.
    """
    body = json.dumps({"browser": _browser(), **asdict(continuation)}, separators=(",", ":"), ensure_ascii=False)
    return sealing.seal(_PURPOSE, zlib.compress(body.encode("utf-8", "surrogatepass"), 1))


def unseal(text: str, now: datetime, lifetime: timedelta) -> Continuation | None:
    """Return what was sealed in this browser no longer ago than lifetime, else None."""
    try:
        opened = sealing.open_sealed(_PURPOSE, text)
    except sealing.CannotOpen:
        return None
    try:
        body = json.loads(zlib.decompress(opened).decode("utf-8", "surrogatepass"))
        if body.pop("browser") != _browser() or now.timestamp() - body["started_at"] > lifetime.total_seconds():
            return None
        return Continuation(**body | {"done": tuple(body["done"])})
    except (zlib.error, TypeError):  # sealed by another version, beside which this one runs during an upgrade
        return None


def _browser() -> str:
    return sealing.digest(browser_token()).hex()
