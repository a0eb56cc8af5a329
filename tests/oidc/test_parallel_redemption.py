"""Fifty redemptions of one code at once, against four server processes over HTTP: one winner, a hundred times."""

import http.client
import json
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from flask import Flask

from idp import clock, sealing
from idp.accounts.models import Account
from idp.database import db
from idp.oidc import store
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession
from idp.settings import Settings
from tests import servers
from tests.databases import with_database
from tests.factories import Person, Registered
from tests.oidc.conftest import challenge_of

ROUNDS, RIVALS = 100, 50
VERIFIER = secrets.token_urlsafe(48)


def make_codes(parent: Person, registered: Registered, how_many: int) -> list[str]:
    """Write codes as the authorization endpoint does, good for as long as the test may take."""
    now = clock.now()
    account = db.session.get_one(Account, parent.id)
    sessions.start(account, amr=["pwd"], shared_computer=False, user_agent="", address="127.0.0.1", now=now)
    session_id = db.session.query(BrowserSession.id).scalar()
    grant_id = store.give_grant(parent.id, registered.id, ["openid"], now)
    codes = [sealing.random_token() for _ in range(how_many)]
    for code in codes:
        store.insert_code(
            digest=sealing.digest(code),
            client_pk=registered.id,
            account_id=parent.id,
            session_id=session_id,
            grant_id=grant_id,
            redirect_uri=registered.redirect_uri,
            scope="openid",
            nonce=None,
            code_challenge=challenge_of(VERIFIER),
            auth_time=now,
            acr="",
            amr=["pwd"],
            issued_at=now,
            expires_at=now + timedelta(minutes=10),
        )
    db.session.commit()
    return codes


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
