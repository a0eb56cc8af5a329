"""While a password is hashed no connection is held, and an account that changes meanwhile stays shut."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.pool import QueuePool

from idp import clock
from idp.admin import people
from idp.database import db
from idp.login import service
from idp.login.password_check import Refused
from idp.login.service import Attempt
from idp.settings import Passwords, Settings
from idp.throttle.models import Counter
from tests.databases import AppBuilder, with_database
from tests.factories import Person
from tests.login.conftest import events

NOBODY = service.Browser(None, "", "")


def log_in(app: Flask, username: str, password: str) -> object:
    with app.app_context():
        attempt = Attempt(username, password, shared_computer=False, client_id=None, browser=NOBODY)
        return service.log_in(attempt, clock.now())


@pytest.fixture
def app(settings: Settings, database_url: str, build_app: AppBuilder) -> Iterator[Flask]:
    """The application at a cost where a hash takes long enough to look at what happens meanwhile."""
    slow = dataclasses.replace(with_database(settings, database_url), passwords=Passwords(bcrypt_cost=13))
    app = build_app(slow)
    with app.app_context():
        yield app


def in_a_thread(act: Callable[..., object], *arguments: object) -> Future[object]:
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(act, *arguments)
    finally:
        pool.shutdown(wait=False)


def wait_for_the_hash() -> None:
    """Wait until the try is in the ledger: it is committed right before the hash."""
    while db.session.scalar(select(Counter.failures)) is None:
        db.session.rollback()
        time.sleep(0.005)
    db.session.rollback()


@pytest.mark.alone
def test_no_connection_is_held_while_a_hash_runs(app: Flask, parent: Person) -> None:
    db.session.remove()
    running = in_a_thread(log_in, app, parent.username, "a password that is wrong")
    pool, held = db.engine.pool, []
    assert isinstance(pool, QueuePool)
    while not running.done():
        held.append(pool.checkedout())
        time.sleep(0.005)

    assert isinstance(running.result(), Refused)
    assert len(held) > 20
    assert held.count(0) > 0.7 * len(held)


def test_an_account_that_is_closed_while_its_password_is_hashed_stays_shut(app: Flask, parent: Person) -> None:
    running = in_a_thread(log_in, app, parent.username, parent.password)
    wait_for_the_hash()
    people.disable(parent.username, actor_id=None, now=clock.now())

    assert isinstance(running.result(), Refused)
    assert events("log_in")[-1].details == {"reason": "account_changed"}


def test_a_password_that_is_replaced_while_it_is_hashed_opens_nothing(app: Flask, parent: Person) -> None:
    running = in_a_thread(log_in, app, parent.username, parent.password)
    wait_for_the_hash()
    people.issue_temporary_password(parent.username, actor_id=None, now=clock.now())

    assert isinstance(running.result(), Refused)
    assert events("log_in")[-1].details == {"reason": "account_changed"}
