"""What a new password may be (PW7): long and not guessable, otherwise whatever one likes; each refusal says why."""

import secrets
import string
import unicodedata
from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from idp import clock
from idp.accounts import password_rules
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.accounts.password_strength import Strength


@pytest.fixture
def person(app: Flask) -> Account:
    district = replace(app.config["IDP"].district, familiar_words=("Blue Demons",))
    app.config["IDP"] = replace(app.config["IDP"], district=district)
    return accounts.create(
        "ewa.kowalska",
        name="Ewa Kowalska",
        given_name="Ewa",
        family_name="Kowalska",
        email="pani.nowakowa@example.org",
        now=clock.now(),
    )


@pytest.mark.parametrize(
    "password",
    [
        "plum harbour violin sketch",
        "x7Kq!2vLm9#wPz4R",
        "correct horse battery staple",
        "ala ma kota i dwa psy",
        "śliwka, port, skrzypce",
        "李小龙在公园里打了一套很漂亮的拳",
        "🦊🌧️🎻🏔️🍏🚲🧭🪵🎈🦉🌶️🥨🦔",
        "my 2 cats hate the neighbour's vacuum",
        "Summer rain on tin roofs, 1987",
    ],
)
def test_good_passwords_are_accepted(person: Account, password: str) -> None:
    assert password_rules.problem(password, person) is None


def test_pw7_sixty_four_plain_letters_are_accepted(person: Account) -> None:
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(64))

    assert password_rules.problem(letters, person) is None


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("password1234567", "common words or rows"),
        ("ewa.kowalska", "too short"),
        ("ewa.kowalska2026!", "contains your username"),
        ("E W A KOWALSKA forever", "contains your username"),
        ("the Kowalska family", "contains your name"),
        ("pani.nowakowa@example.org", "contains your email address"),
        ("my PaniNowakowa, dear", "contains your email address"),
        ("District 207 rules ok", "name of the district"),
        ("go MaineEast High School go", "name of the district or a school"),
        ("aaaaaaaaaaaaaaa", "repeats the same"),
        ("abababababababab", "repeats the same"),
        ("fox!fox!fox!fox!", "repeats the same"),
        ("123456789012345", "common words or rows"),
        ("abcdefghijklmnopqrstuvwxyz", "common words or rows"),
        ("qwertyuiopasdfgh", "common words or rows"),
        ("zyxwvutsrqponmlkj", "common words or rows"),
        ("P@ssw0rd12345678", "common words or rows"),
        ("Welcome2026!!!!!", "common words or rows"),
        ("1qaz2wsx3edc4rfv", "common words or rows"),
        ("iloveyoumonkey123", "common words or rows"),
        ("Summer2026Summer", "common words or rows"),
        ("passwordpassword1", "common words or rows"),
        ("drowssapdrowssap", "common words or rows"),
        ("contraseña2026!!", "common words or rows"),
        ("Gradebook2026!!!", "common words or rows"),
        ("12/05/2011, 2011", "common words or rows"),
        ("EwaK0wa1ska2026!", "contains your username"),
        ("K0wa1ska-K0wa1ska", "contains your name"),
        ("Kowalska iloveyou", "contains your name"),
        ("parent portal 2026", "name of the district"),
        ("maine-east-maine-east", "name of the district or a school"),
        ("Blue Demons rule 26", "such as a mascot"),
    ],
)
def test_pw7_guessable_passwords_are_refused_with_the_reason(person: Account, password: str, reason: str) -> None:
    """R50: common passwords and those that are built on a name are refused, and the reason is said."""
    assert reason in (password_rules.problem(password, person) or "")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "too short: use at least 15"),
        ("x7Kq!2vLm9#wPz", "too short: use at least 15"),
        ("🦊🌧🎻🏔🍏🚲🧭🪵🎈🦉🌶🥨🦔🏕", "too short: use at least 15"),
        ("plum harbour " * 10, "too long: use at most 128"),
        ("plum\0harbour violin", "can't be typed"),
    ],
)
def test_the_length_is_counted_in_characters(person: Account, password: str, reason: str) -> None:
    assert reason in (password_rules.problem(password, person) or "")


def test_the_length_is_counted_composed(person: Account) -> None:
    fourteen = unicodedata.normalize("NFD", "éèêëàâäîïôöûüç")
    assert len(fourteen) == 28

    assert "too short" in (password_rules.problem(fourteen, person) or "")


def test_128_characters_are_accepted_and_129_refused(person: Account) -> None:
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(129))

    assert password_rules.problem(letters[:128], person) is None
    assert "too long" in (password_rules.problem(letters, person) or "")


def test_the_temporary_password_is_no_new_password(person: Account) -> None:
    temporary = accounts.issue_temporary_password(person, clock.now())

    assert "temporary password" in (password_rules.problem(temporary, person) or "")


def test_a_name_among_enough_other_words_is_no_reason(person: Account) -> None:
    """NIST SP 800-63B-4 section 3.1.1.2: the whole password is judged, not a word that is in it."""
    assert password_rules.problem("plum harbour violin sketch 61 Kowalska", person) is None


@pytest.mark.parametrize(
    "password", ["plum harbour violin", "my dog eats homework", "x7Kq!2vLm9#wPz4R", "password1234567"]
)
def test_r51_what_is_refused_is_weak_and_what_is_not_is_stronger(person: Account, password: str) -> None:
    """R51: the server computes the strength, too, by the rules that it refuses by."""
    refused = password_rules.problem(password, person) is not None

    assert (password_rules.strength(password, person) is Strength.WEAK) is refused


def test_a_page_is_told_no_more_of_a_person_than_it_knows(person: Account) -> None:
    """What the browser's meter gets: the email address is not in it, nor is what a page has not named."""
    told = password_rules.guide("ewa.kowalska").own_words.split()

    assert {"ewakowalska", "district207", "parentportal", "maineeast", "bluedemons"} <= set(told)
    assert not [word for word in told if "nowakowa" in word]


def test_short_parts_of_a_name_are_no_reason(person: Account) -> None:
    """Ewa has three letters, and is in many words."""
    assert password_rules.problem("the wewa wigwam quilt", person) is None


@given(st.text(st.characters(codec=None), max_size=2000))
@example_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
def test_whatever_is_typed_is_judged(person: Account, password: str) -> None:
    judged = password_rules.problem(password, person)

    assert judged is None or judged.endswith((".", "characters."))
