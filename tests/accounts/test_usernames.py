"""One username, however it is typed (TH5), and none that nobody could type again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.accounts import usernames


@pytest.mark.parametrize(
    "typed",
    [
        "zoë.müller",
        "ZOË.MÜLLER",
        "  zoë.müller\t",
        "zoe\u0308.mu\u0308ller",
        "\uff5a\uff4fë.müller",
        "zoë.mü\u200bller",
        "\ufeffzoë.müller",
        "zoë.m\u00adüller\x00",
    ],
)
def test_th5_case_spaces_composition_width_and_invisible_signs_make_no_other_username(typed: str) -> None:
    assert usernames.key(typed) == "zoë.müller"


def test_spaces_inside_count_once() -> None:
    assert usernames.key("ewa \u00a0 kowalska") == "ewa kowalska"


@pytest.mark.parametrize(("one", "other"), [("straße", "STRASSE"), ("ﬁona", "FIONA"), ("Σίσυφος", "ΣΊΣΥΦΟΣ")])
def test_letters_that_fold_alike_are_alike(one: str, other: str) -> None:
    assert usernames.key(one) == usernames.key(other)


@pytest.mark.parametrize(("one", "other"), [("ewa", "eva"), ("ewa.k", "ewak"), ("zoe", "zoë")])
def test_different_usernames_stay_different(one: str, other: str) -> None:
    assert usernames.key(one) != usernames.key(other)


@given(st.text())
def test_a_key_is_its_own_key(typed: str) -> None:
    assert usernames.key(usernames.key(typed)) == usernames.key(typed)


@given(st.text(st.characters(codec=None)))
def test_a_key_can_be_kept_by_every_database(typed: str) -> None:
    assert "\0" not in usernames.key(typed)
    usernames.key(typed).encode()


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("username", ["ewa.kowalska", "e", "Zoë O'Neill-Smith", "ewa@example.org", "x" * 100, "李小龙"])
def test_ordinary_usernames_are_accepted(username: str) -> None:
    assert usernames.problem(username) is None


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("username", "reason"),
    [
        ("", "Enter a username"),
        (" \t ", "Enter a username"),
        ("\u200b", "Enter a username"),
        ("x" * 101, "too long"),
        ("\ufdfa" * 20, "too long"),
        ("a\nb", "can't be seen"),
        ("a\x1b[31mb", "can't be seen"),
        ("a\0b", "can't be seen"),
        ("ad\u200bmin", "can't be seen"),
        ("a\u2028b", "can't be seen"),
        ("a\ud800b", "can't be seen"),
    ],
)
def test_other_usernames_are_refused_with_the_reason(username: str, reason: str) -> None:
    assert reason in (usernames.problem(username) or "")
