"""What is past its time goes, in small batches, and nothing else does."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import event, func, select

from idp import clock, sealing
from idp.accounts.models import Account
from idp.database import Base, db
from idp.operations import pruning
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession, LogoutNotice, OpenSteps, Participant
from tests.factories import Person, Registered
from tests.programs import Commands

NewClient = Callable[..., Registered]


def _log_in(person: Person) -> BrowserSession:
    account = db.session.get_one(Account, person.id)
    token = sessions.start(
        account, amr=["pwd"], shared_computer=False, user_agent="", address="192.0.2.1", now=clock.now()
    )
    db.session.commit()
    return db.session.scalars(select(BrowserSession).where(BrowserSession.digest == sealing.digest(token))).one()


def _count(model: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_session_that_has_been_over_for_a_month_goes_with_its_parts_and_notices(
    app: Flask, parent: Person, client: NewClient
) -> None:
    lunch = client(backchannel_logout_uri="http://localhost/backchannel-logout")
    session = _log_in(parent)
    sessions.join(session.id, lunch.id, clock.now())
    sessions.end(session.id, "log_out", clock.now())
    notice = db.session.scalars(select(LogoutNotice)).one()
    notice.delivered_at, notice.due_at = clock.now(), None
    db.session.commit()

    pruning.prune(clock.now() + timedelta(days=29))
    assert (_count(BrowserSession), _count(Participant), _count(LogoutNotice)) == (1, 1, 1)
    counts = pruning.prune(clock.now() + timedelta(days=32))

    assert (_count(BrowserSession), _count(Participant), _count(LogoutNotice)) == (0, 0, 0)
    assert counts["sessions and notices"] == 3


def test_a_live_session_stays(app: Flask, parent: Person) -> None:
    _log_in(parent)

    pruning.prune(clock.now())

    assert _count(BrowserSession) == 1


def test_a_notice_that_is_still_owed_stays(app: Flask, parent: Person, client: NewClient) -> None:
    lunch = client(backchannel_logout_uri="http://localhost/backchannel-logout")
    session = _log_in(parent)
    sessions.join(session.id, lunch.id, clock.now())
    sessions.end(session.id, "log_out", clock.now())
    db.session.commit()

    pruning.prune(clock.now() + timedelta(days=365))

    assert _count(LogoutNotice) == 1


def test_open_steps_go_when_their_time_is_over(app: Flask, parent: Person) -> None:
    account = db.session.get_one(Account, parent.id)
    sessions.open_steps(account, ["new_password"], amr=["pwd"], shared_computer=False, now=clock.now())
    db.session.commit()

    pruning.prune(clock.now())
    assert _count(OpenSteps) == 1
    pruning.prune(clock.now() + timedelta(hours=1))
    assert _count(OpenSteps) == 0


def test_it_goes_in_small_batches_each_with_its_own_commit(app: Flask, parent: Person) -> None:
    account = db.session.get_one(Account, parent.id)
    for _ in range(25):
        sessions.open_steps(account, [], amr=[], shared_computer=False, now=clock.now())
    db.session.commit()
    commits: list[int] = []
    event.listen(db.engine, "commit", lambda _connection: commits.append(1))
    steps: list[int] = []

    pruning.prune(clock.now() + timedelta(hours=1), lambda _name, gone: steps.append(gone), batch=10)

    assert steps == [10, 20, 25]
    assert len(commits) >= 4


def test_the_command_says_how_much_went(parent: Person, idp: Commands) -> None:
    account = db.session.get_one(Account, parent.id)
    long_ago = clock.now() - timedelta(days=1)
    sessions.open_steps(account, [], amr=[], shared_computer=False, now=long_ago)
    db.session.commit()

    result = idp("prune")

    assert result.exit_code == 0
    assert "1 sessions and notices" in result.stdout
