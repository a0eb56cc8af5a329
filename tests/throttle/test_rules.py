"""How many tries may fail, and how long the next one then waits."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.settings import Recovery, Settings, Throttle
from idp.throttle.rules import CLIENT_SECRET, FORGOTTEN_HOUR, Count, Wait, reserve, rule_for

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
APPLICATION = rule_for(CLIENT_SECRET, Settings())
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def counted(failures: int, *, blocked: timedelta | None = None, forgotten: timedelta = 11 * HOUR) -> Count:
    """What the ledger holds now; blocked and forgotten from now on."""
    return Count(failures, NOW - HOUR, NOW - MINUTE, None if blocked is None else NOW + blocked, NOW + forgotten)


@pytest.mark.parametrize("blocked", [timedelta(microseconds=1), SECOND, 15 * MINUTE])
def test_a_try_before_its_time_waits_and_is_not_counted(blocked: timedelta) -> None:
    assert reserve(counted(7, blocked=blocked), NOW, APPLICATION) == Wait(NOW + blocked)


@pytest.mark.parametrize(
    ("before", "failures", "blocked_until", "expires_at"),
    [
        (None, 1, None, NOW + MINUTE),
        (counted(8, forgotten=20 * SECOND), 9, None, NOW + 20 * SECOND),
        (counted(9, forgotten=20 * SECOND), 10, NOW + 20 * SECOND, NOW + 20 * SECOND),
        (counted(9, forgotten=timedelta(0)), 1, None, NOW + MINUTE),
        (counted(10, blocked=timedelta(0), forgotten=timedelta(0)), 1, None, NOW + MINUTE),
    ],
)
def test_ten_wrong_secrets_in_a_minute_make_an_application_wait_for_the_rest_of_it(
    before: Count | None, failures: int, blocked_until: datetime | None, expires_at: datetime
) -> None:
    after = reserve(before, NOW, APPLICATION)

    assert isinstance(after, Count)
    assert (after.failures, after.blocked_until, after.expires_at) == (failures, blocked_until, expires_at)


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        rule_for("anything", Settings())


def test_the_numbers_are_settings() -> None:
    strict = rule_for(CLIENT_SECRET, Settings(throttle=Throttle(client_failures=1, client_window_seconds=5)))

    assert reserve(None, NOW, strict) == Count(1, NOW, NOW, NOW + 5 * SECOND, NOW + 5 * SECOND)


def test_so_many_mails_leave_in_a_window_and_the_next_waits_for_its_end() -> None:
    rule = rule_for(FORGOTTEN_HOUR, Settings(recovery=Recovery(forgotten_per_hour=2)))

    first = reserve(None, NOW, rule)
    assert isinstance(first, Count)
    second = reserve(first, NOW + 10 * MINUTE, rule)
    assert isinstance(second, Count)

    assert reserve(second, NOW + 20 * MINUTE, rule) == Wait(NOW + HOUR)
    assert reserve(second, NOW + HOUR, rule) == reserve(None, NOW + HOUR, rule)
