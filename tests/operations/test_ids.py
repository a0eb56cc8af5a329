"""An id of ours is any other UUID, and in the order of time."""

import copy
import pickle
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from idp import clock, ids


@pytest.mark.parametrize("other", [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.uuid4(), uuid.uuid1()])
def test_an_id_is_what_the_standard_library_makes_of_the_same(other: uuid.UUID) -> None:
    for made in (ids.of_bytes(other.bytes), ids.of_hex(other.hex)):
        assert (made, hash(made), str(made), repr(made)) == (other, hash(other), str(other), repr(other))
        assert made.is_safe is uuid.SafeUUID.unknown
        assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == other  # noqa: S301  it is our own


def test_a_new_id_is_of_version_7_and_tells_its_moment() -> None:
    before = int(clock.own().timestamp() * 1000)
    made = ids.new_id()
    after = int(clock.own().timestamp() * 1000)

    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after
    assert len({ids.new_id() for _ in range(1000)}) == 1000


def test_the_first_id_of_a_moment_lies_between_what_was_before_and_what_comes() -> None:
    now = datetime.now(UTC)

    assert ids.first_id(now - timedelta(seconds=1)) < ids.new_id() < ids.first_id(now + timedelta(seconds=1))


@pytest.mark.parametrize("raw", [b"x" * 17, b"\xff" * 20])
def test_what_is_too_long_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match="128 bits"):
        ids.of_bytes(raw)
    with pytest.raises(ValueError, match="128 bits"):
        ids.of_hex(raw.hex())


@pytest.mark.parametrize("text", ["", "-1", "no hexadecimal digits at all, but"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|128 bits"):
        ids.of_hex(text)
