"""How many tries may fail, and how long the next one then waits."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.settings import Recovery, Settings, Throttle
from idp.throttle.rules import CLIENT_SECRET, FORGOTTEN_HOUR, LOG_IN, REAUTHENTICATION, Count, Wait, reserve, rule_for

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
PERSON = rule_for(LOG_IN, Settings())
APPLICATION = rule_for(CLIENT_SECRET, Settings())
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def counted(failures: int, *, blocked: timedelta | None = None, forgotten: timedelta = 11 * HOUR) -> Count:
    """What the ledger holds now; blocked and forgotten from now on."""
    return Count(failures, NOW - HOUR, NOW - MINUTE, None if blocked is None else NOW + blocked, NOW + forgotten)


@pytest.mark.parametrize(
    ("before", "failures", "wait"),
    [
        (None, 1, None),
        (counted(1), 2, None),
        (counted(3), 4, None),
        (counted(4), 5, timedelta(seconds=30)),
        (counted(5, blocked=-SECOND), 6, MINUTE),
        (counted(6, blocked=timedelta(0)), 7, 2 * MINUTE),
        (counted(7, blocked=-HOUR), 8, 4 * MINUTE),
        (counted(8, blocked=-HOUR), 9, 8 * MINUTE),
        (counted(9, blocked=-HOUR), 10, 15 * MINUTE),
        (counted(10, blocked=-HOUR), 11, 15 * MINUTE),
        (counted(5000, blocked=-HOUR), 5001, 15 * MINUTE),
        (counted(9, forgotten=timedelta(0)), 1, None),
        (counted(9, blocked=HOUR, forgotten=-SECOND), 1, None),
    ],
)
def test_a_persons_try_is_counted_as_failed_and_from_the_fifth_on_the_next_one_waits(
    before: Count | None, failures: int, wait: timedelta | None
) -> None:
    after = reserve(before, NOW, PERSON)

    assert isinstance(after, Count)
    assert (after.failures, after.last_at, after.expires_at) == (failures, NOW, NOW + 12 * HOUR)
    assert after.blocked_until == (None if wait is None else NOW + wait)


@pytest.mark.parametrize("blocked", [timedelta(microseconds=1), SECOND, 15 * MINUTE])
def test_a_try_before_its_time_waits_and_is_not_counted(blocked: timedelta) -> None:
    assert reserve(counted(7, blocked=blocked), NOW, PERSON) == Wait(NOW + blocked)


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


def test_logging_in_again_before_a_sensitive_act_has_the_rule_of_logging_in() -> None:
    assert rule_for(REAUTHENTICATION, Settings()) == PERSON


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        rule_for("anything", Settings())


def test_the_numbers_are_settings() -> None:
    throttle = Throttle(
        account_failures=1, account_wait_seconds=5, account_longest_wait_seconds=12, account_forget_hours=1
    )
    strict = rule_for(LOG_IN, Settings(throttle=throttle))

    assert strict.waits == (5 * SECOND, 10 * SECOND, 12 * SECOND)
    assert reserve(None, NOW, strict) == Count(1, NOW, NOW, NOW + 5 * SECOND, NOW + HOUR)


def test_so_many_mails_leave_in_a_window_and_the_next_waits_for_its_end() -> None:
    rule = rule_for(FORGOTTEN_HOUR, Settings(recovery=Recovery(forgotten_per_hour=2)))

    first = reserve(None, NOW, rule)
    assert isinstance(first, Count)
    second = reserve(first, NOW + 10 * MINUTE, rule)
    assert isinstance(second, Count)

    assert reserve(second, NOW + 20 * MINUTE, rule) == Wait(NOW + HOUR)
    assert reserve(second, NOW + HOUR, rule) == reserve(None, NOW + HOUR, rule)
