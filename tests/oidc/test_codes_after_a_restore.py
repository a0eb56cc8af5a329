"""A code of before a restore is worthless after it, though the database that was put back has never heard of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from idp import clock
from idp.database import db
from idp.oidc.models import AccessToken
from idp.operations import restore
from idp.sessions.models import BrowserSession
from tests.oidc.conftest import Application


@pytest.mark.parametrize("runs_out", [False, True], ids=["a session that goes on", "a session that has just run out"])
@pytest.mark.parametrize("was_spent", [False, True], ids=["kept", "spent since the backup"])
def test_a_code_of_before_is_good_for_nothing(
    application: Application,
    visitor: FlaskClient,
    travel: Callable[[timedelta], AbstractContextManager[None]],
    *,
    was_spent: bool,
    runs_out: bool,
) -> None:
    code = application.code(visitor)
    if was_spent:
        assert application.redeem(code).status_code == 200
    db.session.execute(delete(AccessToken))
    if runs_out:
        soon = clock.now() + timedelta(seconds=20)
        db.session.execute(update(BrowserSession).values(idle_expires_at=soon, expires_at=soon))
    db.session.commit()

    with travel(timedelta(seconds=30)):
        ended = restore.end_what_was_open(clock.now(), keep_temporary_passwords=False)

        assert ended.sessions == 1
        assert application.redeem(code).status_code == 400
