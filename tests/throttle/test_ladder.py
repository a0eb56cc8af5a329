"""How hard it becomes to guess passwords: what the next try meets, by what failed before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from idp.settings import Throttle
from idp.throttle.ladder import Challenge, Count, Counts, Go, Level, Stopped, account_waits, needed, verdict
from idp.throttle.rules import Wait

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LIMITS = Throttle()
LATER, BEFORE = NOW + timedelta(minutes=9), NOW - timedelta(seconds=1)
NONE, BOX, PICTURES = Level.NONE, Level.BOX, Level.PICTURES


def stranger(
    account: int = 0, until: datetime | None = None, network: int = 0, hour: int = 0, overall: int = 0
) -> Counts:
    """A try in a browser that is not known."""
    return Counts(Count(account, until), None, Count(network), Count(hour), Count(overall))


def known(device: int = 0, until: datetime | None = None, others: Counts | None = None) -> Counts:
    """A try in a browser that has logged in to the account before."""
    return replace(others or Counts(), device=Count(device, until))


@pytest.mark.parametrize(
    ("counts", "level"),
    [
        (stranger(), NONE),
        (stranger(2), NONE),
        (stranger(3), BOX),
        (stranger(4), BOX),
        (stranger(5), PICTURES),
        (stranger(99), PICTURES),
        (stranger(network=19), NONE),
        (stranger(network=20), BOX),
        (stranger(network=20, hour=99), BOX),
        (stranger(hour=100), PICTURES),
        (stranger(2, network=19, hour=99, overall=999), NONE),
        (stranger(overall=1000), BOX),
        (stranger(5, overall=1000), PICTURES),
        (known(), NONE),
        (known(2), NONE),
        (known(3), BOX),
        (known(5), PICTURES),
        (known(99), PICTURES),
        (known(others=stranger(2)), NONE),
        (known(others=stranger(3)), BOX),
        (known(1, others=stranger(2)), BOX),
        (known(others=stranger(99)), BOX),
        (known(others=stranger(100)), NONE),
        (known(others=stranger(network=20, hour=5000)), NONE),
        (known(others=stranger(overall=1000)), BOX),
        (known(100), NONE),
        (known(100, others=stranger(5)), PICTURES),
    ],
)
def test_how_far_the_robot_check_has_to_go(counts: Counts, level: Level) -> None:
    assert needed(counts, LIMITS) == level
    for answered in Level:
        assert verdict(counts, answered, NOW, LIMITS) == (Go() if answered >= level else Challenge(level))


@pytest.mark.parametrize(
    ("counts", "decided"),
    [
        (stranger(4), Go()),
        (stranger(5, LATER), Wait(LATER)),
        (stranger(5, BEFORE), Go()),
        (stranger(5, NOW), Go()),
        (stranger(99, LATER), Wait(LATER)),
        (stranger(99, BEFORE), Go()),
        (stranger(100), Stopped()),
        (stranger(100, LATER), Stopped()),
        (replace(stranger(), network_hour=Count(1000, LATER)), Wait(LATER)),
        (
            replace(stranger(5, LATER), network_hour=Count(1000, NOW + timedelta(hours=1))),
            Wait(NOW + timedelta(hours=1)),
        ),
        (known(5, LATER), Wait(LATER)),
        (known(5, BEFORE), Go()),
        (known(99, BEFORE), Go()),
        (known(others=stranger(5, LATER)), Go()),
        (known(others=stranger(100)), Go()),
        (known(others=replace(stranger(100, LATER), network_hour=Count(1000, LATER))), Go()),
        (known(100, others=stranger(5, LATER)), Wait(LATER)),
        (known(100, others=stranger(100)), Stopped()),
        (known(100, LATER), Go()),
    ],
)
def test_a_try_whose_robot_check_went_all_the_way(counts: Counts, decided: object) -> None:
    assert verdict(counts, PICTURES, NOW, LIMITS) == decided


def test_a_wait_comes_before_a_robot_check_that_would_be_in_vain() -> None:
    assert verdict(stranger(7, LATER), NONE, NOW, LIMITS) == Wait(LATER)


def test_the_waits_double_from_half_a_minute_to_fifteen() -> None:
    waits = account_waits(LIMITS)

    assert {step: wait.total_seconds() for step, wait in waits.items()} == {
        5: 30,
        6: 60,
        7: 120,
        8: 240,
        9: 480,
        10: 900,
    }


def test_the_longest_wait_is_reached_by_a_shorter_step() -> None:
    limits = Throttle(account_wait_seconds=5, account_longest_wait_seconds=12)

    assert [wait.total_seconds() for wait in account_waits(limits).values()] == [5, 10, 12]


def test_the_numbers_are_settings() -> None:
    limits = Throttle(
        account_robot_failures=1, account_pictures_failures=2, account_stop_failures=10, account_failures=4
    )

    assert [verdict(stranger(failures), NONE, NOW, limits) for failures in (0, 1, 2, 10)] == [
        Go(),
        Challenge(BOX),
        Challenge(PICTURES),
        Stopped(),
    ]
    assert min(account_waits(limits)) == 4
