"""Strangers with a list of passwords keep the hashing busy: parents and applications hardly notice (ATTACKS DS5)."""

import time
from collections import Counter
from collections.abc import Callable
from statistics import quantiles

import pytest

from tests.figures import value_of
from tests.overload.conftest import LONGEST_WAIT, Provider
from tests.overload.crowd import HOME, STRANGERS, Answer, Browser, Storm, access_token, token_of, userinfo_times

_PER_SECOND = 50
_ROOM = 2 * 64
"""How many may wait at most in two processes."""
_REFUSED, _BUSY = 422, 503
_WORDS = {
    _REFUSED: "The username or the password is not right.",
    _BUSY: "Many people are logging in just now",
}
_TYPING = 1.0
"""Seconds in which a parent types the password again: a quick one, who does not wait as long as was asked."""
_TIMES_QUIET = 2.0
_NOISE = 0.010
"""Seconds that the machine itself may add to one answer in twenty, whatever runs."""


def figures(provider: Provider) -> str:
    return Browser(provider.origin).ask("GET", "/metrics").text


def check(provider: Provider, answers: list[Answer]) -> None:
    """Hold every answer to what a stranger may be told, and the server to the longest wait."""
    said = figures(provider)
    waits = value_of(said, "idp_hash_wait_seconds_count")
    assert value_of(said, 'idp_hash_wait_seconds_bucket{le="5.0"}') == waits > 0
    assert value_of(said, "idp_hash_queue_length") == 0
    assert {answer.status for answer in answers} <= set(_WORDS)
    for answer in answers:
        assert _WORDS[answer.status] in answer.words
        assert ("retry-after" in answer.headers) == (answer.status == _BUSY)
        assert 'value="parent' in answer.text, "the username is kept"


def get_in(provider: Provider, address: str, seconds: float) -> tuple[int, float]:
    """Log in as a parent does, who tries again when asked to; return the number of tries and how long it took."""
    browser, began, tries = Browser(provider.origin, address), time.perf_counter(), 1
    token = browser.open_log_in()
    while (answer := browser.log_in(provider.parent.username, provider.parent.password, token)).status != 303:
        assert answer.status == _BUSY
        assert time.perf_counter() - began < seconds, f"{tries} tries"
        assert provider.parent.username in answer.text
        token = token_of(answer.text)
        tries += 1
        time.sleep(_TYPING)
    return tries, time.perf_counter() - began


@pytest.mark.alone
def test_ds5_a_storm_is_told_to_wait_and_a_parent_gets_in(provider: Provider) -> None:
    token = access_token(provider.origin, provider.parent, provider.application)
    before = figures(provider)
    storm = Storm(provider.origin, _PER_SECOND)
    with storm.blowing():
        time.sleep(2)
        lengths = [value_of(figures(provider), "idp_hash_queue_length")]
        tries, seconds = get_in(provider, HOME, 60)
        lengths.append(value_of(figures(provider), "idp_hash_queue_length"))
        answered = userinfo_times(provider.origin, token, 1)
    after = figures(provider)

    check(provider, storm.answers)
    statuses = Counter(answer.status for answer in storm.answers)
    assert statuses.keys() == {_REFUSED, _BUSY}
    assert tries <= 3, f"another network's line is not full; it took {seconds:.1f} s"
    assert len(answered) > 10
    assert 0 < max(lengths) <= _ROOM

    def counted(name: str) -> float:
        return value_of(after, name) - value_of(before, name)

    assert counted('idp_refusals_total{kind="busy",reason="log_in"}') == statuses[_BUSY] + tries - 1
    assert counted('idp_log_ins_total{outcome="refused"}') == statuses[_REFUSED]
    assert counted("idp_hash_seconds_count") == statuses[_REFUSED] + 1


@pytest.mark.long
def test_a_minute_of_storm_leaves_userinfo_as_quick_as_before(
    provider: Provider, record_property: Callable[[str, object], None]
) -> None:
    """Quiet and storm take turns, and the best of each counts: what else runs here disturbs both."""
    token = access_token(provider.origin, provider.parent, provider.application)
    userinfo_times(provider.origin, token, 2)
    quiet, stormy, answers = [], [], list[Answer]()
    for _ in range(4):
        quiet.append(p95(userinfo_times(provider.origin, token, 8)))
        storm = Storm(provider.origin, _PER_SECOND)
        with storm.blowing():
            time.sleep(LONGEST_WAIT)
            stormy.append(p95(userinfo_times(provider.origin, token, 11)))
        answers += storm.answers

    check(provider, answers)
    told = Counter(answer.status for answer in answers)
    line = f"userinfo's p95: {min(quiet) * 1000:.2f} ms quiet, {min(stormy) * 1000:.2f} ms in the storm; {dict(told)}"
    print(line)
    record_property("userinfo", line)
    assert min(stormy) < _TIMES_QUIET * min(quiet) + _NOISE, line


@pytest.mark.long
def test_a_parent_of_the_storm_s_own_network_gets_in_after_some_tries(provider: Provider) -> None:
    """A school's network is one address: whoever comes from there shares its line, and has a chance at each try."""
    storm = Storm(provider.origin, _PER_SECOND)
    with storm.blowing():
        time.sleep(LONGEST_WAIT)
        tries, seconds = get_in(provider, STRANGERS, 90)

    print(f"in after {tries} tries and {seconds:.1f} s")
    check(provider, storm.answers)


def p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]
