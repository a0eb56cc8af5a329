"""Rows LO5 and DS10: a log-out reaches whoever takes part in that very moment, and sessions do not pile up."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp import clock
from idp.database import db
from idp.oidc import codes, store
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, LogoutNotice
from tests.factories import Person
from tests.oidc.conftest import Application


def test_lo5_a_log_out_during_a_redemption_tells_the_application_that_just_took_part(
    app: Flask, new_application: Callable[..., Application], visitor: FlaskClient
) -> None:
    application = new_application(backchannel_logout_uri="https://lunch.example/backchannel-logout")
    code = codes.read(application.code(visitor))
    assert code is not None
    session_id = db.session.query(BrowserSession).one().id
    db.session.rollback()

    def log_out() -> None:
        with app.app_context():
            sessions.end(session_id, "log_out", clock.now())
            db.session.commit()

    with ThreadPoolExecutor(1) as other:
        assert store.spend_code(code, b"digest", clock.now()) == (None,)
        logging_out = other.submit(log_out)
        with pytest.raises(StillWaiting):
            logging_out.result(timeout=0.3)
        sid = sessions.join(session_id, application.registered.id, clock.now())
        db.session.commit()
        logging_out.result(timeout=10)

    assert [notice.sid for notice in db.session.query(LogoutNotice)] == [sid]


@pytest.mark.one_database
def test_ds10_beyond_twenty_sessions_the_oldest_ends(log_in: Callable[[Person], FlaskClient], parent: Person) -> None:
    visitors = [log_in(parent) for _ in range(25)]

    assert [visitor.get("/account").status_code for visitor in visitors] == [303] * 5 + [200] * 20
