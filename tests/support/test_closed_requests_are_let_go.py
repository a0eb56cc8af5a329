"""A closed request is kept for as long as the settings say, and an open one for ever."""

from datetime import timedelta

from idp import clock
from idp.database import db
from idp.ids import new_id
from idp.support import pruning
from idp.support.models import CLOSED, NOTE, LogEntry
from tests.support.conftest import Send, number_on, tickets


def test_a_closed_request_goes_with_all_that_was_noted_on_it(send: Send) -> None:
    kept = number_on(send())
    number_on(send({"Your name (required)": "Olga Nowak"}))
    closed = tickets()[1]
    closed.state, closed.closed_at = CLOSED, clock.now()
    db.session.add(LogEntry(id=new_id(), ticket_id=closed.id, kind=NOTE, text="Done.", at=clock.now()))
    db.session.commit()

    assert sum(pruning.delete_expired(clock.now() + timedelta(days=364), 10)) == 0
    assert sum(pruning.delete_expired(clock.now() + timedelta(days=366), 10)) == 1
    db.session.commit()

    assert [one.number for one in tickets()] == [kept]
    assert db.session.query(LogEntry).count() == 0
