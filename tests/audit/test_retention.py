"""Old events go in small batches, and the chain says that it was retention that took them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from idp import clock
from idp.audit import retention
from idp.audit.models import AuditEvent, AuditSeal
from idp.audit.verification import Report
from idp.database import db

A_YEAR = timedelta(days=366)


@pytest.fixture(autouse=True)
def old_and_new(write: Callable[[int], None], seal: Callable[..., None]) -> None:
    """Eight events of last year under two seals, and three of today."""
    with clock.shifted(-A_YEAR):
        write(8)
        seal(4)
    write(3)
    seal(4)


def _prune(limit: int = 100) -> int:
    gone = next(retention.delete_expired(clock.now(), limit))
    db.session.commit()
    return gone


def test_what_is_past_retention_goes_and_the_rest_is_intact(verify: Callable[..., Report]) -> None:
    assert _prune() == 8
    report = verify()

    assert (report.events, report.findings) == (3, [])
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == 3
    assert db.session.scalar(select(func.count()).select_from(AuditSeal)) == 2, "one of events, one checkpoint"


def test_it_goes_in_batches_and_is_intact_between_them(verify: Callable[..., Report]) -> None:
    gone = []
    while taken := _prune(3):
        gone.append(taken)
        assert verify().is_intact

    assert gone == [3, 3, 2]


def test_nothing_is_left_to_do_the_second_time(app: Flask) -> None:
    _prune()
    seals = db.session.scalar(select(func.count()).select_from(AuditSeal))

    assert _prune() == 0
    assert db.session.scalar(select(func.count()).select_from(AuditSeal)) == seals


def test_the_chain_goes_on_after_a_checkpoint(
    write: Callable[[int], None], seal: Callable[..., None], verify: Callable[..., Report]
) -> None:
    _prune()
    write(5)
    seal(2)
    report = verify()

    assert (report.events, report.findings) == (8, [])


def test_a_row_younger_than_the_checkpoint_is_still_missed(
    meddle: Callable[..., None], verify: Callable[..., Report]
) -> None:
    _prune()
    meddle("DELETE FROM audit_events WHERE position = 9")

    assert [(found.kind, found.position) for found in verify().findings] == [("missing", 9)]


def test_a_checkpoint_that_was_taken_away_is_missed(meddle: Callable[..., None], verify: Callable[..., Report]) -> None:
    _prune()
    meddle("DELETE FROM audit_seals WHERE first_position > last_position")

    assert {found.kind for found in verify().findings} == {"cut_off"}


def test_when_everything_is_old_only_the_checkpoint_stays(verify: Callable[..., Report]) -> None:
    with clock.shifted(A_YEAR):
        for _gone in retention.delete_expired(clock.now(), 4):
            db.session.commit()
        report = verify()

    assert (report.events, report.seals, report.findings) == (0, 1, [])
    assert db.session.execute(text("SELECT count(*) FROM audit_events")).scalar_one() == 0
