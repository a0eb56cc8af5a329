"""What a measured district holds: an application of its own, families, their sessions and tokens."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask

from idp import clock, sealing
from idp.accounts.models import Account
from idp.database import db
from idp.ids import new_id
from idp.oidc import access_tokens, store
from idp.oidc.models import AccessToken
from idp.sessions import service as sessions
from idp.sessions import store as sessions_store
from tests import factories
from tests.factories import Person, Registered

REDIRECT_URI = "https://gradebook.example/callback"
_TOOLS = 16


@dataclass(frozen=True)
class District:
    """What scripts are given."""

    client_id: str
    client_secret: str
    redirect_uri: str
    client_ids: list[str]
    """More applications: the budget of wrong secrets is one for each."""
    password: str
    usernames: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    """A Cookie header for each person who is logged in."""
    access_tokens: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        """The same, in the shape that travels to the load's process."""
        return asdict(self)


def fill(app: Flask, people: int = 32) -> District:
    """Add people, each logged in, and one first-party application to an application's database."""
    with app.app_context():
        client = factories.client("Gradebook", redirect_uri=REDIRECT_URI, first_party=True)
        persons = [factories.account()]
        shared = db.session.get_one(Account, persons[0].id).password_hash
        # One hash for all of them: at its real cost each takes a fifth of a second.
        persons += [factories.account(password=None, password_hash=shared) for _ in range(people - 1)]
        district = District(
            client.client_id,
            client.secret or "",
            REDIRECT_URI,
            [factories.client(f"Tool {number}").client_id for number in range(_TOOLS)],
            factories.PASSWORD,
        )
        for person in persons:
            _log_in(district, person, client, clock.now())
        db.session.commit()
        return district


def _log_in(district: District, person: Person, client: Registered, now: datetime) -> None:
    """Give a person a session, and the application a token for it that outlives the measurement."""
    account = db.session.get_one(Account, person.id)
    cookie = sessions.start(account, amr=["pwd"], shared_computer=False, user_agent="", address="127.0.0.1", now=now)
    session = sessions_store.find(sealing.digest(cookie), now)
    assert session is not None
    token_id = new_id()
    token = access_tokens.new(token_id)
    db.session.add(
        AccessToken(
            id=token_id,
            digest=sealing.digest(token),
            client_pk=client.id,
            account_id=person.id,
            session_id=session.id,
            grant_id=store.give_grant(person.id, client.id, [], now),
            scope="openid profile email",
            issued_at=now,
            expires_at=now + timedelta(days=1),
        )
    )
    district.usernames.append(person.username)
    district.cookies.append(f"idp_session={cookie}")
    district.access_tokens.append(token)
