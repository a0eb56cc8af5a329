"""People and an application who go on using the provider over HTTP, and remember whatever went wrong for them."""

import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from joserfc import jws, jwt
from joserfc.jwk import KeySet

from tests.factories import Person, Registered
from tests.oidc.conftest import ALGORITHMS, challenge_of

_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_EACH_ON_ITS_OWN_CONNECTION = httpx.Limits(max_keepalive_connections=0)
"""So that requests reach every process of the server."""

_PAUSE_SECONDS = 0.1
"""Between two visits of one person: it is not speed that is tested."""


def new_browser(origin: str) -> httpx.Client:
    """Return a browser with no cookies."""
    return httpx.Client(base_url=origin, timeout=60, trust_env=False, limits=_EACH_ON_ITS_OWN_CONNECTION)


@dataclass
class RelyingParty:
    """An application; it caches the provider's keys, and fetches them again for a kid that it does not know."""

    origin: str
    registered: Registered
    id_tokens: list[str] = field(default_factory=list)
    cached: KeySet = field(init=False)

    def __post_init__(self) -> None:
        self.cached = self.fetch_keys()

    def fetch_keys(self) -> KeySet:
        """Read the published keys."""
        with new_browser(self.origin) as server:
            answer = server.get("/oauth/jwks")
        assert answer.status_code == 200, answer.text
        return KeySet.import_key_set(answer.json())

    def start(self, browser: httpx.Client, verifier: str) -> httpx.Response:
        """Send a visitor to the provider."""
        asked = {
            "client_id": self.registered.client_id,
            "redirect_uri": self.registered.redirect_uri,
            "response_type": "code",
            "scope": "openid profile",
            "state": "s",
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return browser.get(f"/oauth/authorize?{urlencode(asked)}")

    def finish(self, answer: httpx.Response, verifier: str) -> None:
        """Redeem the code that came back, check the ID token and ask UserInfo."""
        sent = parse_qs(urlsplit(answer.headers.get("Location", "")).query)
        assert answer.status_code == 302, (answer.status_code, answer.headers.get("Location"), answer.text[:500])
        assert "code" in sent, answer.headers["Location"]
        form = {
            "grant_type": "authorization_code",
            "code": sent["code"][0],
            "redirect_uri": self.registered.redirect_uri,
            "code_verifier": verifier,
        }
        with new_browser(self.origin) as server:
            credentials = (self.registered.client_id, self.registered.secret or "")
            redeemed = server.post("/oauth/token", data=form, auth=credentials)
            assert redeemed.status_code == 200, redeemed.text
            self.check(redeemed.json()["id_token"])
            authorization = {"Authorization": f"Bearer {redeemed.json()['access_token']}"}
            asked = server.get("/oauth/userinfo", headers=authorization)
        assert asked.status_code == 200, asked.text

    def check(self, id_token: str) -> None:
        """Verify an ID token by the keys that are known, or by those that are published now."""
        if kid_of(id_token) not in {key.kid for key in self.cached.keys}:
            self.cached = self.fetch_keys()
        claims: dict[str, Any] = jwt.decode(id_token, self.cached, algorithms=ALGORITHMS).claims
        assert claims["aud"] == self.registered.client_id
        self.id_tokens.append(id_token)


@dataclass
class Visitor:
    """A person at one browser."""

    party: RelyingParty
    person: Person
    browser: httpx.Client = field(init=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    def __post_init__(self) -> None:
        self.browser = new_browser(self.party.origin)

    def open_log_in(self) -> tuple[str, str]:
        """Come from the application to the log-in page; return its address and the form's token."""
        sent = self.party.start(self.browser, self.verifier)
        assert sent.status_code == 303, (sent.status_code, sent.text[:500])
        page = self.browser.get(sent.headers["Location"])
        found = _FORM_TOKEN.search(page.text)
        assert page.status_code == 200, page.text
        assert found is not None, page.text
        return sent.headers["Location"], found[1]

    def send_log_in(self, page: str, form_token: str) -> None:
        """Send the form of a page that is open, and end at the application."""
        typed = {"username": self.person.username, "password": self.person.password, "csrf_token": form_token}
        answer = self.browser.post(page, data=typed)
        assert answer.status_code == 303, (answer.status_code, answer.text[:3000])
        answer = self.browser.get(answer.headers["Location"])
        self.party.finish(answer, self.verifier)

    def log_in(self) -> None:
        """Log in on the way to the application."""
        self.send_log_in(*self.open_log_in())

    def come_again(self) -> None:
        """Go to the application once more: nobody asks who this is."""
        self.party.finish(self.party.start(self.browser, self.verifier), self.verifier)


@dataclass
class Crowd:
    """Visitors who go on until they are told to stop."""

    failures: list[BaseException] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=lambda: {"visits": 0, "log-ins": 0})
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_it(self, logged_in: list[Visitor], newcomers: list[Visitor]) -> Iterator["Crowd"]:
        """Let them use the provider while the block runs: some by the session they have, some by logging in."""
        threads = [threading.Thread(target=self._visit, args=(one,)) for one in logged_in]
        threads += [threading.Thread(target=self._log_in, args=(one,)) for one in newcomers]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _visit(self, visitor: Visitor) -> None:
        while self._goes_on():
            self._try("visits", visitor.come_again)

    def _log_in(self, visitor: Visitor) -> None:
        while self._goes_on():
            visitor.browser.close()
            fresh = Visitor(visitor.party, visitor.person)
            self._try("log-ins", fresh.log_in)
            fresh.browser.close()

    def _goes_on(self) -> bool:
        return not self._over.is_set() and len(self.failures) < 20

    def _try(self, what: str, act: Any) -> None:
        try:
            act()
            self.done[what] += 1
        except (AssertionError, httpx.HTTPError, ValueError) as error:
            self.failures.append(error)
        self._over.wait(_PAUSE_SECONDS)


def kid_of(token: str) -> str:
    """Return the kid of a signed token."""
    return str(jws.extract_compact(token.encode()).headers()["kid"])
