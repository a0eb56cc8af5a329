"""Where somebody goes on to once logged in: back to an application's request, or to a page of ours."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import request, url_for

from idp import clock, settings
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.sessions.store import ActiveSession
from idp.web import continuation, cookies, headers, language, redirects
from idp.web.continuation import Continuation
from idp.web.errors import CookiesRefused


class LostContinuation(Exception):
    """An application's request that is out of time, or that was made in another browser."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to go on to, and how a page on the way there carries it along."""

    carried: dict[str, str]
    """What the address of each page on the way has to hold: `continue` or `next`."""
    address: str
    """The page that goes on, on this site."""
    continuation: Continuation | None
    client: RegisteredClient | None
    """The application that asked, if one did."""

    def page(self, endpoint: str) -> str:
        """Return the address of a page on the way."""
        return url_for(endpoint) + (f"?{urlencode(self.carried, safe='/')}" if self.carried else "")

    def accepts(self, session: ActiveSession) -> bool:
        """Tell whether a session is good enough to go on with, or a log-in later than it has been asked for."""
        fresh_after = self.continuation.fresh_after if self.continuation else None
        return fresh_after is None or session.auth_time.timestamp() >= fresh_after

    def hinted_username(self) -> str:
        """Return the username that the application expects (login_hint, OpenID Connect Core section 3.1.2.1)."""
        hint = self.continuation.request.get("login_hint") if self.continuation else None
        return hint if isinstance(hint, str) else ""

    def allow(self) -> None:
        """Let this page's form end at the application after redirects, and let the page show its logo."""
        if self.continuation is not None and self.continuation.form_target:
            headers.allow_form_target(self.continuation.form_target)
        if self.client is not None and self.client.logo_uri:
            logo = urlsplit(self.client.logo_uri)
            headers.allow_image(f"{logo.scheme}://{logo.netloc}")


def wanted() -> Destination:
    """Return where this request's page leads on to. Raises LostContinuation, or CookiesRefused when that is why."""
    sealed = request.values.get("continue")
    if sealed is None:
        return local(redirects.next_path(""))
    lifetime = timedelta(hours=settings.current().tokens.request_at_login_hours)
    opened = continuation.unseal(sealed, clock.now(), lifetime)
    if opened is None:
        # The page that sent the browser here gave it a cookie: without it, going back there would never end.
        raise LostContinuation if cookies.has_browser_token() else CookiesRefused
    language.suggest(opened.ui_locales)
    client = registry.find(opened.client_id) if opened.client_id else None
    return Destination({"continue": sealed}, f"{opened.path}?continue={sealed}", opened, client)


def local(path: str) -> Destination:
    """Return a page of ours as the destination; none is the portal's home."""
    return Destination({"next": path} if path else {}, path or url_for("portal.home"), None, None)
