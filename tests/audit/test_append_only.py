"""The database itself refuses to change or drop what is on record."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from idp.database import db


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET outcome = 'failure'",
        "UPDATE audit_events SET details = '{}'",
        "UPDATE audit_events SET mac = 'forged', position = 7",
        "DELETE FROM audit_events",
    ],
)
def test_a_slip_changes_nothing(
    statement: str, app: Flask, write: Callable[[int], None], seal: Callable[..., None], *, sealed: bool
) -> None:
    write(1)
    if sealed:
        seal()

    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text(statement))

    assert db.session.execute(text("SELECT count(*) FROM audit_events WHERE outcome = 'success'")).scalar_one() == 1


def test_a_place_is_given_once(app: Flask, write: Callable[[int], None], seal: Callable[..., None]) -> None:
    write(1)
    seal()

    with pytest.raises(DBAPIError, match="append-only"), db.engine.begin() as connection:
        connection.execute(text("UPDATE audit_events SET position = 9"))
