"""A code: once, for its application, with its verifier and address, and for no longer than a minute (ATTACKS CP)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp import clock
from idp.accounts import passwords
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.database import db
from idp.sessions import service as sessions
from tests.factories import Person
from tests.oidc.conftest import Application, challenge_of

NewApplication = Callable[..., Application]


def refused(response: TestResponse) -> bool:
    """Tell whether a token response says invalid_grant."""
    return response.status_code == 400 and response.json is not None and response.json["error"] == "invalid_grant"


def test_cp1_a_second_use_is_refused_and_revokes_what_the_first_got(
    application: Application, visitor: FlaskClient
) -> None:
    code = application.code(visitor)
    first = application.redeem(code).get_json()

    assert application.userinfo(first["access_token"]).status_code == 200
    assert refused(application.redeem(code))
    assert application.userinfo(first["access_token"]).status_code == 401


def test_cp3_another_application_cannot_redeem_a_code_and_does_not_spend_it(
    new_application: NewApplication, visitor: FlaskClient
) -> None:
    mine, other = new_application("Gradebook"), new_application("Lunch")
    code = mine.code(visitor)
    other.verifier = mine.verifier

    assert refused(other.redeem(code, redirect_uri=mine.registered.redirect_uri))
    assert mine.redeem(code).status_code == 200


@pytest.mark.parametrize(
    "verifier",
    [None, "", "wrong" * 10, "a" * 42, "a" * 129, "ü" * 50, "the challenge itself", "a" * 43 + "\n"],
)
def test_cp7_a_verifier_that_is_missing_wrong_or_malformed_burns_the_code(
    application: Application, visitor: FlaskClient, verifier: str | None
) -> None:
    code = application.code(visitor)
    sent = challenge_of(application.verifier) if verifier == "the challenge itself" else verifier

    assert refused(application.redeem(code, code_verifier=sent))
    assert refused(application.redeem(code))


def test_cp9_a_verifier_without_a_challenge_is_refused(new_application: NewApplication, visitor: FlaskClient) -> None:
    application = new_application(require_pkce=False)
    without = {"code_challenge": None, "code_challenge_method": None}

    assert refused(application.redeem(application.code(visitor, **without)))
    assert application.redeem(application.code(visitor, **without), code_verifier=None).status_code == 200


@pytest.mark.parametrize("redirect_uri", [None, "", "https://lunch.example/callback/", "https://evil.example/"])
def test_the_address_must_be_that_of_the_request(
    application: Application, visitor: FlaskClient, redirect_uri: str | None
) -> None:
    assert refused(application.redeem(application.code(visitor), redirect_uri=redirect_uri))


def test_a_code_lives_for_a_minute(
    application: Application, visitor: FlaskClient, travel: Callable[[timedelta], AbstractContextManager[None]]
) -> None:
    code = application.code(visitor)
    with travel(timedelta(seconds=61)):
        assert refused(application.redeem(code))


@pytest.mark.parametrize("change", ["disabled", "password", "logged out"])
def test_cp11_what_ends_the_person_between_issue_and_redemption_ends_the_code(
    application: Application, visitor: FlaskClient, parent: Person, change: str
) -> None:
    code = application.code(visitor)
    account = db.session.get_one(Account, parent.id)
    later = clock.now() + timedelta(milliseconds=1)
    match change:
        case "disabled":
            accounts.disable(account, later)
        case "password":
            accounts.store_password(account, passwords.hash_password("another plum harbour"), later)
        case _:
            sessions.end_all(parent.id, "log_out", later)
    db.session.commit()

    assert refused(application.redeem(code))


@pytest.mark.parametrize("code", ["", "x", "é", "a" * 2049, "\x00"])
def test_rubbish_is_no_code(application: Application, code: str) -> None:
    response = application.redeem(code)

    assert response.status_code == 400
    assert response.get_json()["error"] in {"invalid_grant", "invalid_request"}
