"""The desk's people: found by how their names begin, and one person with all that the team has to know (R42)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from idp import clock
from idp.accounts import security_emails
from idp.accounts.models import ADMIN, SUPPORT
from idp.database import db
from idp.mail import service as mail
from idp.mail.models import REFUSED, OutboxMessage
from idp.settings import PACKAGE
from idp.support import desk_words, people
from tests.factories import Person
from tests.ladders import fail
from tests.pages import Browser
from tests.support.team import ticket

Make = Callable[..., Person]

_LETTERS = PACKAGE.parent / "templates" / "emails"
_KINDS = {str(path.relative_to(_LETTERS).with_suffix("")) for path in _LETTERS.rglob("*.txt")} - {"mail/test"}
"""Every message that there is, by the name of its template; the test message goes to no family."""


@pytest.mark.parametrize(
    "typed",
    ["alvarez", "ÁLVAREZ", "Álvarez R", "rosa alvarez", "rosa.al", "ROSA.ALV", "rosa@fam", "rosa@families.example",
     "mama@else.example", "MAMA@else.example"],
)  # fmt: skip
def test_somebody_is_found_by_the_beginning_of_name_username_and_address(
    desk: Browser, account: Make, typed: str
) -> None:
    person = account("rosa.alvarez", given_name="Rosa", family_name="Álvarez", email="rosa@families.example")
    account("linh.tran", given_name="Linh", family_name="Tran", email="linh@families.example")
    security_emails.set_verified(person.id, "mama@else.example", clock.now())
    db.session.commit()

    page = desk.open("/desk/people", q=typed)

    assert "1 person found" in page.words
    assert desk.click("Rosa Álvarez").status == 200
    assert "rosa.alvarez" in desk.words


def test_a_security_email_is_neither_searched_by_its_beginning_nor_shown(desk: Browser, account: Make) -> None:
    person = account(given_name="Rosa", family_name="Alvarez")
    security_emails.set_verified(person.id, "private@else.example", clock.now())
    mail.send("mail/test", "private@else.example", now=clock.now(), account_id=person.id)
    db.session.commit()

    assert "Nobody’s family name" in desk.open("/desk/people", q="private@else").words
    page = desk.open(f"/desk/people/{person.id}")
    assert "Verified: p***@else.example" in page.words
    assert "private@else.example" not in page.text


def test_what_is_found_is_in_the_order_of_names_and_cut_with_a_word(
    desk: Browser, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_MOST_FOUND", 2)
    for given in ("Cleo", "Ada", "Ben"):
        account(given_name=given, family_name="Zimmer")
    page = desk.open("/desk/people", q="zimmer")

    assert page.words.index("Ada Zimmer") < page.words.index("Ben Zimmer")
    assert "Cleo Zimmer" not in page.words
    assert "There are more: type more of the name." in page.words


def test_the_search_page_says_what_to_do(desk: Browser) -> None:
    assert "Look for somebody" in desk.open("/desk/people").words
    assert "begins with “nobody”" in desk.open("/desk/people", q="nobody").words


def test_r42_a_person_is_shown_with_the_mails_to_them_and_what_became_of_each(desk: Browser, account: Make) -> None:
    person = account(given_name="Rosa", family_name="Alvarez", email="rosa@families.example", security_email=None)
    security_emails.set_pending(person.id, "rosa@else.example", clock.now())
    sent = mail.send("login/password_changed", "rosa@families.example", now=clock.now(), account_id=person.id,
                     username="x", changed_at=clock.now())  # fmt: skip
    sent.state, sent.reply = REFUSED, "550 5.1.1 <rosa@families.example>: no such user"
    mail.send("mail/test", "rosa@else.example", now=clock.now() + timedelta(seconds=1), account_id=person.id)
    db.session.commit()
    number = ticket("Rosa Alvarez", account_id=person.id)

    page = desk.open(f"/desk/people/{person.id}")

    assert "Not verified yet: r***@else.example." in page.words
    assert "The password was changed" in page.words
    assert "Refused by the mail server: 550 5.1.1 <rosa@families.example>: no such user" in page.words
    assert "to r***@else.example" in page.words
    assert "Queued, not sent yet" in page.words
    assert f"Number {number}" in page.words
    assert "Last log-in | Never" in page.words
    assert "Parent or guardian" in page.words


def test_a_person_who_waits_after_wrong_passwords_is_shown_so(desk: Browser, account: Make) -> None:
    person = account()
    fail(person.username)

    assert "Too many wrong passwords: log-ins wait until" in desk.open(f"/desk/people/{person.id}").words


def test_acts_are_offered_where_they_may_be_done(
    desk: Browser, account: Make, secretary: Person, admin: Person, new_browser: Callable[[], Browser]
) -> None:
    offered = {"Change the username", "Send a new temporary password", "Unlock", "Phone or letter"}
    parent, colleague = account(), account(role=SUPPORT)
    closed = account(disabled_at=clock.now())
    expected = [(parent, offered), (colleague, set()), (admin, set()), (secretary, set()), (closed, set())]

    for person, links in expected:
        page = desk.open(f"/desk/people/{person.id}")
        assert offered & set(page.links) == links, person.role
    boss = new_browser()
    boss.log_in(admin.username, admin.password)
    for person, links in ((parent, offered), (colleague, offered), (account(role=ADMIN), offered), (admin, set())):
        assert offered & set(boss.open(f"/desk/people/{person.id}").links) == links


def test_a_person_who_is_not_there_has_no_page(desk: Browser) -> None:
    for address in ("0" * 32, "x", "' OR 1=1--", "%", "٣" * 32):
        assert desk.open(f"/desk/people/{address}").status == 404
        assert desk.open(f"/desk/people/{address}/rename").status == 404


@pytest.mark.parametrize("kind", sorted(_KINDS))
def test_each_mail_that_we_send_has_a_name_of_its_own_at_the_desk(app: Flask, kind: str) -> None:
    with app.test_request_context():
        assert desk_words.mail(OutboxMessage(kind=kind, subject="")), (
            "its subject, in another language, would stand there"
        )
