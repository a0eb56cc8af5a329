"""What is stored for a password, and what matches it: always one hash, whatever is compared."""

import dataclasses
import json
import secrets
import time
import unicodedata
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import bcrypt
import pytest

from idp import clock, sealing
from idp.accounts import passwords
from idp.accounts.passwords import Credentials, Match
from idp.app import create_app
from idp.settings import NamedKey, Settings

PASSWORD = "plum harbour violin sketch"
OLD, NEW = NamedKey("old", secrets.token_bytes(32)), NamedKey("new", secrets.token_bytes(32))


def with_peppers(settings: Settings, *peppers: NamedKey, cost: int = 4) -> Settings:
    changed = dataclasses.replace(settings.secrets, peppers=peppers)
    costs = dataclasses.replace(settings.passwords, bcrypt_cost=cost)
    return dataclasses.replace(settings, secrets=changed, passwords=costs)


@pytest.fixture(autouse=True)
def context(settings: Settings) -> Iterator[None]:
    with create_app(settings).app_context():
        yield


def match(typed: str, stored: str | None) -> Match:
    return passwords.matches(typed, Credentials(stored), clock.now())


def test_a_password_matches_its_hash_and_no_other() -> None:
    stored = passwords.hash_password(PASSWORD)

    assert match(PASSWORD, stored) is Match.PASSWORD
    assert match(PASSWORD + " ", stored) is Match.NOTHING
    assert match(PASSWORD.upper(), stored) is Match.NOTHING


def test_a_hash_names_its_pepper_and_tells_neither_password_nor_pepper() -> None:
    stored = passwords.hash_password(PASSWORD)

    assert stored.startswith("k1$2b$04$")
    assert not bcrypt.checkpw(PASSWORD.encode(), stored.removeprefix("k1").encode())
    assert stored != passwords.hash_password(PASSWORD)


@pytest.mark.parametrize("changed", [0, 71, 72, 99])
def test_pw1_every_character_of_a_long_password_counts(changed: int) -> None:
    long = "".join(secrets.choice("abcdefghij") for _ in range(100))
    stored = passwords.hash_password(long)

    assert match(long, stored) is Match.PASSWORD
    assert match(long[:changed] + "X" + long[changed + 1 :], stored) is Match.NOTHING


def test_pw3_nothing_ends_at_a_nul() -> None:
    stored = passwords.hash_password("abc\0defdefdefdef")

    assert match("abc\0xyzxyzxyzxyz", stored) is Match.NOTHING
    assert match("abc", stored) is Match.NOTHING


def test_pw5_a_password_set_composed_matches_when_it_is_typed_decomposed() -> None:
    composed = unicodedata.normalize("NFC", "crème brûlée à Québec")
    stored = passwords.hash_password(composed)

    assert match(unicodedata.normalize("NFD", composed), stored) is Match.PASSWORD


@pytest.mark.parametrize("typed", ["", "\0", "\ud800", "x" * 100_000])
def test_whatever_is_typed_is_an_answer_and_no_error(typed: str) -> None:
    assert match(typed, passwords.hash_password(PASSWORD)) is Match.NOTHING
    assert match(typed, None) is Match.NOTHING


@pytest.mark.parametrize("stored", ["", "nonsense", "gone$2b$04$abcdefghijklmnopqrstuuJr5IYgY7qV2LDFWYz8Vhz0MJd5pF9Jm"])
def test_a_hash_whose_pepper_is_gone_matches_nothing_and_the_operator_is_told(
    stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert match(PASSWORD, stored) is Match.NOTHING

    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["key"]) == ("pepper_missing", stored.partition("$")[0])
    assert stored == "" or "2b$04" not in str(line)


def test_a_temporary_password_matches_until_it_expires() -> None:
    now = clock.now()
    temporary = passwords.new_temporary()
    kept = Credentials(None, sealing.digest(temporary), now + timedelta(days=14))

    assert passwords.matches(temporary, kept, now) is Match.TEMPORARY
    assert passwords.matches(f" {temporary}\n", kept, now) is Match.TEMPORARY
    assert passwords.matches(temporary, kept, now + timedelta(days=14)) is Match.EXPIRED
    other = ("y" if temporary.startswith("x") else "x") + temporary[1:]
    assert passwords.matches(other, kept, now) is Match.NOTHING


def test_temporary_passwords_are_sixteen_random_characters_that_can_be_told_apart() -> None:
    made = {passwords.new_temporary() for _ in range(500)}

    assert len(made) == 500
    assert {len(one) for one in made} == {16}
    used = set("".join(made))
    assert len(used) ** 16 >= 2**80
    assert not used & set("01lO")


def test_the_pepper_can_be_changed_while_running(settings: Settings) -> None:
    with create_app(with_peppers(settings, OLD)).app_context():
        stored = passwords.hash_password(PASSWORD)
        assert not passwords.needs_rehash(stored)
    with create_app(with_peppers(settings, NEW, OLD)).app_context():
        assert match(PASSWORD, stored) is Match.PASSWORD
        assert passwords.needs_rehash(stored)
        assert not passwords.needs_rehash(passwords.hash_password(PASSWORD))
    with create_app(with_peppers(settings, NEW)).app_context():
        assert match(PASSWORD, stored) is Match.NOTHING


def test_a_hash_of_another_cost_still_matches_and_is_due_for_a_new_one(settings: Settings) -> None:
    stored = passwords.hash_password(PASSWORD)
    with create_app(with_peppers(settings, *settings.secrets.peppers, cost=5)).app_context():
        assert match(PASSWORD, stored) is Match.PASSWORD
        assert passwords.needs_rehash(stored)
        assert passwords.hash_password(PASSWORD).startswith("k1$2b$05$")


@pytest.mark.alone
def test_nobody_costs_the_time_of_one_hash(settings: Settings) -> None:
    """At a cost where a hash is far longer than all around it; a hash from when the cost was lower takes no less."""
    with create_app(with_peppers(settings, OLD, cost=7)).app_context():
        cheaper = passwords.hash_password(PASSWORD)
    with create_app(with_peppers(settings, OLD, cost=9)).app_context():
        now = clock.now()
        later = now + timedelta(days=1)
        stored, temporary = passwords.hash_password(PASSWORD), passwords.new_temporary()
        cases = {
            "nobody": ("x", Credentials()),
            "wrong": ("x", Credentials(stored)),
            "right": (PASSWORD, Credentials(stored)),
            "temporary": (temporary, Credentials(None, sealing.digest(temporary), later)),
            "beside": ("x", Credentials(stored, sealing.digest(temporary), later)),
            "foreign": ("x", Credentials("gone$2b$09$xyz")),
            "cheaper": ("x", Credentials(cheaper)),
        }
        taken = {name: seconds(partial(passwords.matches, *case, now)) for name, case in cases.items()}

    assert max(taken.values()) < 1.6 * min(taken.values()), taken


def seconds(act: Callable[[], object]) -> float:
    """Return how much processor time the quickest of some runs took, all threads counted."""

    def once() -> float:
        began = time.process_time()
        act()
        return time.process_time() - began

    return min(once() for _ in range(7))
