"""The attacks that a provider has to survive, by their ids: each has a test that is named for it, or no door yet."""

import re
from pathlib import Path

import pytest

_TESTS = Path(__file__).parent.parent

_ROWS = {
    "RU": (1, 3, 5, 7, 9),
    "CP": (1, 3, 5, 7, 9, 11),
    "CA": (1, 3, 5, 7, 9),
    "JW": (1, 3, 5, 7, 9, 11, 14),
    "RO": (1, 3, 6),
    "DR": (1, 3, 5),
    "LO": (1, 3, 5),
    "SE": (1, 3, 5, 7, 9),
    "PR": (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23),
    "TP": (1, 3),
    "TH": (1, 3, 5, 7, 9, 11, 14, 16, 18),
    "PW": (1, 3, 5, 7, 9),
    "IN": (1, 3, 5, 6, 11, 14),
    "HD": (1, 3, 5),
    "HP": (1, 3, 6),
    "CO": (1, 3, 5, 7, 10),
    "AD": (1, 3, 5, 7, 9),
    "DS": (1, 3, 5, 7, 10),
}
WITH_A_DOOR = [f"{group}{number}" for group, numbers in _ROWS.items() for number in numbers]

WITHOUT_A_DOOR = {
    "RO7": "pushed authorization requests are not offered, and a request_uri is refused (RO1)",
    "IN9": "nothing is imported from or exported to CSV yet",
    "TK1 TK3 TK5 TK7 TK9 TK12": "there are no refresh tokens, and neither revocation nor introspection",
}


def _named() -> set[str]:
    """Return the ids that stand in the names of tests and of their cases."""
    found: set[str] = set()
    for path in _TESTS.rglob("test_*.py"):
        if path.name == Path(__file__).name:
            continue
        text = path.read_text("utf-8")
        for name in re.findall(r"^def test_((?:[a-z]{2}\d+_(?:to_)?)+)", text, re.MULTILINE):
            found |= {one.upper() for one in re.findall(r"[a-z]{2}\d+", name)}
        found |= set(re.findall(r'"([A-Z]{2}\d+) [^"]*"[:,\]]', text)) | set(re.findall(r'f"([A-Z]{2}\d+) ', text))
    return found


@pytest.mark.parametrize("row", WITH_A_DOOR)
def test_a_test_is_named_for_the_row(row: str) -> None:
    assert row in _named()


def test_no_row_is_without_a_door_that_has_a_test() -> None:
    listed = {row for rows in WITHOUT_A_DOOR for row in rows.split()}

    assert not listed & set(WITH_A_DOOR)
    assert not listed & _named(), "its door is there by now: it moves up"
    assert not _named() - set(WITH_A_DOOR), "a row that the list does not have"
