"""Temporary passwords (TP3): a digest, good for fourteen days, replaced by the next, spent by a new password."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp import clock
from idp.accounts import passwords, service
from idp.accounts.models import Account
from idp.accounts.passwords import Match
from idp.database import db
from tests.factories import Person

NEW = "a lantern over the pond"


@pytest.fixture
def kept(parent: Person) -> Account:
    return service.get_with_credentials(parent.id)


def match(typed: str, account: Account, after: timedelta = timedelta(0)) -> Match:
    return passwords.matches(typed, service.get_known(account.id).credentials, clock.now() + after)


def test_a_temporary_password_works_for_fourteen_days_instead_of_the_old_one(kept: Account, parent: Person) -> None:
    temporary = service.issue_temporary_password(kept, clock.now())

    assert match(temporary, kept) is Match.TEMPORARY
    assert match(temporary, kept, timedelta(days=13, hours=23)) is Match.TEMPORARY
    assert match(temporary, kept, timedelta(days=14)) is Match.EXPIRED
    assert match(parent.password, kept) is Match.NOTHING


def test_the_next_temporary_password_replaces_the_one_before(kept: Account) -> None:
    first = service.issue_temporary_password(kept, clock.now())
    second = service.issue_temporary_password(kept, clock.now())

    assert match(first, kept) is Match.NOTHING
    assert match(second, kept) is Match.TEMPORARY


def test_a_new_password_spends_the_temporary_one(kept: Account) -> None:
    temporary = service.issue_temporary_password(kept, clock.now())
    service.set_password(kept, NEW, clock.now())

    assert match(temporary, kept) is Match.NOTHING
    assert match(NEW, kept) is Match.PASSWORD


def test_only_a_digest_is_kept(kept: Account) -> None:
    temporary = service.issue_temporary_password(kept, clock.now())
    db.session.flush()

    row = db.session.execute(select(Account.__table__)).one()
    assert not any(temporary in str(value) for value in row)
