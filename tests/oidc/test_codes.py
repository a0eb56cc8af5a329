"""A code: once, for its application, with its verifier and address, and for no longer than a minute (ATTACKS CP)."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp import clock
from idp.accounts import passwords
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.audit.models import AuditEvent
from idp.database import db
from idp.oidc import codes, store
from idp.oidc.models import AccessToken, Grant
from idp.operations import pruning
from idp.sessions import service as sessions
from tests.databases import AppBuilder
from tests.factories import Person
from tests.oidc.conftest import Application, challenge_of

NewApplication = Callable[..., Application]
Travel = Callable[[timedelta], AbstractContextManager[None]]


def events(name: str) -> list[tuple[str, uuid.UUID | None, uuid.UUID | None, str | None]]:
    """Return how each event of that name ended, who did it, whom it concerns, and from where it came."""
    found = select(AuditEvent).where(AuditEvent.event == name).order_by(AuditEvent.id)
    return [(event.outcome, event.actor_id, event.account_id, event.address) for event in db.session.scalars(found)]


def ewa() -> uuid.UUID:
    """Return the one person's id."""
    return db.session.scalars(select(Account.id)).one()


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


@pytest.mark.parametrize("later", [timedelta(), timedelta(minutes=14)])
def test_cp1_a_second_use_after_a_restart_is_known_as_long_as_the_token_lives(
    app: Flask, build_app: AppBuilder, application: Application, visitor: FlaskClient, later: timedelta, travel: Travel
) -> None:
    code = application.code(visitor)
    first = application.redeem(code).get_json()
    with travel(later):
        assert application.userinfo(first["access_token"]).status_code == 200
        pruning.prune(clock.now())
        application.app = build_app(app.config["IDP"])

        assert refused(application.redeem(code))
        assert application.userinfo(first["access_token"]).status_code == 401
    assert events("code_replayed") == [("failure", None, ewa(), "127.0.0.1")]


def test_a_token_is_let_go_when_its_code_has_run_out_too(
    application: Application, visitor: FlaskClient, travel: Travel
) -> None:
    application.tokens(visitor)
    left = []
    for seconds in (890, 1490, 1510):  # some seconds to spare, since the machine may stall
        with travel(timedelta(seconds=seconds)):
            pruning.prune(clock.now())
        left.append(db.session.query(AccessToken).count())

    assert left == [1, 1, 0]


def test_a_token_of_a_longer_life_than_is_given_now_stays_and_those_behind_it_go(
    app: Flask, build_app: AppBuilder, application: Application, visitor: FlaskClient, travel: Travel
) -> None:
    ours = app.config["IDP"]

    def living(seconds: int) -> Flask:
        return build_app(replace(ours, tokens=replace(ours.tokens, access_token_seconds=seconds)))

    given = []
    for seconds in (14_400, 60):
        application.app = visitor.application = living(seconds)
        given.append(application.tokens(visitor)["access_token"])
    with travel(timedelta(seconds=2000)), application.app.app_context():
        pruning.prune(clock.now())

        assert [application.userinfo(token).status_code for token in given] == [200, 401]
        assert db.session.query(AccessToken).count() == 1


@pytest.mark.parametrize("code_seconds_since", [600, 1])
def test_cp1_a_code_that_outlives_its_token_is_spent_all_the_same(
    app: Flask,
    build_app: AppBuilder,
    application: Application,
    visitor: FlaskClient,
    travel: Travel,
    code_seconds_since: int,
) -> None:
    ours = app.config["IDP"]

    def living(code_seconds: int) -> Flask:
        return build_app(replace(ours, tokens=replace(ours.tokens, code_seconds=code_seconds, access_token_seconds=1)))

    application.app = living(600)
    visitor.application = application.app
    code = application.code(visitor)
    assert application.redeem(code).status_code == 200
    application.app = living(code_seconds_since)
    with travel(timedelta(seconds=300)), application.app.app_context():
        pruning.prune(clock.now())
        assert refused(application.redeem(code))
        assert events("code_replayed") == [("failure", None, ewa(), "127.0.0.1")]


