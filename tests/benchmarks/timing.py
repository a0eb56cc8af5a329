"""`python -m tests.benchmarks.timing`: can a stranger learn by the clock who exists, or how right a secret is?

Each pair of kinds is tried 200 times over HTTP, one after the other in turns, and judged by telling_apart. Beside them
stands a difference of 2 ms that is planted, so that one sees that as much would be found. The answers of each pair are
alike; what differs in its answer (a right secret and a wrong one) needs no clock to be told apart.
"""

import base64
import http.client
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from flask import Flask

from idp import clock
from idp.accounts import passwords, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import GUARDIAN
from idp.admin import people
from idp.app import create_app
from idp.database import db
from idp.recovery import forgotten_answers
from idp.settings import Passwords, Recovery
from tests import factories, servers
from tests.benchmarks.settings import measured
from tests.benchmarks.telling_apart import Verdict, told_apart
from tests.databases import KINDS, Databases, with_database
from tests.ladders import WITHOUT_ROBOT_CHECKS

TRIES = 200
KNOWN, UNKNOWN, DISABLED, TEMPORARY, EMPTY = "known", "unknown", "disabled", "temporary", "without a password"
UNVERIFIED = "without a verified address"
_CODES_EACH = 5
CHANCE = 0.001
"""What counts as told apart: of a thousand honest pairs one looks so by chance."""
PLANTED = 0.002
_OFTEN = Recovery(forgotten_per_network_hour=100_000, forgotten_in_all_per_hour=100_000)
_WARM_UP = 10

_HEAD = "| pair | difference ms | guessed | p | |\n|---|---|---|---|---|"

Try = Callable[[int], float]
"""One try, by its number; returns its seconds."""


