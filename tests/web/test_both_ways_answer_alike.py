"""Endpoints for programs have a short way past Flask's dispatch: nobody outside can tell by which one was answered."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import Client, TestResponse

from idp.database import db
from idp.ids import new_id
from idp.oidc import access_tokens

OWN = {"X-Request-Id"}
"""Headers that differ from one answer to the next."""
UNKNOWN = {"Authorization": f"Bearer {access_tokens.new(new_id())}"}
FORM = "application/x-www-form-urlencoded"

REQUESTS: dict[str, dict[str, Any]] = {
    "discovery": {"path": "/.well-known/openid-configuration"},
    "discovery by its other name": {"path": "/.well-known/oauth-authorization-server"},
    "keys": {"path": "/oauth/jwks"},
    "health": {"path": "/healthz"},
    "userinfo without a token": {"path": "/oauth/userinfo"},
    "userinfo with a wrong token": {"path": "/oauth/userinfo", "headers": UNKNOWN},
    "userinfo by POST": {"path": "/oauth/userinfo", "method": "POST", "data": {"access_token": "x"}},
    "token without anything": {"path": "/oauth/token", "method": "POST"},
    "token with one name twice": {"path": "/oauth/token", "method": "POST", "data": "a=1&a=2", "content_type": FORM},
    "token with bytes that are no text": {
        "path": "/oauth/token", "method": "POST", "data": b"a=\xff&client_id=%ff", "content_type": FORM
    },
    "token by multipart": {
        "path": "/oauth/token", "method": "POST", "data": {"a": "1"}, "content_type": "multipart/form-data"
    },
    "token with too large a body": {"path": "/oauth/token", "method": "POST", "data": "a" * 70_000},
    "token by GET": {"path": "/oauth/token"},
    "options": {"path": "/oauth/token", "method": "OPTIONS"},
    "head": {"path": "/oauth/jwks", "method": "HEAD"},
    "another path": {"path": "/oauth/jwks/"},
}  # fmt: skip

Way = Callable[..., TestResponse]


@pytest.fixture
def short_way(app: Flask) -> Way:
    """Send a request to the whole application."""
    return Client(app.wsgi_app).open


@pytest.fixture
def flask_way(app: Flask) -> Way:
    """Send a request to Flask itself."""
    return Client(partial(Flask.wsgi_app, app)).open


def _seen(response: TestResponse) -> tuple[int, bytes, set[tuple[str, str]]]:
    return response.status_code, response.data, {pair for pair in response.headers.items() if pair[0] not in OWN}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_answer_is_the_same(short_way: Way, flask_way: Way, name: str) -> None:
    here, there = (way(base_url="http://localhost:5000", **REQUESTS[name]) for way in (short_way, flask_way))

    assert _seen(here) == _seen(there)
    names = [name for name, _value in here.headers]
    assert len(names) == len(set(names)), "each header is sent once"
    assert "X-Request-Id" in names


def test_the_version_that_is_held_is_not_sent_again(short_way: Way, flask_way: Way) -> None:
    etag = short_way("/oauth/jwks").headers["ETag"]

    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        here, there = (way("/oauth/jwks", headers={"If-None-Match": held}) for way in (short_way, flask_way))
        assert _seen(here) == _seen(there)
        assert (here.status_code, here.data) == (304, b"")
    assert short_way("/oauth/jwks", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_refused_request_goes_to_the_same_address(short_way: Way, flask_way: Way, client: Callable[..., Any]) -> None:
    registered = client()
    query = {"client_id": registered.client_id, "redirect_uri": registered.redirect_uri, "state": "ü+ %zz"}
    here, there = (way("/oauth/authorize", query_string=query) for way in (short_way, flask_way))

    assert here.status_code == there.status_code == 302
    assert here.location == there.location


def test_a_fault_is_told_alike(app: Flask, short_way: Way, flask_way: Way) -> None:
    db.session.execute(text("DROP TABLE access_tokens"))
    db.session.commit()
    here, there = (way("/oauth/userinfo", headers=UNKNOWN) for way in (short_way, flask_way))

    assert here.status_code >= 500
    assert _seen(here) == _seen(there)


def test_both_ways_log_one_line(short_way: Way, flask_way: Way, capsys: pytest.CaptureFixture[str]) -> None:
    for way in (short_way, flask_way):
        way("/healthz")
        line = capsys.readouterr().err
        assert line.count('"event": "request"') == 1
        assert '"endpoint": "operations.healthz", "status": 200' in line
