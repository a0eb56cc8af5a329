"""What the team does for a person: with a reason, on record, once, and only where it may (R7, R8, R47)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp import clock
from idp.accounts import security_emails
from idp.accounts.models import ADMIN, SUPPORT, Account
from idp.admin import people as admin_people
from idp.database import db, release
from idp.throttle import tries
from tests.factories import Person
from tests.ladders import fail
from tests.oidc.conftest import Application, application, log_in, new_application  # noqa: F401  fixtures
from tests.pages import Browser, Page
from tests.recovery.letters import letters
from tests.support.team import at_desk, events, messages

Make = Callable[..., Person]
ACTS = ["rename", "temporary-password", "verification", "security-email", "unlock", "recovery"]


def test_r47_a_renamed_person_is_the_same_to_applications_and_stays_logged_in(
    desk: Browser,
    parent: Person,
    application: Application,  # noqa: F811  the fixture
    log_in: Callable[[Person], FlaskClient],  # noqa: F811  the fixture
) -> None:
    visitor = log_in(parent)
    tokens = application.tokens(visitor)
    before = application.claims(tokens["id_token"])["sub"]

    page = _rename(desk, parent, "ewa.nowak")

    assert "The username is changed." in page.words
    assert "ewa.nowak" in page.words
    assert visitor.get("/account/settings").status_code == 200
    assert application.userinfo(tokens["access_token"]).get_json()["sub"] == before
    assert application.claims(application.tokens(visitor)["id_token"])["sub"] == before


def test_r47_the_new_username_logs_in_with_the_same_password_and_the_old_one_does_not(
    desk: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    _rename(desk, parent, "ewa.nowak")

    assert new_browser().log_in("ewa.nowak", parent.password).status == 303
    assert new_browser().log_in(parent.username, parent.password).status == 422


def test_r47_both_addresses_are_told_in_the_persons_language(desk: Browser, account: Make) -> None:
    person = account(email="onfile@example.org", locale="es")
    security_emails.set_verified(person.id, "Own@example.org", clock.now())
    db.session.commit()

    _rename(desk, person, "rosa.nueva")

    told = letters()
    assert sorted(letter.to for letter in told) == ["Own@example.org", "onfile@example.org"]
    assert {letter.language for letter in told} == {"es"}
    assert all("rosa.nueva" in letter.text and person.username in letter.text for letter in told)


def test_r47_one_address_is_told_once(desk: Browser, account: Make) -> None:
    person = account(email="onfile@example.org")
    security_emails.set_verified(person.id, "OnFile@example.org", clock.now())
    db.session.commit()

    _rename(desk, person, "ewa.nowak")

    assert len(messages()) == 1


@pytest.mark.parametrize("taken", ["linh.tran", "LINH.TRAN", " linh.tran ", "ｌｉｎｈ.tran"])
def test_r47_a_username_is_given_once(desk: Browser, parent: Person, account: Make, taken: str) -> None:
    account("linh.tran")

    page = _rename(desk, parent, taken)

    assert page.status == 422
    assert "Somebody has this username" in page.error("New username")
    assert (_account(parent).username, messages(), events("account_rename")) == (parent.username, [], [])


def test_r47_two_who_are_given_one_username_at_once_do_not_both_get_it(
    app: Flask, account: Make, secretary: Person
) -> None:
    first, second = account(), account()
    release()

    def rename(username: str) -> object:
        with app.app_context():
            return admin_people.rename(username, "ewa.nowak", actor_id=secretary.id, now=clock.now())

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(rename, [first.username, second.username]))

    assert sorted(type(one).__name__ for one in outcomes) == ["Changed", "Taken"]


@pytest.mark.parametrize("username", ["", "  ", "x" * 101, "ewa\u202ekowalska", "ewa\nkowalska", "\0"])
def test_r47_what_is_no_username_is_refused_with_its_reason(desk: Browser, parent: Person, username: str) -> None:
    page = _act(desk, parent, "rename", username=username, reason="Asked by phone.")

    assert page.status == 422
    assert page.error("New username")
    assert _account(parent).username == parent.username


def test_r7_r8_a_new_temporary_password_goes_to_the_address_on_file_and_ends_sessions(
    desk: Browser,
    account: Make,
    log_in: Callable[[Person], FlaskClient],  # noqa: F811  the fixture
    new_browser: Callable[[], Browser],
) -> None:
    person = account(email="onfile@example.org")
    security_emails.set_verified(person.id, "own@example.org", clock.now())
    db.session.commit()
    visitor = log_in(person)

    page = _act(desk, person, "temporary-password", reason="Called, and knew the student's number.")

    assert page.status == 303
    assert "It is on its way to the address on file." in desk.follow().words
    (letter,) = letters("onfile@example.org")
    assert person.username in letter.text
    assert letter.temporary_password not in desk.page.text, "the team never sees it"
    assert visitor.get("/account").status_code == 303
    assert new_browser().log_in(person.username, person.password).status == 422
    browser = new_browser()
    browser.log_in(person.username, letter.temporary_password)
    assert "setup" in (browser.location or "")
    (notice,) = letters("own@example.org")
    assert letter.temporary_password not in notice.text + notice.html


def test_r7_r8_a_form_that_is_sent_many_times_at_once_makes_one_temporary_password(
    app: Flask, desk: Browser, parent: Person
) -> None:
    data, cookies = _form(desk, parent, "temporary-password", reason="Asked by phone."), desk.cookies
    release()

    def send(_turn: int) -> int:
        client = app.test_client()
        for name, value in cookies.items():
            client.set_cookie(name, value)
        address = f"/desk/people/{parent.id}/temporary-password"
        return client.post(address, data=data, base_url=desk.origin).status_code

    with ThreadPoolExecutor(5) as pool:
        statuses = sorted(pool.map(send, range(5)))

    assert statuses == [303, *[409] * 4]
    assert len(letters()) == 1


def test_without_an_address_on_file_nothing_is_sent_and_the_password_stays(desk: Browser, parent: Person) -> None:
    _account(parent).email = None
    db.session.commit()

    page = _act(desk, parent, "temporary-password", reason="Asked.")

    assert page.status == 422
    assert "no email address of this person on file" in page.words
    assert _account(parent).temporary_password_expires_at is None
    assert events("temporary_password") == []


def test_r42_the_team_sends_a_fresh_link_to_the_address_that_waits(
    desk: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    _type_address(parent)
    desk.open(f"/desk/people/{parent.id}")
    desk.click("Resend Verification Email")
    assert "o***@example.org" in desk.words

    desk.fill("Why?", "Request 12345678.").press("Resend Verification Email", follow=True)

    assert "A fresh mail is on its way." in desk.words
    (letter,) = letters("own@example.org")
    assert letter.link not in desk.page.text
    family = new_browser()
    family.open(letter.path, follow=True)
    family.press("Verify", follow=True)
    assert security_emails.status(parent.id).verified == "own@example.org"
    assert "Resend Verification Email" not in desk.open(f"/desk/people/{parent.id}").words


def test_r40_r42_the_team_does_not_flood_a_family_either(desk: Browser, parent: Person) -> None:
    _type_address(parent)
    assert _act(desk, parent, "verification", reason="Asked.").status == 303
    before = _state(parent)

    page = _act(desk, parent, "verification", reason="Asked again.")

    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "Please wait" in page.words
    assert page.value("Why?") == "Asked again."
    sent = letters("own@example.org")
    assert (_state(parent), len(sent), len(events("security_email_resent"))) == (before, 1, 1)


def test_where_no_address_waits_the_team_is_told_so(desk: Browser, parent: Person) -> None:
    before = _state(parent)
    assert "Resend Verification Email" not in desk.open(f"/desk/people/{parent.id}").words

    page = _act(desk, parent, "verification", reason="Asked.")

    assert page.status == 422
    assert "No address waits to be verified." in page.words
    assert (_state(parent), messages(), events("security_email_resent")) == (before, [], [])


def test_who_waits_after_wrong_passwords_is_let_try_at_once(
    desk: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    fail(parent.username)
    assert new_browser().log_in(parent.username, parent.password).status == 429

    _act(desk, parent, "unlock", reason="Typed the old one.")

    assert tries.waits_until(parent.username, clock.now()) is None
    assert new_browser().log_in(parent.username, parent.password).status == 303


def test_a_family_is_recovered_by_phone_or_letter_until_it_is_taken_back(desk: Browser, parent: Person) -> None:
    for chosen, kept in (("By phone", "phone"), ("By letter", "letter"), ("By email", None)):
        desk.open(f"/desk/people/{parent.id}/recovery")
        desk.tick(chosen).fill("Why?", "They have no email.").press("Save", follow=True)

        assert _account(parent).recovery_by == kept
        assert f"Gets back in | {chosen}" in desk.words
    assert [event.details["by"] for event in events("account_recovery_by")] == ["phone", "letter", "email"]
    assert _act(desk, parent, "recovery", reason="x", how="bogus").status == 422


@pytest.mark.parametrize(
    ("act", "event"),
    [("rename", "account_rename"), ("temporary-password", "temporary_password"),
     ("verification", "security_email_resent"), ("security-email", "security_email_removed"),
     ("unlock", "account_unlock"), ("recovery", "account_recovery_by")],
)  # fmt: skip
def test_ad5_each_act_is_on_record_with_who_whom_and_why(
    desk: Browser, parent: Person, secretary: Person, act: str, event: str
) -> None:
    _type_address(parent)
    assert _act(desk, parent, act, reason=" Request\n 12345678 ", username="ewa.nowak", how="phone").status == 303

    (recorded,) = events(event)
    assert (recorded.actor_id, recorded.account_id) == (secretary.id, parent.id)
    assert recorded.details["reason"] == "Request 12345678"
    assert recorded.address == "127.0.0.1"


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501])
def test_without_a_reason_nothing_is_done(desk: Browser, parent: Person, act: str, reason: str) -> None:
    before = _state(parent)
    page = _act(desk, parent, act, reason=reason, username="ewa.nowak", how="phone")

    assert page.status == 422
    assert page.error("Why?")
    assert (_state(parent), messages()) == (before, [])


@pytest.mark.parametrize("act", ACTS)
def test_ad5_each_act_asks_for_the_password_again_after_a_while_and_keeps_what_was_typed(
    desk: Browser,
    parent: Person,
    secretary: Person,
    travel: Callable[[timedelta], AbstractContextManager[None]],
    act: str,
) -> None:
    before, data = _state(parent), _form(desk, parent, act, reason="Asked.", username="ewa.nowak", how="phone")
    with travel(timedelta(minutes=11)):
        page = desk.send("POST", f"/desk/people/{parent.id}/{act}", data=data)
        assert page.status == 422
        assert page.value("Why?") == "Asked."
        assert _state(parent) == before
        wrong = desk.send("POST", f"/desk/people/{parent.id}/{act}", data=data | {"current_password": "wrong"})
        assert (wrong.status, _state(parent)) == (422, before)
        _type_address(parent)
        right = data | {"current_password": secretary.password}
        assert desk.send("POST", f"/desk/people/{parent.id}/{act}", data=right).status == 303
        assert desk.open(f"/desk/people/{parent.id}").status == 200


@pytest.mark.parametrize("act", ACTS)
def test_support_acts_on_no_account_of_the_staff_and_nobody_on_their_own(
    desk: Browser, account: Make, parent: Person, secretary: Person, act: str
) -> None:
    colleague, boss = account(role=SUPPORT), account(role=ADMIN)
    data = _form(desk, parent, act, reason="x", username="ewa.nowak", how="phone")
    for person in (colleague, boss, secretary, account(disabled_at=clock.now())):
        before = _state(person)
        version = _account(person).updated_at.isoformat()
        assert desk.open(f"/desk/people/{person.id}/{act}").status == 403
        page = desk.send("POST", f"/desk/people/{person.id}/{act}", data=data | {"version": version})

        assert page.status == 403
        assert (_state(person), messages()) == (before, [])


def test_an_admin_acts_on_the_staff_but_not_on_themselves(browser: Browser, account: Make, admin: Person) -> None:
    console, colleague = at_desk(browser, admin), account(role=SUPPORT)

    assert _act(console, colleague, "unlock", reason="Asked.").status == 303
    assert console.open(f"/desk/people/{admin.id}/unlock").status == 403


def test_of_two_acts_at_once_the_second_is_told(
    desk: Browser, parent: Person, new_browser: Callable[[], Browser], account: Make
) -> None:
    other = at_desk(new_browser(), account(role=SUPPORT))
    desk.open(f"/desk/people/{parent.id}/rename")
    other.open(f"/desk/people/{parent.id}/rename")
    desk.fill("New username", "ewa.first").fill("Why?", "Asked.").press("Change the username")

    page = other.fill("New username", "ewa.second").fill("Why?", "Asked, too.").press("Change the username")

    assert page.status == 409
    assert "Somebody was faster" in page.words
    assert (page.value("New username"), page.value("Why?")) == ("ewa.second", "Asked, too.")
    assert _account(parent).username == "ewa.first"


def test_in3_a_name_with_markup_is_text_on_every_page_of_an_act(desk: Browser, account: Make) -> None:
    person = account(given_name="<script>alert(1)</script>", family_name='"><img src=x onerror=alert(1)>')
    for path in ("", *(f"/{act}" for act in ACTS)):
        page = desk.open(f"/desk/people/{person.id}{path}")

        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


def _type_address(person: Person) -> None:
    security_emails.set_pending(person.id, "own@example.org", clock.now())
    db.session.commit()


def _rename(desk: Browser, person: Person, username: str) -> Page:
    desk.open(f"/desk/people/{person.id}/rename")
    desk.fill("New username", username).fill("Why?", "Request 12345678.")
    return desk.press("Change the username", follow=True)


def _form(desk: Browser, person: Person, act: str, **fields: str) -> dict[str, Any]:
    page = desk.open(f"/desk/people/{person.id}/{act}")
    hidden = {item.get("name"): item.get("value") for item in page.root.all("input") if item.get("type") == "hidden"}
    return {"csrf_token": hidden["csrf_token"], "version": hidden["version"]} | fields


def _act(desk: Browser, person: Person, act: str, **fields: str) -> Page:
    return desk.send("POST", f"/desk/people/{person.id}/{act}", data=_form(desk, person, act, **fields))


def _account(person: Person) -> Account:
    db.session.rollback()
    return db.session.get_one(Account, person.id)


def _state(person: Person) -> tuple[object, ...]:
    row = _account(person)
    return (row.username, row.recovery_by, row.temporary_password_expires_at, row.updated_at)
