"""Fifty redemptions of one code at once, against four server processes over HTTP: one winner, a hundred times."""

import http.client
import json
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask

from idp import clock, sealing
from idp.accounts.models import Account
from idp.database import db
from idp.sessions import service as sessions
from idp.sessions import store as sessions_store
from idp.settings import Settings
from tests import servers
from tests.databases import with_database
from tests.factories import Person, Registered
from tests.oidc.conftest import issued

ROUNDS, RIVALS = 100, 50
VERIFIER = secrets.token_urlsafe(48)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Codes that are good for as long as the test may take."""
    return replace(settings, tokens=replace(settings.tokens, code_seconds=600))


def make_codes(parent: Person, registered: Registered, how_many: int) -> list[str]:
    """Make codes as the authorization endpoint does."""
    now = clock.now()
    account = db.session.get_one(Account, parent.id)
    token = sessions.start(account, amr=["pwd"], shared_computer=False, user_agent="", address="127.0.0.1", now=now)
    db.session.commit()
    session = sessions_store.find(sealing.digest(token), now)
    assert session is not None
    return [issued(registered, session, now, VERIFIER) for _ in range(how_many)]


class Rivals:
    """Fifty connections that wait for each other before each request."""

    def __init__(self, origin: str, registered: Registered) -> None:
        self.where = urlsplit(origin)
        self.registered = registered
        self.barrier = threading.Barrier(RIVALS)
        self.answers: list[list[tuple[int, str]]] = [[] for _ in range(ROUNDS)]

    def race(self, codes: list[str]) -> None:
        """Redeem each code from all connections at once."""
        threads = [threading.Thread(target=self._run, args=(codes,)) for _ in range(RIVALS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run(self, codes: list[str]) -> None:
        connection = http.client.HTTPConnection(self.where.hostname or "", self.where.port, timeout=60)
        pair = b64encode(f"{self.registered.client_id}:{self.registered.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        for number, code in enumerate(codes):
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.registered.redirect_uri,
                "code_verifier": VERIFIER,
            }
            self.barrier.wait(timeout=120)
            connection.request("POST", "/oauth/token", urlencode(form), headers)
            response = connection.getresponse()
            self.answers[number].append((response.status, response.read().decode()))
        connection.close()


def userinfo_status(origin: str, access_token: str) -> int:
    """Ask UserInfo over HTTP."""
    where = urlsplit(origin)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    connection.request("GET", "/oauth/userinfo", headers={"Authorization": f"Bearer {access_token}"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_one_of_fifty_wins_and_the_replay_takes_back_what_it_got(
    app: Flask, settings: Settings, database_url: str, tmp_path: Path, parent: Person, client: Callable[..., Registered]
) -> None:
    registered = client()
    codes = make_codes(parent, registered, ROUNDS)
    with servers.provider(with_database(settings, database_url), tmp_path, workers=4) as provider:
        rivals = Rivals(provider.origin, registered)
        rivals.race(codes)
        statuses = [sorted(status for status, _body in answers) for answers in rivals.answers]
        winners = [body for answers in rivals.answers for status, body in answers if status == 200]
        still_good = [userinfo_status(provider.origin, json.loads(body)["access_token"]) for body in winners]

    assert statuses == [[200] + [400] * (RIVALS - 1)] * ROUNDS
    assert still_good == [401] * ROUNDS
