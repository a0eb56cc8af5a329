"""Row DS1: no text that fits into a form takes long to look at, whatever Unicode has to do to it."""

import time
import unicodedata
from datetime import timedelta

import pytest

from idp import clock
from idp.accounts import passwords, usernames
from idp.accounts.models import Account
from idp.admin import people
from idp.database import db
from tests.factories import Person
from tests.pages import Browser

pytestmark = pytest.mark.one_database

_MARKS = sorted(filter(unicodedata.combining, map(chr, range(0x300, 0x370))), key=unicodedata.combining, reverse=True)
_TEXTS = {
    "marks in the worst order": "a" + "".join(mark * (14_000 // len(_MARKS)) for mark in _MARKS),
    "one sign that becomes eighteen": "\ufdfa" * 10_000,
    "syllables taken apart": unicodedata.normalize("NFD", "\ud7a3") * 3_300,
    "spaces": "a" + " \u2003" * 7_000,
    "signs that can't be seen": "\u200b\ufeff" * 4_900,
    "one letter": "a" * 30_000,
}


@pytest.mark.parametrize("kind", _TEXTS)
def test_ds1_a_long_username_and_password_are_refused_at_once(browser: Browser, kind: str) -> None:
    browser.open("/login")
    browser.fill("Username", "x" + _TEXTS[kind]).fill("Password", _TEXTS[kind])
    started = time.process_time()

    # As bytes: escaped, half as much would fit into a form.
    sent = dict(browser._data(browser.page.form_of("Log In", browser._filled)[1]))  # noqa: SLF001  the form as it is sent
    form = "&".join(f"{name}={value}" for name, value in sent.items()).encode()
    answer = browser.send("POST", "/login", data=form, content_type="application/x-www-form-urlencoded")

    assert answer.status == 422
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("kind", _TEXTS)
def test_ds1_a_long_new_password_is_refused_at_once(browser: Browser, parent: Person, kind: str) -> None:
    issued = people.issue_temporary_password(parent.username, actor_id=None, now=clock.now())
    assert isinstance(issued, people.WithTemporaryPassword)
    browser.log_in(parent.username, issued.temporary_password)
    browser.follow().field("New Password")
    token = next(item.get("value") for item in browser.page.root.all("input") if item.get("name") == "csrf_token")
    started = time.process_time()

    form = f"csrf_token={token}&new_password={_TEXTS[kind]}".encode()
    answer = browser.send("POST", "/setup/password", data=form, content_type="application/x-www-form-urlencoded")

    assert answer.status == 422
    assert "too long" in answer.error("New Password")
    assert time.process_time() - started < 0.5


@pytest.mark.usefixtures("app")
def test_pw1_no_password_that_can_be_set_is_cut_short() -> None:
    """The longest one that a setting allows, of the letters that fall into the most parts."""
    longest = unicodedata.normalize("NFD", "\u1f82" * 256)
    stored = passwords.hash_password(longest)

    for typed, match in ((longest, passwords.Match.PASSWORD), (longest[:-4] + "x", passwords.Match.NOTHING)):
        assert passwords.matches(typed, passwords.Credentials(stored), clock.now()) is match


def test_th5_a_username_is_known_by_all_that_a_username_may_have() -> None:
    longest = "\u1f82" * usernames.LONGEST

    assert usernames.key(unicodedata.normalize("NFD", longest)) == usernames.key(longest)
    assert usernames.key(longest) != usernames.key(longest[:-1])


def test_th14_what_is_too_long_is_counted_for_nobody_else(browser: Browser, parent: Person) -> None:
    for _ in range(6):
        browser.open("/login").field("Username")
        browser.log_in(parent.username + "x" * 2000, "wrong")
    browser.open("/login").field("Username")
    browser.log_in(parent.username, parent.password)

    assert browser.location == "/"
    found = db.session.get_one(Account, parent.id)
    assert found.last_log_in_at is not None
    assert clock.now() - found.last_log_in_at < timedelta(minutes=1)


@pytest.mark.parametrize("kind", _TEXTS)
@pytest.mark.parametrize("name", ["name", "summary", "phone", "email", "topic"])
def test_ds1_a_long_request_for_support_is_refused_at_once(browser: Browser, kind: str, name: str) -> None:
    browser.open("/support")
    sent = dict(browser._data(browser.page.form_of("Send", {})[1])) | {name: _TEXTS[kind]}  # noqa: SLF001  the form as it is sent
    started = time.process_time()

    form = "&".join(f"{field}={value}" for field, value in sent.items()).encode()
    answer = browser.send("POST", "/support", data=form, content_type="application/x-www-form-urlencoded")

    assert answer.status == 422
    assert time.process_time() - started < 0.5
