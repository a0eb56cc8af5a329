"""What an operator sees of the record."""

import json
from collections.abc import Callable

from idp.audit import service
from idp.database import db
from idp.ids import new_id
from tests.programs import Commands


def test_verify_says_that_all_is_well_and_prints_the_head(
    write: Callable[[int], None], seal: Callable[..., None], idp: Commands
) -> None:
    write(5)
    seal()

    result = idp("audit", "verify")
    head = result.stdout.split("head ")[1].strip(" .\n")

    assert result.exit_code == 0, result.output
    assert "5 events under 2 seals" in result.stdout
    assert idp("audit", "verify", "--head", head).exit_code == 0


def test_verify_fails_and_says_which_row_was_changed(
    write: Callable[[int], None], seal: Callable[..., None], meddle: Callable[..., None], idp: Commands
) -> None:
    write(5)
    seal()
    meddle("UPDATE audit_events SET outcome = 'failure' WHERE position = 2")

    result = idp("audit", "verify", "--json")
    report = json.loads(result.stdout)

    assert result.exit_code == 1
    assert [(found["kind"], found["position"]) for found in report["findings"]] == [("changed", 2)]
    assert not report["intact"]


def test_verify_refuses_a_head_that_is_none(idp: Commands) -> None:
    result = idp("audit", "verify", "--head", "nonsense")

    assert result.exit_code == 2
    assert "NUMBER:MAC" in result.stderr


def test_list_shows_the_newest_first_and_only_what_was_asked_for(idp: Commands) -> None:
    account = new_id()
    for event in ("log_in", "log_out", "log_in"):
        service.record(event, account_id=account if event == "log_in" else None, address_seen="192.0.2.7")
    db.session.commit()

    rows = json.loads(idp("audit", "list", "--account", str(account), "--event", "log_in", "--json").stdout)

    assert [row["event"] for row in rows] == ["log_in", "log_in"]
    assert rows[0]["at"] >= rows[1]["at"]
    assert "log_out" in idp("audit", "list").stdout


def test_an_event_with_what_postgresql_can_not_store_is_kept_all_the_same(
    idp: Commands, seal: Callable[..., None]
) -> None:
    service.record("log_in", "failure", client_id="a\0b" * 100, username="\ud800 \0 \n2026 CRITICAL ok \x1b[31m")
    db.session.commit()
    seal()

    assert idp("audit", "verify").exit_code == 0
    assert "\x1b" not in idp("audit", "list").stdout