@dataclass
class Prober:
    """Measures tries over a connection that is kept open."""

    origin: str

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", urlsplit(self.origin).port, timeout=60)
        page, cookies = self._send("GET", "/login", {}, {})
        found = re.search(rb'name="csrf_token" value="([^"]+)"', page)
        assert found is not None
        self._token = found[1].decode()
        self._cookie = cookies.partition(";")[0]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def reconnect(self) -> None:
        """Open a connection anew: the server may have closed one that waited until people were made."""
        self._connection.close()

    def log_in(self, username: str, password: str, expected: int) -> float:
        """Send the log-in form; return how long its answer took."""
        form = {"csrf_token": self._token, "username": username, "password": password}
        return self._timed("/login", form, {"Cookie": self._cookie}, expected)

    def redeem(self, client_id: str, secret: str) -> float:
        """Send a token request with a wrong secret; return how long its answer took."""
        pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        form = {"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://x.example/"}
        return self._timed("/oauth/token", form, {"Authorization": f"Basic {pair}"}, 401)

    def forget(self, path: str, field: str, typed: str) -> float:
        """Send Forgot Password? or Forgot Username?; return how long the answer took."""
        return self._timed(path, {"csrf_token": self._token, field: typed}, {"Cookie": self._cookie}, 200)

    def type_code(self, handle: str) -> float:
        """Type a wrong code on an answer's page; return how long it took."""
        form = {"csrf_token": self._token, "handle": handle, "code": "12345678"}
        return self._timed("/forgot-password/code", form, {"Cookie": self._cookie}, 422)

    def handle(self, username: str) -> str:
        """Forget a password, and return what the answer's page holds."""
        form = {"csrf_token": self._token, "username": username}
        page, _cookies = self._send("POST", "/forgot-password", form, {"Cookie": self._cookie})
        found = re.search(rb'name="handle" value="([^"]+)"', page)
        assert found is not None
        return found[1].decode()

    def _timed(self, path: str, form: dict[str, str], headers: dict[str, str], expected: int) -> float:
        began = time.perf_counter()
        self._send("POST", path, form, headers, expected)
        return time.perf_counter() - began

    def _send(
        self, method: str, path: str, form: dict[str, str], headers: dict[str, str], expected: int = 200
    ) -> tuple[bytes, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request(method, path, urlencode(form) if method == "POST" else None, headers | kind)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == expected, (path, answer.status)
        return body, answer.getheader("Set-Cookie") or ""


def measure(first: Try, second: Try, tries: int = TRIES) -> Verdict:
    """Try both kinds in turns, each pair in an order by chance, and judge their times."""
    shuffled = random.Random(207)  # noqa: S311  an order, not a secret
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(tries + _WARM_UP):
        order = [0, 1] if shuffled.random() < 0.5 else [1, 0]
        for kind in order:
            seconds = (first, second)[kind](number)
            if number >= _WARM_UP:
                times[kind].append(seconds)
    return told_apart(*times)


Pair = Callable[[int], Verdict]
"""Measures two kinds with so many tries of each."""


def pairs(app: Flask, prober: Prober) -> Iterator[tuple[str, Pair]]:
    """Return every pair that must look alike. (Which applications exist is public: their ids stand in addresses.)"""

    def alike(first: Callable[[int], Try], second: Callable[[int], Try]) -> Pair:
        def pair(tries: int) -> Verdict:
            one, other = first(tries), second(tries)
            prober.reconnect()
            return measure(one, other, tries)

        return pair

    def wrong(kind: str) -> Callable[[int], Try]:
        return lambda tries: _wrong(app, prober, kind, tries)

    def secret(client_id: str, value: str) -> Callable[[int], Try]:
        return lambda _tries: lambda _number: prober.redeem(client_id, value)

    def waiting(kind: str) -> Callable[[int], Try]:
        return lambda _tries: _waiting(app, prober, kind)

    for kind in (UNKNOWN, DISABLED, TEMPORARY, EMPTY):
        yield f"wrong password: known, {kind}", alike(wrong(KNOWN), wrong(kind))
    yield "too many tries: known, unknown", alike(waiting(KNOWN), waiting(UNKNOWN))

    def forgotten(kind: str, field: str) -> Callable[[int], Try]:
        return lambda tries: _forgotten(app, prober, kind, field, tries)

    def code(kind: str) -> Callable[[int], Try]:
        return lambda tries: _code(app, prober, kind, tries)

    for kind in (UNKNOWN, DISABLED, UNVERIFIED):
        yield f"forgotten password: known, {kind}", alike(forgotten(KNOWN, "username"), forgotten(kind, "username"))
    yield "forgotten username: known, unknown", alike(forgotten(KNOWN, "email"), forgotten(UNKNOWN, "email"))
    yield "wrong code: known, unknown", alike(code(KNOWN), code(UNKNOWN))
    with app.app_context():
        client = factories.client()
    near, far = (client.secret or "")[:-1] + "*", "x" * 43
    yield "wrong secret: in one letter, in all", alike(secret(client.client_id, near), secret(client.client_id, far))


def planted(app: Flask, prober: Prober) -> Pair:
    """Return the pair that must be told apart: the second takes 2 ms longer."""
    return lambda tries: measure(_wrong(app, prober, KNOWN, tries), _slower(_wrong(app, prober, UNKNOWN, tries)), tries)


def is_told_apart(pair: Pair, tries: int = TRIES) -> tuple[bool, Verdict]:
    """Measure a pair; what looks like a difference is measured once more, since one in a thousand does by chance."""
    verdict = pair(tries)
    if verdict.p < CHANCE:
        verdict = pair(tries)
    return verdict.p < CHANCE, verdict


def tries_to_find(pair: Pair, tries: int = TRIES, at_most: int = 8 * TRIES) -> tuple[int, Verdict]:
    """Return how many tries it takes to tell a pair apart: 200, or more on a machine that is busy; 0 for never."""
    while True:
        verdict = pair(tries)
        if verdict.p < CHANCE or tries >= at_most:
            return (tries if verdict.p < CHANCE else 0), verdict
        tries *= 2


def _wrong(app: Flask, prober: Prober, kind: str, tries: int) -> Try:
    names = _usernames(app, kind, tries + _WARM_UP)  # each is tried once, so that none is slowed down
    return lambda number: prober.log_in(names[number], "wrong password", 422)


def _waiting(app: Flask, prober: Prober, kind: str) -> Try:
    (name,) = _usernames(app, kind, 1)
    for _ in range(5):
        prober.log_in(name, "wrong password", 422)
    return lambda _number: prober.log_in(name, "wrong password", 429)


def _forgotten(app: Flask, prober: Prober, kind: str, field: str, tries: int) -> Try:
    names = _with_security_email(app, kind, tries + _WARM_UP)
    path, ending = ("/forgot-password", "") if field == "username" else ("/forgot-username", "@example.org")
    return lambda number: prober.forget(path, field, names[number] + ending)


def _code(app: Flask, prober: Prober, kind: str, tries: int) -> Try:
    """Five wrong codes are looked at for each answer, so that so many answers are needed."""
    names = _with_security_email(app, kind, -(-(tries + _WARM_UP) // _CODES_EACH))
    prober.reconnect()
    handles = [prober.handle(name) for name in names]
    with app.app_context():
        while forgotten_answers.answer_due():
            pass
    return lambda number: prober.type_code(handles[number // _CODES_EACH])


def _with_security_email(app: Flask, kind: str, how_many: int) -> list[str]:
    names = _usernames(app, KNOWN if kind == UNVERIFIED else kind, how_many)
    with app.app_context():
        for name in names if kind not in {UNKNOWN, UNVERIFIED} else ():
            account = accounts.find_by_username(name)
            assert account
            security_emails.set_verified(account.id, f"{name}@example.org", clock.now())
        db.session.commit()
    return names


def _slower(one: Try) -> Try:
    def slowed(number: int) -> float:
        began = time.perf_counter()
        time.sleep(PLANTED)
        one(number)
        return time.perf_counter() - began

    return slowed


_numbers = count()


def _usernames(app: Flask, kind: str, how_many: int) -> list[str]:
    """Return so many usernames of one kind, with the accounts behind them."""
    names = [f"somebody{next(_numbers):07d}" for _ in range(how_many)]
    if kind == UNKNOWN:
        return names
    with app.app_context():
        now = clock.now()
        hashed = passwords.hash_password(factories.PASSWORD)
        for name in names:
            made = accounts.create(
                name, role=GUARDIAN, name="Ewa", given_name="Ewa", family_name="Kowalska", email=None, now=now
            )
            if kind != EMPTY:
                accounts.store_password(made, hashed, now)
            if kind == DISABLED:
                made.disabled_at = now
        db.session.commit()
        for name in names if kind == TEMPORARY else ():
            people.issue_temporary_password(name, actor_id=None, now=now)
    return names


@contextmanager
def served(kind: str, folder: Path) -> Iterator[tuple[Flask, str]]:
    """Serve a provider whose hashes are quick, so that what differs beside them would show."""
    databases = Databases(
        replace(measured(), throttle=replace(WITHOUT_ROBOT_CHECKS, client_failures=10_000), recovery=_OFTEN), folder
    )
    try:
        with databases.new(kind) as url:
            quick = replace(with_database(databases.settings, url), passwords=Passwords(bcrypt_cost=4))
            with servers.provider(quick, folder, workers=1) as running:
                app = create_app(quick)
                yield app, running.origin
                with app.app_context():
                    db.engine.dispose()
    finally:
        databases.close()


def main(arguments: list[str]) -> int:
    """Print what can be told apart on each database; return 1 if it is something that must not be."""
    tries = int(arguments[0]) if arguments else TRIES
    failures = 0
    for kind in KINDS:
        _say(f"\n{kind}, {tries} tries of each kind in turns\n\n{_HEAD}")
        with (
            tempfile.TemporaryDirectory() as folder,
            served(kind, Path(folder)) as (app, origin),
            closing(Prober(origin)) as prober,
        ):
            for name, pair in pairs(app, prober):
                found, verdict = is_told_apart(pair, tries)
                failures += found
                _say(_row(name, verdict, "TOLD APART" if found else "alike"))
            needed, verdict = tries_to_find(planted(app, prober), tries)
            failures += not needed
            _say(
                _row("2 ms planted", verdict, f"found by {needed} tries" if needed else "NOT FOUND: too busy a machine")
            )
    return 1 if failures else 0


def _row(name: str, verdict: Verdict, result: str) -> str:
    return f"| {name} | {verdict.difference:+.3f} | {verdict.guess:.1%} | {verdict.p:.4f} | {result} |"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
