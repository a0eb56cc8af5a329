"""Links and codes that are mailed: each is good once, for one purpose, and not for long."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.database import db
from idp.recovery import tokens
from idp.recovery.models import OBJECTION, RESET, VERIFICATION
from idp.recovery.tokens import Issued
from tests.factories import Person

ADDRESS = "ewa@example.org"


def issue(person: Person, purpose: str = VERIFICATION) -> Issued:
    """Mail a link, as far as the database is concerned."""
    issued = tokens.issue(purpose, person.id, ADDRESS, clock.now())
    db.session.commit()
    return issued


def test_a_link_is_good_once_however_often_it_is_looked_at(parent: Person) -> None:
    token, now = issue(parent).token, clock.now()

    assert tokens.find(VERIFICATION, token, now) == tokens.find(VERIFICATION, token, now)
    live = tokens.spend(VERIFICATION, token, now)
    db.session.commit()

    assert live
    assert (live.account_id, live.address) == (parent.id, ADDRESS)
    assert tokens.find(VERIFICATION, token, now) is None
    assert tokens.spend(VERIFICATION, token, now) is None


def test_of_many_who_use_a_link_at_once_one_gets_it(app: Flask, parent: Person) -> None:
    token = issue(parent).token

    def spend(_number: int) -> bool:
        with app.app_context():
            spent = tokens.spend(VERIFICATION, token, clock.now())
            db.session.commit()
            return spent is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(16))) == 1


def test_a_link_is_for_its_own_purpose_and_until_its_time_is_over(parent: Person) -> None:
    token, now = issue(parent).token, clock.now()

    assert tokens.find(RESET, token, now) is None
    assert tokens.spend(RESET, token, now) is None
    assert tokens.spend(VERIFICATION, token, now + timedelta(hours=24)) is None
    assert tokens.find(VERIFICATION, token + "x", now) is None
    assert tokens.find(VERIFICATION, token, now)


def test_a_newer_link_ends_the_older_one_of_its_purpose_only(parent: Person) -> None:
    """R40: older links stop working."""
    older, other, newer = issue(parent), issue(parent, OBJECTION), issue(parent)
    now = clock.now()

    assert tokens.find(VERIFICATION, older.token, now) is None
    assert tokens.find(OBJECTION, other.token, now)
    latest = tokens.find_latest(VERIFICATION, parent.id, now)
    assert latest
    assert latest.id == newer.id


@pytest.mark.parametrize("typed", ["{}", " {} ", "{0[0]}{0[1]} - {0[2]}"])
def test_a_code_may_be_typed_with_spaces(parent: Person, typed: str) -> None:
    issued, now = issue(parent), clock.now()
    text = typed.format(issued.code if "[" not in typed else (issued.code[:4], "", issued.code[4:]))

    assert tokens.spend_code(issued.id, VERIFICATION, text, now)
    db.session.commit()
    assert tokens.find(VERIFICATION, issued.token, now) is None, "the link beside it is used up, too"


def test_a_code_is_tried_five_times_at_most_and_the_link_outlives_it(parent: Person) -> None:
    issued, now = issue(parent), clock.now()
    wrong = f"{(int(issued.code) + 1) % 10**8:08}"

    for typed in (wrong, "", "ż", wrong * 99, wrong):
        assert tokens.spend_code(issued.id, VERIFICATION, typed, now) is None

    assert tokens.spend_code(issued.id, VERIFICATION, issued.code, now) is None
    assert tokens.find(VERIFICATION, issued.token, now)


def test_a_code_is_good_for_ten_minutes_and_only_with_its_own_mail(parent: Person) -> None:
    issued, now = issue(parent), clock.now()

    assert tokens.spend_code(issued.id, VERIFICATION, issued.code, now + timedelta(minutes=10)) is None
    assert tokens.spend_code(uuid.uuid4(), VERIFICATION, issued.code, now) is None
    assert tokens.spend_code(issued.id, RESET, issued.code, now) is None


def test_neither_shows_in_a_repr(parent: Person) -> None:
    issued = issue(parent)

    assert issued.token not in repr(issued)
    assert issued.code not in repr(issued)
