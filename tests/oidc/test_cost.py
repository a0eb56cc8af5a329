"""How many statements and commits each step of single sign-on makes: the count is the design's promise."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.counted import counted
from tests.oidc.conftest import Application

NewApplication = Callable[..., Application]


@pytest.fixture
def warm(application: Application, visitor: FlaskClient) -> Application:
    """An application that this person and this process know already."""
    application.userinfo(application.tokens(visitor)["access_token"])
    return application


def test_a_flow_costs_two_commits_and_ten_statements_at_most(warm: Application, visitor: FlaskClient) -> None:
    with counted() as authorize:
        code = warm.code(visitor)
    with counted() as redeem:
        tokens = warm.redeem(code).get_json()
    with counted() as userinfo:
        warm.userinfo(tokens["access_token"])

    assert (authorize.commits, redeem.commits, userinfo.commits) == (1, 1, 0)
    assert len(authorize.statements) <= 4, authorize.statements
    assert len(redeem.statements) <= 4, redeem.statements
    assert len(userinfo.statements) == 1, userinfo.statements


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
