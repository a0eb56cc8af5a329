"""`idp account …` adds accounts and looks after them."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.accounts import security_emails, service
from idp.audit.models import AuditEvent
from idp.database import db
from tests.factories import Person
from tests.pages import Browser
from tests.programs import Commands


def events(event: str) -> list[AuditEvent]:
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.event == event)))


def add(idp: Commands, *arguments: str) -> dict[str, str]:
    done = idp("account", "add", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    printed: dict[str, str] = json.loads(done.stdout)
    return printed


def test_an_account_is_added_and_its_temporary_password_printed_once(idp: Commands, browser: Browser) -> None:
    printed = add(idp, "ada.okafor", "--role", "admin", "--name", "Ada Okafor", "--email", "ada@example.org")
    shown = idp("account", "show", "ADA.Okafor")

    assert datetime.fromisoformat(printed["expires_at"]) > clock.now() + timedelta(days=13, hours=23)
    assert printed["temporary_password"] not in shown.stdout
    assert browser.log_in("ada.okafor", printed["temporary_password"]).location == "/setup/password"
    (event,) = events("account_add")
    assert (str(event.account_id), event.source, event.details) == (printed["id"], "cli", {"role": "admin"})


def test_an_account_is_given_a_language_of_the_districts(app: Flask) -> None:
    """Its first mail is written in it, before anybody has logged in."""
    settings = app.config["IDP"]
    spanish_too = Commands(replace(settings, district=replace(settings.district, languages=("en", "es"))))

    add(spanish_too, "ewa.kowalska", "--language", "es")

    assert json.loads(spanish_too("account", "show", "ewa.kowalska", "--json").stdout)["language"] == "es"


def test_people_read_it_line_by_line(idp: Commands) -> None:
    done = idp("account", "add", "ewa.kowalska")

    assert "username: ewa.kowalska\nrole: guardian\ntemporary_password: " in done.stdout
    assert "this once only" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("",), "Enter a username."),
        (("x" * 101,), "too long"),
        (("a\x1bb",), "can't be seen"),
        (("ewa", "--email", "no address"), "no email address"),
        (("ewa", "--email", "a@example.org,b@example.org"), "no email address"),
        (("ewa", "--email", "a:b@example.org"), "no email address"),
        (("ewa", "--email", f"{'a' * 250}@example.org"), "no email address"),
        (("ewa", "--email", "a@example.org\nBcc: b@example.org"), "line break"),
        (("ewa", "--name", "Ewa\r\nKowalska"), "line break"),
        (("ewa", "--name", "x" * 201), "too long"),
        (("ewa", "--language", "tlh\n"), "offers no language 'tlh\\n', but en"),
    ],
)
def test_what_cant_be_kept_is_refused_in_one_line(idp: Commands, arguments: tuple[str, ...], says: str) -> None:
    done = idp("account", "add", *arguments)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(service.iterate()) == []


def test_a_username_that_is_taken_is_refused(idp: Commands, parent: Person) -> None:
    done = idp("account", "add", parent.username.upper())

    assert done.exit_code == 1
    assert "taken" in done.stderr


def test_accounts_are_listed_by_role(idp: Commands, parent: Person, admin: Person) -> None:
    listed = json.loads(idp("account", "list", "--role", "admin", "--json").stdout)

    assert [(one["username"], one["state"]) for one in listed] == [(admin.username, "active")]
    assert parent.username in idp("account", "list").stdout
    assert "password_hash" not in idp("account", "list", "--json").stdout


def test_a_disabled_account_is_logged_out_and_stays_out_until_it_is_enabled(
    idp: Commands, browser: Browser, parent: Person
) -> None:
    browser.log_in(parent.username, parent.password)
    done = idp("account", "disable", parent.username)
    shut_out = browser.open("/account")
    refused = browser.log_in(parent.username, parent.password, path="/login")
    idp("account", "enable", parent.username)
    browser.open("/login")

    assert "sessions ended: 1" in done.stdout
    assert shut_out.location == "/login?next=/account"
    assert refused.status == 422
    assert browser.log_in(parent.username, parent.password).status == 303
    assert [event.outcome for event in events("account_disable") + events("account_enable")] == ["success"] * 2


def test_a_renamed_account_logs_in_by_its_new_username(idp: Commands, browser: Browser, parent: Person) -> None:
    done = idp("account", "rename", parent.username, "ewa.nowak")

    assert done.exit_code == 0
    assert browser.log_in(parent.username, parent.password).status == 422
    assert browser.log_in("ewa.nowak", parent.password).status == 303
    assert len(events("account_rename")) == 1


def test_a_new_temporary_password_ends_sessions_and_the_old_password(
    idp: Commands, browser: Browser, parent: Person
) -> None:
    browser.log_in(parent.username, parent.password)
    printed = json.loads(idp("account", "temporary-password", parent.username, "--json").stdout)

    assert browser.open("/account").status == 303
    assert browser.log_in(parent.username, parent.password, path="/login").status == 422
    assert browser.log_in(parent.username, printed["temporary_password"]).location == "/setup/password"
    assert len(events("temporary_password")) == 1


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nobody"),
        ("disable", "nobody"),
        ("enable", "nobody"),
        ("rename", "nobody", "x"),
        ("email", "nobody", "ewa@example.org"),
        ("temporary-password", "nobody"),
    ],
)
def test_a_username_that_nobody_has_is_said_so(idp: Commands, arguments: tuple[str, ...]) -> None:
    done = idp("account", *arguments)

    assert done.exit_code == 1
    assert done.stderr == "idp: there is no account 'nobody'; `idp account list` shows them.\n"


@pytest.mark.parametrize(
    "command", ["add", "show", "list", "rename", "email", "disable", "enable", "temporary-password"]
)
def test_every_command_has_help_with_an_example(app: Flask, idp: Commands, command: str) -> None:
    done = idp("account", command, "--help")

    assert done.exit_code == 0
    assert f"Example:  idp account {command}" in done.stdout


def test_an_address_that_the_district_has_verified_is_entered_with_the_account(idp: Commands) -> None:
    refused = idp("account", "add", "ewa.kowalska", "--security-email", "no address")
    done = idp("account", "add", "ewa.kowalska", "--security-email", "Ewa@EXAMPLE.org")

    assert (refused.exit_code, done.exit_code) == (1, 0)
    assert [found.username for found in security_emails.find_accounts("ewa@example.org")] == ["ewa.kowalska"]
    assert [event.details for event in events("security_email_verified")] == [{"by": "district"}]
