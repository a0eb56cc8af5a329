"""What the record's tests share: events written and sealed as the provider does, and a hand that meddles with them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from idp import clock
from idp.audit import sealing, service, verification
from idp.audit.verification import Report
from idp.database import db


@pytest.fixture
def write(app: Flask) -> Callable[[int], None]:
    """Write so many events and commit them."""

    def written(how_many: int) -> None:
        for number in range(how_many):
            service.record("log_in", client_id="gradebook", number=number)
        db.session.commit()

    return written


@pytest.fixture
def seal(app: Flask) -> Callable[..., None]:
    """Seal whatever has no place yet, in batches."""

    def sealed(limit: int = 4) -> None:
        while sealing.seal_next(clock.now(), limit) is not None:
            db.session.commit()
        db.session.rollback()

    return sealed


@pytest.fixture
def meddle(app: Flask) -> Callable[..., None]:
    """Change the database by hand, as somebody who may do anything there but does not have the key."""

    def meddled(*statements: str, **values: Any) -> None:
        db.session.rollback()  # what was read holds a lock that a trigger's removal would wait for
        on_table = " ON audit_events" if db.engine.dialect.name == "postgresql" else ""
        with db.engine.begin() as connection:
            for trigger in ("audit_events_unchanged", "audit_events_kept"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}{on_table}"))
            for statement in statements:
                connection.execute(text(statement), values)

    return meddled


@pytest.fixture
def verify(app: Flask) -> Callable[..., Report]:
    """Check the record, in a transaction of its own."""

    def verified(head: tuple[int, str] | None = None) -> Report:
        db.session.rollback()
        return verification.verify(head)

    return verified


@pytest.fixture
def findings(verify: Callable[..., Report]) -> Callable[..., list[tuple[str, int | None]]]:
    """What a check finds: kind and place."""

    def found(head: tuple[int, str] | None = None) -> list[tuple[str, int | None]]:
        return [(finding.kind, finding.position) for finding in verify(head).findings]

    return found
