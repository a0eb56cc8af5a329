"""A parent's browser and two applications over HTTPS through nginx: log in, go on without a password, log out."""

import json
import secrets
import ssl
import threading
import time
from base64 import urlsafe_b64decode
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from tests import elements
from tests.factories import Person, Registered
from tests.oidc.conftest import challenge_of
from tests.operations.conftest import LogoutAddress

_PAUSE_SECONDS = 0.2
_WAIT_SECONDS = 120


class Lost(Exception):
    """Something that was acknowledged is gone, or an error did not go away; the message says which."""


@dataclass(frozen=True)
class Patience:
    """What a person bears: so many reloads of one page, and for so many seconds."""

    reloads: int = 0
    seconds: float = 60.0


@dataclass
class Tally:
    """What was acknowledged, and which errors were shown on the way, counted over all visitors."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    sids: dict[str, set[str]] = field(default_factory=dict)
    """By application: the sessions whose log-out was acknowledged, so that it has to be told."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str) -> None:
        """Count something that the provider has said is done."""
        with self._lock:
            self.acknowledged[what] += 1

    def error(self, what: str) -> None:
        """Count an error that was shown."""
        with self._lock:
            self.errors[what] += 1

    def owe(self, application: "Application", sid: str) -> None:
        """Remember a notice that has to come."""
        with self._lock:
            self.sids.setdefault(application.registered.client_id, set()).add(sid)


@dataclass
class Application:
    """A registered application, and the address at which it hears of log-outs."""

    registered: Registered
    address: LogoutAddress
    logged_out: str

    def told_sids(self) -> set[str]:
        """Return the sessions of whose end it was told."""
        return {claims_of(token)["sid"] for token in list(self.address.tokens)}


