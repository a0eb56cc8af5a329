"""A request for the head of a page needs no form of ours, so it does nothing that a form does.

Another application of the same domain can have a browser send one, with its cookies.
"""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from idp.accounts.models import Account
from idp.audit.models import AuditEvent
from idp.clients.models import Client
from idp.database import db
from tests.attacks.conftest import Door, Intruder
from tests.factories import Person, Registered
from tests.support import team

pytestmark = pytest.mark.one_database


def test_no_head_of_any_page_changes_anything(
    doors: list[Door],
    new_insider: Callable[[Person], Intruder],
    admin: Person,
    registered: Registered,
    family: Person,
    request_number: str,
) -> None:
    insider = new_insider(admin)
    before = db.session.scalar(select(func.count()).select_from(AuditEvent))
    two_ways = [door for door in doors if "POST" in door.methods and "HEAD" in door.methods]
    form = {"reason": "x", "username": "evil", "how": "phone", "do": "note", "text": "x", "decision": "allow"}
    form |= {"typed_name": registered.name, "version": team.version(family), "owner": "district"}
    for door in two_ways:
        for data in (None, form):
            as_asked = insider.send("GET", door.path).status_code

            assert insider.send("HEAD", door.path, data=data).status_code == as_asked, door.path
    assert len(two_ways) > 20
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == before
    assert db.session.scalars(select(Client)).one().disabled_at is None
    assert db.session.get_one(Account, family.id).username == family.username
    assert team.entries(request_number) == []
