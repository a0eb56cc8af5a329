"""What the FAQ demands, by the numbers of its rows: each has a test that is named for it."""

import pytest

from tests import tables
from tests.rules import requirements


@pytest.mark.parametrize("number", requirements.MEANINGS)
def test_a_test_is_named_for_the_row(number: int) -> None:
    assert requirements.tests_by_row().get(number)


def test_no_test_names_a_row_that_there_is_not() -> None:
    assert not set(requirements.tests_by_row()) - set(requirements.MEANINGS)


def test_the_table_is_what_the_tests_say() -> None:
    assert tables.block("requirements") == requirements.table(), "type: make tables"
