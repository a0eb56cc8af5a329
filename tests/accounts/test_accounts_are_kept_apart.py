"""Two people never share a username, and an account that is gone or renamed is not somebody else's."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp import clock
from idp.accounts import service
from idp.accounts.models import Account
from idp.accounts.service import UsernameTaken
from idp.database import db
from tests.factories import Person


def test_a_username_that_looks_the_same_is_taken(parent: Person) -> None:
    with pytest.raises(UsernameTaken):
        service.create(parent.username.upper() + " ", now=clock.now())


def test_of_two_that_are_added_at_once_one_is_refused(app: Flask) -> None:
    together = Barrier(4)

    def add(_number: int) -> bool:
        with app.app_context():
            together.wait()
            try:
                service.create("ewa.kowalska", now=clock.now())
            except UsernameTaken:
                db.session.rollback()
                return False
            db.session.commit()
            return True

    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(add, range(4)))

    assert sorted(added) == [False, False, False, True]
    assert db.session.scalar(select(func.count()).select_from(Account)) == 1


def test_an_account_keeps_its_id_when_it_is_renamed(parent: Person) -> None:
    service.rename(service.get(parent.id), " Zoë.Nowak ", clock.now())
    db.session.commit()

    renamed = service.find_by_username("ZOË.NOWAK")
    assert renamed is not None
    assert (renamed.id, renamed.username) == (parent.id, "Zoë.Nowak")
    assert service.find_by_username(parent.username) is None


def test_an_account_can_change_the_case_of_its_own_username(parent: Person) -> None:
    service.rename(service.get(parent.id), parent.username.upper(), clock.now())

    assert service.get(parent.id).username == parent.username.upper()


def test_an_account_cant_be_renamed_to_anothers_username(parent: Person, admin: Person) -> None:
    with pytest.raises(UsernameTaken):
        service.rename(service.get(parent.id), admin.username, clock.now())


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("username", ["", "a\0b", "x" * 101])
def test_a_username_with_a_problem_is_never_kept(username: str) -> None:
    with pytest.raises(ValueError, match=r"Enter|too long|can't be seen"):
        service.create(username, now=clock.now())


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("typed", ["", "\0", "\ud800", "nobody", "%", "x" * 100_000, "' OR 1=1--"])
def test_whatever_is_looked_for_is_found_or_not(typed: str) -> None:
    assert service.find_by_username(typed) is None


def test_a_repr_tells_neither_name_nor_password(parent: Person) -> None:
    account = service.get_with_credentials(parent.id)

    assert repr(account) == f"<Account {parent.id}>"
    assert str(account.password_hash) not in repr(service.get_known(parent.id))
