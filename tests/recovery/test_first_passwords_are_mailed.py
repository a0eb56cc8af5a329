"""R7, R8: the username and a temporary password, or a link in its place, are mailed to the address on file."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock, sealing
from idp.accounts import service as accounts
from idp.audit.models import AuditEvent
from idp.database import db
from idp.recovery import first_password
from idp.recovery.first_password import NoAddress
from idp.settings import FIRST_BY_LINK, Settings
from tests.factories import Person
from tests.pages import Browser
from tests.programs import Commands
from tests.recovery.letters import letters

ADDRESS = "ewa@example.org"


def test_r7_a_new_account_s_username_and_temporary_password_are_mailed(idp: Commands, browser: Browser) -> None:
    done = idp("account", "add", "ewa.kowalska", "--email", ADDRESS, "--mail", "--json")
    (letter,) = letters(ADDRESS)

    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout).keys() == {"id", "username", "mailed_to"}
    assert letter.temporary_password not in done.stdout + done.stderr
    assert "Username: ewa.kowalska\n" in letter.text
    assert "\nhttp://localhost:5000/login\n" in letter.text
    assert 'href="http://localhost:5000/login"' in letter.html
    assert letter.temporary_password in letter.html
    assert letter.temporary_password not in letter.subject
    assert browser.log_in("ewa.kowalska", letter.temporary_password).location == "/setup/password"


def test_r8_it_is_good_for_fourteen_days_and_kept_as_a_digest(parent: Person) -> None:
    first_password.send(accounts.get(parent.id), clock.now())
    db.session.commit()
    (letter,) = letters(parent.email)
    account = accounts.get_with_credentials(parent.id)

    assert account.temporary_password_digest == sealing.digest(letter.temporary_password)
    assert account.temporary_password_expires_at
    left = account.temporary_password_expires_at - clock.now()
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)
    assert "works until" in letter.text


def test_r8_the_old_password_and_sessions_end(idp: Commands, parent: Person, browser: Browser) -> None:
    browser.log_in(parent.username, parent.password)
    done = idp("account", "temporary-password", parent.username, "--mail")

    assert done.stdout.endswith(f"mailed_to: {parent.email}\n")
    assert browser.open("/account").status == 303
    assert browser.log_in(parent.username, parent.password, path="/login").status == 422
    (event,) = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "temporary_password"))
    assert event.details == {"ended_sessions": 1, "sent_by": "mail"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Two languages."""
    return replace(settings, district=replace(settings.district, languages=("en", "es")))


def test_r7_it_is_written_in_the_family_s_language(account: Callable[..., Person]) -> None:
    person = account(locale="es")
    first_password.send(accounts.get(person.id), clock.now())
    db.session.commit()

    (letter,) = letters(person.email)
    assert letter.subject == "Su nombre de usuario y su contraseña temporal"


@pytest.mark.parametrize("on_file", [None, "ewa@[127.0.0.1]", "ewa@example.org, eve@example.org"])
def test_r7_without_an_address_nothing_changes(
    idp: Commands, account: Callable[..., Person], browser: Browser, on_file: str | None
) -> None:
    person = account()
    accounts.get(person.id).email = on_file
    db.session.commit()

    with pytest.raises(NoAddress):
        first_password.send(accounts.get(person.id), clock.now())
    db.session.rollback()
    for arguments in (("temporary-password", person.username, "--mail"), ("add", "ewa.nowak", "--mail")):
        refused = idp("account", *arguments)
        assert refused.exit_code == 1
        assert "no email address on file" in refused.stderr
    assert accounts.find_by_username("ewa.nowak") is None
    assert browser.log_in(person.username, person.password).status == 303


@pytest.fixture
def by_link(app: Flask) -> None:
    """The other setting."""
    passwords = replace(app.config["IDP"].passwords, first=FIRST_BY_LINK)
    app.config["IDP"] = replace(app.config["IDP"], passwords=passwords)


@pytest.mark.usefixtures("by_link")
def test_r8_a_setting_mails_a_one_time_link_instead(
    app: Flask, browser: Browser, new_browser: Callable[[], Browser], parent: Person
) -> None:
    done = Commands(app.config["IDP"])("account", "temporary-password", parent.username, "--mail")
    (letter,) = letters(parent.email)

    assert done.exit_code == 0, done.stderr
    assert letter.link not in done.stdout + done.stderr
    assert f"Username: {parent.username}\n" in letter.text
    assert "\nhttp://localhost:5000/login\n" in letter.text
    assert new_browser().log_in(parent.username, parent.password).status == 422, "the old password is gone"
    assert new_browser().open(letter.path, follow=True).status == 200, "looking spends nothing"
    browser.open(letter.path, follow=True)
    assert browser.fill("New Password", "a lantern over the pond").press("Save").location == "/"
    assert browser.open("/account").status == 200
    assert new_browser().log_in(parent.username, "a lantern over the pond").status == 303
    assert new_browser().open(letter.path, follow=True).status == 410


@pytest.mark.usefixtures("by_link")
def test_r8_the_link_is_good_for_fourteen_days_and_until_the_next_one(
    browser: Browser, parent: Person, travel: Callable[[timedelta], AbstractContextManager[None]]
) -> None:
    for _mail in range(2):
        first_password.send(accounts.get(parent.id), clock.now())
        db.session.commit()
    older, newer = letters(parent.email)

    assert browser.open(older.path, follow=True).status == 410
    with travel(timedelta(days=13, hours=23)):
        assert browser.open(newer.path, follow=True).status == 200
    with travel(timedelta(days=14, seconds=1)):
        assert browser.open(newer.path, follow=True).status == 410


@pytest.mark.usefixtures("by_link")
def test_pr15_the_link_resets_no_password(browser: Browser, parent: Person) -> None:
    """A link that is good for the first password is good for nothing else."""
    first_password.send(accounts.get(parent.id), clock.now())
    db.session.commit()
    (letter,) = letters(parent.email)

    assert browser.open(letter.path.replace("/first-password", "/reset-password"), follow=True).status == 410