def test_cp1_a_code_of_before_a_restart_redeems_after_it(
    app: Flask, build_app: AppBuilder, application: Application, visitor: FlaskClient
) -> None:
    code = application.code(visitor)
    application.app = build_app(app.config["IDP"])

    assert application.redeem(code).status_code == 200
    assert refused(application.redeem(code))


def test_cp1_what_was_never_good_is_no_second_use(
    new_application: NewApplication, visitor: FlaskClient, travel: Travel
) -> None:
    mine, other = new_application("Gradebook"), new_application("Lunch")
    code = mine.code(visitor)
    for _twice in range(2):
        assert refused(other.redeem(code, redirect_uri=mine.registered.redirect_uri))
    with travel(timedelta(seconds=61)):
        for _twice in range(2):
            assert refused(mine.redeem(code))

    assert events("code_replayed") == []


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
    assert [token.revoked_at == token.issued_at for token in db.session.scalars(select(AccessToken))] == [True]
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


def test_a_code_lives_for_a_minute(application: Application, visitor: FlaskClient, travel: Travel) -> None:
    code = application.code(visitor)
    with travel(timedelta(seconds=61)):
        assert refused(application.redeem(code))


@pytest.mark.parametrize("change", ["disabled", "password", "logged out", "grant taken back"])
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
        case "logged out":
            sessions.end_all(parent.id, "log_out", later)
        case _:
            assert store.revoke_grant(db.session.scalars(select(Grant.id)).one(), later)
    db.session.commit()

    assert refused(application.redeem(code))


@pytest.mark.parametrize("shown", [1, 2])
def test_cp11_a_code_that_was_refused_is_no_better_when_the_account_is_open_again(
    application: Application, visitor: FlaskClient, parent: Person, shown: int
) -> None:
    code = application.code(visitor)
    account = db.session.get_one(Account, parent.id)
    accounts.disable(account, clock.now())
    db.session.commit()
    refusals = [refused(application.redeem(code)) for _ in range(shown)]
    accounts.enable(db.session.get_one(Account, parent.id), clock.now())
    db.session.commit()

    assert refusals == [True] * shown
    assert refused(application.redeem(code))
    assert all(token.revoked_at is not None for token in db.session.scalars(select(AccessToken)))


def test_what_a_grant_that_was_taken_back_had_given_stays_dead_when_it_is_given_anew(
    application: Application, visitor: FlaskClient
) -> None:
    kept = application.code(visitor)
    token = application.tokens(visitor)["access_token"]
    grant = db.session.scalars(select(Grant)).one()
    assert store.revoke_grant(grant.id, clock.now())
    db.session.commit()
    application.tokens(visitor)

    assert application.userinfo(token).status_code == 401
    assert refused(application.redeem(kept))


@pytest.mark.parametrize("code", ["", "x", "é", "a" * 4097, "\x00"])
def test_rubbish_is_no_code(application: Application, code: str) -> None:
    response = application.redeem(code)

    assert response.status_code == 400
    assert response.get_json()["error"] in {"invalid_grant", "invalid_request"}


def test_the_longest_code_there_is_redeems(new_application: NewApplication, visitor: FlaskClient) -> None:
    application = new_application(redirect_uri="https://gradebook.example/" + "p" * 374)
    nonce = "\x01" * 300
    code = application.code(visitor, nonce=nonce)

    assert 3000 < len(code) <= codes.LONGEST
    tokens = application.redeem(code).get_json()
    assert application.claims(tokens["id_token"])["nonce"] == nonce


def test_what_was_granted_is_on_record_with_the_tokens_and_from_where_the_person_was(
    application: Application, log_in: Callable[[Person], FlaskClient], parent: Person
) -> None:
    visitor = log_in(parent)
    visitor.environ_base["REMOTE_ADDR"] = "203.0.113.207"
    burned, code = application.code(visitor), application.code(visitor)
    assert refused(application.redeem(burned, code_verifier="w" * 43))
    assert events("authorization_granted") == [], "nobody has learned anything yet"

    assert application.redeem(code).status_code == 200
    assert events("authorization_granted") == [("success", parent.id, parent.id, "203.0.113.207")]
    (details,) = db.session.scalars(select(AuditEvent.details).where(AuditEvent.event == "authorization_granted"))
    assert details == {"scope": "openid profile email"}
    assert refused(application.redeem(code))
    assert len(events("authorization_granted")) == 1
