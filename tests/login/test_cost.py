"""What a log-in asks of the database: a try is committed before its hash, and nothing else is written until then."""

from typing import Any

import pytest
from sqlalchemy.sql.compiler import SQLCompiler

from idp import clock
from idp.login import service
from idp.login.password_check import Refused
from idp.login.robot import ChallengeNeeded, Evidence
from idp.login.service import Attempt, LoggedIn
from idp.throttle.ladder import Level
from tests.counted import Spent, counted
from tests.factories import Person
from tests.ladders import fail

pytestmark = pytest.mark.usefixtures("app")


def spend(username: str, password: str, device: str | None = None) -> tuple[Spent, object]:
    browser = service.Browser(None, "", "", evidence=Evidence(device))
    attempt = Attempt(username, password, shared_computer=False, client_id=None, browser=browser)
    with counted() as spent:
        outcome = service.log_in(attempt, clock.now())
    return spent, outcome


def kinds(spent: Spent) -> list[str]:
    return [text.split()[0] for text in spent.statements]


def test_a_wrong_password_is_counted_before_its_hash_and_put_on_record_after_it(parent: Person) -> None:
    for username in (parent.username, "nobody"):
        spent, outcome = spend(username, "wrong")

        assert outcome == Refused()
        assert kinds(spent) == ["SELECT", "INSERT", "SELECT", "INSERT"]
        assert spent.commits == 2


def test_a_password_that_is_not_looked_at_costs_one_statement_that_reads(parent: Person) -> None:
    fail(parent.username, 3, network="")
    spent, outcome = spend(parent.username, parent.password)

    assert outcome == ChallengeNeeded(Level.BOX)
    assert (kinds(spent), spent.commits) == (["SELECT"], 0)


def test_a_log_in_costs_two_commits_and_a_known_browser_two_statements_less(parent: Person) -> None:
    first, outcome = spend(parent.username, parent.password)
    assert isinstance(outcome, LoggedIn)
    again, _logged_in = spend(parent.username, parent.password, outcome.device)

    assert (first.commits, again.commits) == (2, 2)
    assert (len(first.statements), len(again.statements)) == (11, 9)
    of_the_ledger = [text for text in again.statements if "throttle_counters" in text]
    assert [text.split()[0] for text in of_the_ledger] == ["SELECT", "UPDATE", "UPDATE"]


@pytest.mark.parametrize("is_right", [True, False])
def test_no_statement_is_compiled_for_each_log_in_anew(
    parent: Person, monkeypatch: pytest.MonkeyPatch, is_right: bool
) -> None:
    """That took a third of what a log-in costs beside its hash."""
    password = parent.password if is_right else "wrong"
    spend(parent.username, password)
    compiled: list[Any] = []
    begin = SQLCompiler.__init__

    def compile_and_tell(compiler: SQLCompiler, dialect: Any, statement: Any, *rest: Any, **more: Any) -> None:
        compiled.append(statement)
        begin(compiler, dialect, statement, *rest, **more)

    monkeypatch.setattr(SQLCompiler, "__init__", compile_and_tell)
    spend(parent.username, password)

    assert compiled == []
