"""Where somebody goes on to who came to log in, forgot the password, and has a new one: it travels with the link."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Self
from urllib.parse import urlencode, urlsplit

from flask import url_for

from idp import settings
from idp.clients import registry
from idp.login.destination import Destination
from idp.web import continuation, headers, redirects


@dataclass(frozen=True, slots=True)
class WayOn:
    """What the person was on the way to when the password was missing."""

    sealed: str = ""
    """The application's request, which opens in the browser that it was made in and in no other."""
    client_id: str = ""
    """The application itself, for another browser."""
    path: str = ""
    """A page of ours."""

    @classmethod
    def of(cls, going_to: Destination) -> Self:
        """Return the way on of somebody who is at a page of login."""
        carried, client = going_to.carried, going_to.client
        return cls(carried.get("continue", ""), client.client_id if client else "", carried.get("next", ""))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what write() has written; nothing for anything else."""
        try:
            return cls(**json.loads(text)) if text else cls()
        except (ValueError, TypeError):
            return cls()

    def write(self) -> str:
        """Return it as text, empty for nothing."""
        return json.dumps(asdict(self)) if self.sealed or self.client_id or self.path else ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to go on to in the browser at hand."""

    url: str
    carried: dict[str, str]
    """What the pages of open steps have to carry along, as Destination has it."""
    form_target: str
    """Where a form may end by it, when that is not here."""

    def page(self, endpoint: str) -> str:
        """Return the address of a page on the way."""
        return url_for(endpoint) + (f"?{urlencode(self.carried, safe='/')}" if self.carried else "")

    def allow(self) -> None:
        """Let the form of the page at hand end there: browsers check redirects after a form, too."""
        if self.form_target:
            headers.allow_form_target(self.form_target)


def resolve(way_on: WayOn, now: datetime) -> Address:
    """Return the request they came with, in the same browser; else the application's start page; else the portal."""
    if way_on.sealed:
        lifetime = timedelta(hours=settings.current().tokens.request_at_login_hours)
        opened = continuation.unseal(way_on.sealed, now, lifetime)
        if opened is not None:
            carried = {"continue": way_on.sealed}
            return Address(f"{opened.path}?continue={way_on.sealed}", carried, opened.form_target)
    client = registry.find(way_on.client_id) if way_on.client_id else None
    start = client.start_address(settings.current().server.issuer) if client else None
    if start is not None:
        parts = urlsplit(start)
        return Address(start, {}, f"{parts.scheme}://{parts.netloc}")
    path = way_on.path if redirects.is_local(way_on.path) else ""
    return Address(path or url_for("portal.home"), {"next": path} if path else {}, "")