def claims_of(token: str) -> dict[str, Any]:
    """Read a token's claims; its signature is looked at by tests of the protocol."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def log_in_form(page: str, username: str, password: str) -> tuple[str, dict[str, str]]:
    """Fill in a log-in page; return where its form goes, and what it sends."""
    form = next(element for element in elements.read(page).all("form") if element.get("method") == "post")
    fields = {item.get("name") or "": item.get("value") or "" for item in form.all("input")}
    fields |= {"username": username, "password": password}
    fields.pop("shared_computer")
    return form.get("action") or "", fields


class Visitor:
    """One person with a browser, at an address of their own; applications' servers speak from there, too."""

    def __init__(
        self, origin: str, trust: ssl.SSLContext, person: Person, address: str, patience: Patience, tally: Tally
    ) -> None:
        self._origin, self._person, self._patience, self._tally = origin, person, patience, tally
        self._failed = 0
        self._browser = self._client(trust, address)
        self._server = self._client(trust, address)

    def close(self) -> None:
        """Close both programs' connections."""
        self._browser.close()
        self._server.close()

    def go(self, first: Application, second: Application) -> None:
        """Go the whole way: log in for one application, enter a second one, log out of both."""
        tokens = [self.enter(first, passwords=1), self.enter(second, passwords=0)]
        for told in tokens:
            self._expect(self._userinfo(told), 200, "userinfo")
        self.log_out(first, tokens[0]["id_token"])
        for application, told in zip((first, second), tokens, strict=True):
            self._tally.owe(application, claims_of(told["id_token"])["sid"])
            self._expect(self._userinfo(told), 401, "refusal after the log-out")

    def enter(self, application: Application, *, passwords: int) -> dict[str, str]:
        """Be sent to the provider and back, and let the application redeem the code; return its tokens.

        So many times the password may be asked for. An answer to the application that was lost on its way leaves it
        not knowing whether the code is spent: then it sends the browser once more, which costs no password.
        """
        for turn in range(self._patience.reloads + 1):
            verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
            code = self._authorize(application, verifier, nonce, passwords if turn == 0 else 0)
            self._tally.count("code")
            failed_before = self._failed
            answer = self._redeem(application, code, verifier)
            if answer.status_code == 200:
                self._tally.count("token")
                tokens: dict[str, str] = answer.json()
                self._check(tokens["id_token"], application, nonce)
                return tokens
            if self._failed == failed_before:
                break
            self._tally.error("POST /oauth/token: spent by an answer that never came")
        raise Lost(f"a code that was just issued is not taken: {answer.status_code} {answer.text}")

    def _check(self, id_token: str, application: Application, nonce: str) -> None:
        """Read an ID token as an application does (OpenID Connect Core section 3.1.3.7)."""
        published = KeySet.import_key_set(self._ask(self._server, "GET", "/oauth/jwks").json())
        claims = jwt.decode(id_token, published, algorithms=["RS256"]).claims
        wanted = {"iss": self._origin, "aud": application.registered.client_id, "nonce": nonce}
        if {name: claims[name] for name in wanted} != wanted:
            raise Lost(f"an ID token that is somebody else's: {claims}, not {wanted}")

    def log_out(self, application: Application, id_token: str) -> None:
        """Log out at the application, which sends the browser to the provider."""
        query = {"id_token_hint": id_token, "post_logout_redirect_uri": application.logged_out, "state": "s"}
        answer = self._ask(self._browser, "GET", f"/logout?{urlencode(query)}")
        if answer.headers.get("Location") != f"{application.logged_out}?state=s":
            raise Lost(f"the log-out ended elsewhere: {answer.status_code} {answer.headers.get('Location')}")
        self._tally.count("log-out")

    def _authorize(self, application: Application, verifier: str, nonce: str, passwords: int) -> str:
        """Follow the browser from the application's request to the code."""
        state = secrets.token_urlsafe(16)
        request = {
            "client_id": application.registered.client_id,
            "redirect_uri": application.registered.redirect_uri,
            "response_type": "code",
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        answer = self._ask(self._browser, "GET", f"/oauth/authorize?{urlencode(request)}")
        for _ in range(12):
            location = urljoin(str(answer.url), answer.headers.get("Location", ""))
            if location.startswith(application.registered.redirect_uri):
                query: dict[str, str] = dict(parse_qsl(str(urlsplit(location).query)))
                if query.get("state") != state or "code" not in query:
                    raise Lost(f"the application got {query}")
                return query["code"]
            if answer.is_redirect:
                answer = self._ask(self._browser, "GET", location)
                continue
            passwords -= 1
            if passwords < 0:
                raise Lost(f"a log-in that was acknowledged is gone: {elements.read(answer.text).words}")
            answer = self._log_in(answer)
        raise Lost("it redirects without end")

    def _log_in(self, page: httpx.Response) -> httpx.Response:
        address, fields = log_in_form(page.text, self._person.username, self._person.password)
        answer = self._ask(self._browser, "POST", urljoin(str(page.url), address), data=fields)
        self._expect(answer, 303, "log-in")
        return answer

    def _redeem(self, application: Application, code: str, verifier: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": application.registered.redirect_uri,
            "code_verifier": verifier,
        }
        who = (application.registered.client_id, application.registered.secret or "")
        return self._ask(self._server, "POST", "/oauth/token", data=form, auth=who)

    def _userinfo(self, tokens: dict[str, str]) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        return self._ask(self._server, "GET", "/oauth/userinfo", headers=bearer)

    def _expect(self, answer: httpx.Response, status: int, what: str) -> None:
        if answer.status_code != status:
            raise Lost(f"{what}: {answer.status_code} {elements.read(answer.text).words[:300]}")
        self._tally.count(what)

    def _ask(self, client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request, and again (a reload) as long as the answer is an error that says so."""
        deadline = time.monotonic() + self._patience.seconds
        reloads = self._patience.reloads
        while True:
            answer = client.request(method, path, **more)
            if answer.status_code < 500:
                return answer
            where = f"{method} {urlsplit(path).path}"
            check_error(answer, where, is_program=client is self._server)
            self._failed += 1
            self._tally.error(f"{where}: {answer.status_code}")
            if reloads == 0 or time.monotonic() > deadline:
                raise Lost(f"{where} answers {answer.status_code}, and a reload does not cure it: {answer.text[:500]}")
            reloads -= 1
            time.sleep(_PAUSE_SECONDS)

    def _client(self, trust: ssl.SSLContext, address: str) -> httpx.Client:
        transport = httpx.HTTPTransport(verify=trust, local_address=address)
        return httpx.Client(base_url=self._origin, transport=transport, timeout=60)


def check_error(answer: httpx.Response, where: str, *, is_program: bool) -> None:
    """Raise Lost unless an error is one that whoever gets it can work with: 503, when to come back, plain words."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if answer.status_code != 503 or not answer.headers.get("Retry-After", "").isdigit():
        raise Lost(f"{where} answers {answer.status_code} without Retry-After: {answer.text[:500]}")
    if is_program and (kind != "application/json" or "error" not in answer.json()):
        raise Lost(f"{where} answers a program with {kind}: {answer.text[:500]}")
    if not is_program and (kind != "text/html" or "<h1>" not in answer.text):
        raise Lost(f"{where} answers a person with {kind}: {answer.text[:500]}")


class Crowd:
    """Visitors on their ways, each in a thread."""

    def __init__(
        self, visitors: list[Visitor], applications: tuple[Application, Application], stop: threading.Event
    ) -> None:
        self.failures: list[BaseException] = []
        self._stop = stop
        self._threads = [threading.Thread(target=self._wander, args=(one, applications)) for one in visitors]
        for thread in self._threads:
            thread.start()

    def wait_for(self, tally: Tally, what: str, how_many: int) -> None:
        """Wait until so many more of something are done, or something went wrong."""
        wanted = tally.acknowledged[what] + how_many
        deadline = time.monotonic() + _WAIT_SECONDS
        while tally.acknowledged[what] < wanted and not self.failures:
            if time.monotonic() > deadline:
                raise Lost(f"{how_many} of {what} are not done in {_WAIT_SECONDS} s")
            time.sleep(0.1)

    def finish(self) -> None:
        """Tell them to stop after the way that they are on, wait for that, and raise what went wrong."""
        self._stop.set()
        for thread in self._threads:
            thread.join(180)
        if self.failures:
            raise ExceptionGroup("visitors", [error for error in self.failures if isinstance(error, Exception)])

    def _wander(self, visitor: Visitor, applications: tuple[Application, Application]) -> None:
        try:
            while not self._stop.is_set():
                visitor.go(*applications)
        except Exception as error:  # noqa: BLE001  it is raised again in the test's own thread
            self.failures.append(error)
        finally:
            visitor.close()
