"""A log-in with the right password renews a hash of another cost or pepper, once."""

import dataclasses

import pytest
from flask import Flask

from idp import clock
from idp.accounts import service as accounts
from idp.database import db
from idp.login import service
from idp.login.password_check import Refused
from idp.login.service import Attempt, LoggedIn
from idp.settings import NamedKey, Passwords, Settings
from tests.databases import AppBuilder
from tests.factories import Person
from tests.figures import value_of


@pytest.fixture
def other_app(app: Flask, settings: Settings, build_app: AppBuilder) -> Flask:
    """The same provider after its cost and its pepper were changed."""
    peppers = (NamedKey("k2", b"x" * 32), *settings.secrets.peppers)
    secrets = dataclasses.replace(settings.secrets, peppers=peppers)
    return build_app(dataclasses.replace(app.config["IDP"], passwords=Passwords(bcrypt_cost=5), secrets=secrets))


def log_in(app: Flask, username: str, password: str) -> object:
    with app.app_context():
        browser = service.Browser(None, "", "")
        attempt = Attempt(username, password, shared_computer=False, client_id=None, browser=browser)
        return service.log_in(attempt, clock.now())


def stored_hash(person: Person) -> str:
    db.session.rollback()
    return accounts.get_known(person.id).credentials.stored or ""


def test_the_right_password_renews_the_hash_and_still_works(other_app: Flask, parent: Person) -> None:
    before = stored_hash(parent)
    assert isinstance(log_in(other_app, parent.username, parent.password), LoggedIn)
    after = stored_hash(parent)
    assert isinstance(log_in(other_app, parent.username, parent.password), LoggedIn)

    assert (before[:8], after[:8]) == ("k1$2b$04", "k2$2b$05")
    assert stored_hash(parent) == after


def test_a_renewal_stands_in_the_queue_like_any_other_hash(other_app: Flask, parent: Person) -> None:
    def hashes() -> float:
        return value_of(other_app.test_client().get("/metrics").text, "idp_hash_wait_seconds_count")

    before = hashes()
    log_in(other_app, parent.username, parent.password)
    log_in(other_app, parent.username, parent.password)

    assert hashes() - before == 3, "the first log-in compares and renews, the second compares"


def test_a_wrong_password_renews_nothing(other_app: Flask, parent: Person) -> None:
    before = stored_hash(parent)

    assert isinstance(log_in(other_app, parent.username, "a password that is wrong"), Refused)
    assert stored_hash(parent) == before
