"""How many statements and commits each step of single sign-on makes: the count is the design's promise."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from idp.database import db, release
from tests.counted import counted
from tests.oidc.conftest import Application

NewApplication = Callable[..., Application]
Travel = Callable[[timedelta], AbstractContextManager[None]]


@pytest.fixture
def warm(application: Application, visitor: FlaskClient) -> Application:
    """An application that this person and this process know already."""
    application.userinfo(application.tokens(visitor)["access_token"])
    return application


def test_a_flow_costs_one_commit_and_five_statements_at_most(warm: Application, visitor: FlaskClient) -> None:
    with counted() as authorize:
        code = warm.code(visitor)
    with counted() as redeem:
        tokens = warm.redeem(code).get_json()
    with counted() as userinfo:
        warm.userinfo(tokens["access_token"])

    assert (authorize.commits, redeem.commits, userinfo.commits) == (0, 1, 0)
    assert len(authorize.statements) == 1, authorize.statements
    assert len(redeem.statements) <= 3, redeem.statements
    assert len(userinfo.statements) == 1, userinfo.statements
    assert all(text.startswith("SELECT") for text in authorize.statements)


def test_a_code_that_nobody_redeems_leaves_nothing(warm: Application, visitor: FlaskClient) -> None:
    before = rows()
    for _ in range(3):
        warm.code(visitor)

    assert rows() == before


def test_what_is_due_at_the_authorization_endpoint_is_one_commit_more(
    new_application: NewApplication, visitor: FlaskClient, travel: Travel
) -> None:
    application = new_application("Bus")
    with counted() as first:  # its grant
        application.code(visitor)
    with counted() as again:
        application.code(visitor)
    with travel(timedelta(minutes=4)), counted() as later:  # when the browser was last seen
        application.code(visitor)
    with travel(timedelta(minutes=4)), counted() as soon_after:
        application.code(visitor)

    assert [spent.commits for spent in (first, again, later, soon_after)] == [1, 0, 1, 0]


def rows() -> dict[str, int]:
    """Return how many rows each table has."""
    release()
    return {
        name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in db.metadata.tables.items()
    }


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/oauth/jwks", "/healthz"])
def test_what_is_constant_asks_nothing_of_the_database(app: Flask, warm: Application, path: str) -> None:
    with counted() as spent:
        assert app.test_client().get(path).status_code == 200

    assert spent.statements == []


def test_a_request_that_is_refused_writes_nothing(warm: Application, app: Flask, visitor: FlaskClient) -> None:
    with counted() as spent:
        warm.authorize(visitor, redirect_uri="https://evil.example/")
        warm.authorize(visitor, prompt="bogus")
        warm.authorize(app.test_client())
        warm.userinfo("x")

    assert spent.commits == 0
    assert all(text.startswith("SELECT") for text in spent.statements)
