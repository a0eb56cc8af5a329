"""A storm of wrong passwords keeps the hashing busy, and nothing else (ATTACKS DS5)."""

import http.client
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from idp.settings import Passwords, Settings
from tests import elements, servers
from tests.databases import with_database

STORM, PAGES = 12, 20  # more log-ins than a process has places
COST = 13  # near half a second for each hash: what is answered meanwhile has not waited for them


def ask(origin: str, method: str, path: str, body: str = "", cookie: str = "") -> tuple[int, dict[str, str], str]:
    """Send one request on a connection of its own."""
    where = urlsplit(origin)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    headers = {"Cookie": cookie} | ({"Content-Type": "application/x-www-form-urlencoded"} if body else {})
    connection.request(method, path, body or None, headers)
    response = connection.getresponse()
    answer = response.status, {name.lower(): value for name, value in response.getheaders()}, response.read().decode()
    connection.close()
    return answer


def prepared_log_in(origin: str, username: str) -> Callable[[], int]:
    """Open the log-in page in a new browser, and return what sends a wrong password from there."""
    _status, headers, page = ask(origin, "GET", "/login")
    cookie = headers["set-cookie"].split(";")[0]
    token = next(field.get("value") for field in elements.read(page).all("input") if field.get("name") == "csrf_token")
    form = urlencode({"username": username, "password": "wrong wrong wrong wrong", "csrf_token": token})
    return lambda: ask(origin, "POST", "/login", form, cookie)[0]


@pytest.mark.alone
def test_ds5_pages_and_keys_answer_while_every_hash_is_busy(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    costly = replace(with_database(settings, database_url), passwords=Passwords(bcrypt_cost=COST))
    with servers.provider(costly, tmp_path) as provider:
        log_ins = [prepared_log_in(provider.origin, f"nobody{number}") for number in range(STORM)]
        ask(provider.origin, "GET", "/oauth/jwks")
        answers: list[int] = []
        storm = [threading.Thread(target=lambda send=send: answers.append(send())) for send in log_ins]
        for thread in storm:
            thread.start()
        meanwhile = [ask(provider.origin, "GET", path)[0] for path in ("/oauth/jwks", "/help") * (PAGES // 2)]
        still_hashing = any(thread.is_alive() for thread in storm)
        for thread in storm:
            thread.join()

    assert meanwhile == [200] * PAGES
    assert still_hashing
    assert set(answers) <= {422, 503}
    assert 422 in answers
