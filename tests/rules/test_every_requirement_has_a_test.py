"""What the FAQ demands, by the numbers of its rows: each has a test that is named for it, or nothing to test yet."""

import pytest

from tests import tables
from tests.rules import requirements

WITHOUT = {row for rows in requirements.WITHOUT_A_TEST for row in rows.split()}


@pytest.mark.parametrize("number", requirements.MEANINGS)
def test_a_test_is_named_for_the_row(number: int) -> None:
    named = requirements.tests_by_row().get(number, [])

    if f"R{number}" in WITHOUT:
        assert named == [], f"R{number} is there by now: it goes from WITHOUT_A_TEST"
    else:
        assert named


def test_no_test_names_a_row_that_there_is_not() -> None:
    assert not set(requirements.tests_by_row()) - set(requirements.MEANINGS)
    assert not {int(row.removeprefix("R")) for row in WITHOUT} - set(requirements.MEANINGS)


def test_the_table_is_what_the_tests_say() -> None:
    assert tables.block("requirements") == requirements.table(), "type: make tables"
