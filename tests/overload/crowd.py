"""Crowds at a running provider: strangers with a list of passwords, and parents and programs beside them."""

import http.client
import itertools
import json
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from tests import elements
from tests.factories import Person, Registered

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CHALLENGE, VERIFIER = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
HOME, STRANGERS = "127.0.0.7", "127.0.0.1"
"""Two networks of one machine: the loopback has many addresses."""

_numbers = itertools.count()
"""Strangers try no username often: what is throttled costs no hash."""


@dataclass(frozen=True)
class Answer:
    """What came back, and after how long."""

    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    @property
    def words(self) -> str:
        """What a person reads."""
        return elements.read(self.text).words


@dataclass
class Browser:
    """Something that speaks HTTP from one address, and keeps cookies."""

    origin: str
    address: str = STRANGERS
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
        """Send one request on a connection of its own."""
        where = urlsplit(self.origin)
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", where.port, 60, source_address=(self.address, 0))
        try:
            sent = {
                "Host": where.netloc,
                "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            }
            connection.request(method, path, urlencode(form) if form else None, sent | (FORM if form else {}) | headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _equals, value = line.split(";")[0].partition("=")
            self.cookies[name] = value
        received = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, received, text, time.perf_counter() - began)

    def log_in(self, username: str, password: str, token: str, path: str = "/login") -> Answer:
        """Send the log-in form."""
        return self.ask("POST", path, {"username": username, "password": password, "csrf_token": token})

    def open_log_in(self) -> str:
        """Open the log-in page, and return its form's token."""
        return token_of(self.ask("GET", "/login").text)


def token_of(page: str) -> str:
    """Return the token of a page's form."""
    inputs = elements.read(page).all("input")
    return next(found.get("value") or "" for found in inputs if found.get("name") == "csrf_token")


class Storm:
    """Wrong log-ins at an even pace, however slowly they are answered: strangers don't wait for each other."""

    def __init__(self, origin: str, per_second: float, address: str = STRANGERS) -> None:
        self.answers: list[Answer] = []
        self._stranger = Browser(origin, address)
        self._token = self._stranger.open_log_in()
        self._pause, self._over = 1 / per_second, threading.Event()

    @contextmanager
    def blowing(self) -> Iterator[None]:
        """Blow while the block runs, and wait for what is still to be answered."""
        with ThreadPoolExecutor(150) as strangers:
            pace = threading.Thread(target=self._keep_pace, args=[strangers])
            pace.start()
            try:
                yield
            finally:
                self._over.set()
                pace.join()

    def _keep_pace(self, strangers: ThreadPoolExecutor) -> None:
        due = time.perf_counter()
        while not self._over.wait(max(0.0, due - time.perf_counter())):
            strangers.submit(self._try)
            due += self._pause

    def _try(self) -> None:
        name = f"parent{next(_numbers)}"
        self.answers.append(self._stranger.log_in(name, "a password of a list", self._token))


def access_token(origin: str, parent: Person, application: Registered) -> str:
    """Log in as a parent does, and return what the application gets."""
    browser = Browser(origin, HOME)
    assert browser.log_in(parent.username, parent.password, browser.open_log_in()).status == 303
    asked = {
        "client_id": application.client_id,
        "redirect_uri": application.redirect_uri,
        "response_type": "code",
        "scope": "openid profile",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    sent_to = browser.ask("GET", f"/oauth/authorize?{urlencode(asked)}").headers["location"]
    redeemed = browser.ask(
        "POST",
        "/oauth/token",
        {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(sent_to).query)["code"][0],
            "redirect_uri": application.redirect_uri,
            "code_verifier": VERIFIER,
        },
        Authorization="Basic " + b64encode(f"{application.client_id}:{application.secret}".encode()).decode(),
    )
    token: str = json.loads(redeemed.text)["access_token"]
    return token


def userinfo_times(origin: str, token: str, seconds: float) -> list[float]:
    """Ask for UserInfo again and again on a kept connection, a little apart; return what each answer took."""
    where = urlsplit(origin)
    connection = http.client.HTTPConnection("127.0.0.1", where.port, 60, source_address=(HOME, 0))
    taken: list[float] = []
    try:
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            connection.request("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            response.read()
            assert response.status == 200
            taken.append(time.perf_counter() - began)
            time.sleep(0.005)
    finally:
        connection.close()
    return taken
