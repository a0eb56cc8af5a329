"""A parent's browser and an application, over HTTP, that remember what they were told: what was told has to hold."""

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.factories import Person, Registered
from tests.oidc.conftest import challenge_of

_FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
SESSION_COOKIE = "idp_session"


class Lost(Exception):
    """No answer came: whether the provider has done what it was asked, nobody was told."""


@dataclass
class Session:
    """A log-in that was acknowledged by its cookie, and what was acknowledged in it."""

    cookie: str
    tokens: list[str] = field(default_factory=list)
    id_token: str = ""
    log_out_was_tried: bool = False
    log_out_was_told: bool = False


@dataclass
class Parent:
    """A person at a browser of their own."""

    origin: str
    person: Person
    application: Registered
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    sessions: list[Session] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Codes that were given and not yet shown to the provider."""
    in_doubt: list[str] = field(default_factory=list)
    """Codes that were shown, without an answer."""
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = self._new_browser()

    def _new_browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.origin, timeout=60, trust_env=False)

    def move_to(self, origin: str) -> None:
        """Go on at another node, with the same cookies: a browser sees one address and no nodes."""
        self.http.base_url = httpx.URL(origin)

    def close(self) -> None:
        """Close the browser."""
        self.http.close()

    def use(self, session: Session) -> None:
        """Go on in a browser that has this session's cookie and a new connection."""
        self.http.close()
        self.http = self._new_browser()
        self.http.cookies.set(SESSION_COOKIE, session.cookie)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request. Raises Lost when no answer came."""
        try:
            return self.http.request(method, path, **options)
        except httpx.TransportError as error:
            raise Lost from error

    def log_in(self) -> httpx.Response:
        """Log in with a fresh browser; the session counts once its cookie has come."""
        self.http.close()
        self.http = self._new_browser()
        page = self.send("GET", "/login")
        found = _FORM_TOKEN.search(page.text)
        if page.status_code != 200 or found is None:
            return page
        typed = {"username": self.person.username, "password": self.person.password, "csrf_token": found[1]}
        answer = self.send("POST", "/login", data=typed)
        if cookie := answer.cookies.get(SESSION_COOKIE):
            self.sessions.append(Session(cookie))
        return answer

    def authorize(self) -> httpx.Response:
        """Ask for a code."""
        asked = {
            "client_id": self.application.client_id,
            "redirect_uri": self.application.redirect_uri,
            "response_type": "code",
            "scope": "openid profile",
            "state": "s",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
        }
        return self.send("GET", f"/oauth/authorize?{urlencode(asked)}")

    def redeem(self, code: str) -> httpx.Response:
        """Redeem a code as the application's server."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.application.redirect_uri,
            "code_verifier": self.verifier,
        }
        credentials = (self.application.client_id, self.application.secret or "")
        return self.send("POST", "/oauth/token", data=form, auth=credentials)

    def userinfo(self, token: str) -> httpx.Response:
        """Ask UserInfo."""
        return self.send("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})

    def flow(self) -> None:
        """Log in where that is needed, get a code, redeem it, ask UserInfo: each answer is remembered and held to."""
        if not self.sessions or self.sessions[-1].log_out_was_tried:
            assert self.log_in().status_code == 303
        session = self.sessions[-1]
        tokens = self._redeem_and_remember(code_of(self.authorize()))
        session.tokens.append(tokens["access_token"])
        session.id_token = tokens["id_token"]
        assert self.userinfo(tokens["access_token"]).status_code == 200

    def _redeem_and_remember(self, code: str) -> dict[str, str]:
        self.in_doubt.append(code)
        answer = self.redeem(code)
        self.in_doubt.remove(code)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens

    def log_out(self) -> None:
        """Log out by the application's hint, as its own log-out does."""
        session = self.sessions[-1]
        if not session.id_token:
            return
        session.log_out_was_tried = True
        answer = self.send("GET", "/logout", params={"id_token_hint": session.id_token})
        assert answer.status_code == 200, answer.text
        assert "You are logged out" in answer.text, answer.text
        session.log_out_was_told = True


def code_of(answer: httpx.Response) -> str:
    """Return the code that an answer carries."""
    assert answer.status_code == 302, (answer.status_code, answer.text[:2000])
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert "code" in found, answer.headers["Location"]
    return found["code"][0]


def wait_for(asked: Callable[[], object], wanted: object, seconds: float = 60.0) -> None:
    """Ask until the answer is the wanted one."""
    deadline = time.monotonic() + seconds
    while (found := asked()) != wanted:
        assert time.monotonic() < deadline, f"{found}, not {wanted}"
        time.sleep(0.1)
