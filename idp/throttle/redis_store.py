"""The counts of password tries in Redis, for a district whose nodes share one: store.py's statements as scripts.

Known browsers stay in the database: they have to live for months. A moment is a whole number of microseconds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from idp import settings
from idp.throttle import ladder
from idp.throttle.store import ORDER, Row

if TYPE_CHECKING:
    from redis import Redis

_PATIENCE = 2.0  # seconds: a machine that is busy with hashes answers late; one that is away is then left alone
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_COUNT = """
local now, network_limit, network_wait = tonumber(ARGV[1]), tonumber(ARGV[6]), tonumber(ARGV[7])
local stop, stopped_for, first = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local rows = {}
for i, key in ipairs(KEYS) do
  local row = redis.call('HMGET', key, 'failures', 'first_at', 'blocked_until', 'expires_at')
  for j = 1, 4 do row[j] = tonumber(row[j]) or 0 end
  if row[4] <= now then row = {0, now, 0, now + tonumber(ARGV[1 + i])} end
  if row[3] > now then return {} end
  rows[i] = row
end
local counted = {}
for i, key in ipairs(KEYS) do
  local row = rows[i]
  row[1], row[3] = row[1] + 1, 0
  if i == 1 then
    row[4] = now + (row[1] >= stop and stopped_for or tonumber(ARGV[2]))
    if row[1] >= first then row[3] = now + tonumber(ARGV[math.min(11 + row[1] - first, #ARGV)]) end
  elseif i == 3 and row[1] >= network_limit then
    row[3] = now + network_wait
  end
  redis.call('HSET', key, 'failures', row[1], 'first_at', string.format('%.0f', row[2]),
             'blocked_until', string.format('%.0f', row[3]), 'expires_at', string.format('%.0f', row[4]))
  redis.call('PEXPIRE', key, string.format('%.0f', math.ceil((row[4] - now) / 1000)))
  counted[i] = {row[1], string.format('%.0f', row[2]), string.format('%.0f', row[3])}
end
return counted
"""
"""Count a try for all four, or for none if one of them waits. ARGV: now, the four windows, what makes a network wait
and for how long, the stop and for how long, the first failure that brings a wait, and the waits."""

_TAKE_BACK = """
for i, key in ipairs(KEYS) do
  local row = redis.call('HMGET', key, 'failures', 'first_at', 'blocked_until')
  local failures = tonumber(row[1]) or 0
  if i == 1 and ARGV[1] == '1' then
    redis.call('DEL', key)
  elseif failures > 0 and row[2] == ARGV[1 + 2 * i] then
    redis.call('HSET', key, 'failures', failures - 1)
    if row[3] == ARGV[2 + 2 * i] or (i == 1 and failures <= tonumber(ARGV[2])) then
      redis.call('HSET', key, 'blocked_until', 0)
    end
  end
end
"""
"""Take a try back. ARGV: whether the account is cleared, its first failure that brings a wait, then for each of the
four when it began to count and until when it waited by this try."""

_CLEAR = """
if (tonumber(redis.call('HGET', KEYS[1], 'failures')) or 0) < tonumber(ARGV[1]) then redis.call('DEL', KEYS[1]) end
"""
"""Clear an account's count below a number of failures."""


def find(digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
    """Return what is held on account, network and everybody, as far as it still counts, by kind. Raises RedisError."""
    wanted = [kind for kind in ORDER if kind in digests]
    pipeline = _redis().pipeline(transaction=False)
    for kind in wanted:
        pipeline.hmget(_key(digests[kind]), "failures", "first_at", "blocked_until", "expires_at")
    found: dict[str, Row] = {}
    for kind, held in zip(wanted, pipeline.execute(), strict=True):
        if held[3] is not None and int(held[3]) > _moment(now):
            found[kind] = _row(digests[kind], held[:3])
    return found


def count(digests: Mapping[str, bytes], now: datetime) -> dict[str, Row]:
    """Count a try for all of them at once, and return what they hold then; nothing where one of them waits."""
    limits = settings.current().throttle
    windows = [
        timedelta(hours=limits.account_forget_hours),
        ladder.NETWORK_WINDOW,
        ladder.NETWORK_LONG_WINDOW,
        ladder.OVERALL_WINDOW,
    ]
    waits = ladder.account_waits(limits)
    given = [
        _moment(now),
        *map(_microseconds, windows),
        limits.network_wait_failures,
        _microseconds(timedelta(seconds=limits.network_wait_seconds)),
        limits.account_stop_failures,
        _microseconds(ladder.STOPPED_FOR),
        min(waits),
        *map(_microseconds, waits.values()),
    ]
    counted = _run(_COUNT, [digests[kind] for kind in ORDER], given)
    return {kind: _row(digests[kind], held) for kind, held in zip(ORDER, counted, strict=False)}


def take_back(rows: Mapping[str, Row], *, cleared: bool) -> None:
    """Take a try back where it was counted; its username's count is cleared, if asked."""
    given: list[int] = [int(cleared), settings.current().throttle.account_failures]
    for kind in ORDER:
        until = rows[kind].blocked_until
        given += [_moment(rows[kind].first_at), 0 if until is None else _moment(until)]
    _run(_TAKE_BACK, [rows[kind].digest for kind in ORDER], given)


def clear(account: bytes, below: int) -> None:
    """Forget what failed at a username, where that is less than so often."""
    _run(_CLEAR, [account], [below])


def eviction_policy() -> str | None:
    """Return by what rule keys are thrown away when the memory is full; None if none ever is. Raises RedisError."""
    memory = _redis().info("memory")
    policy: str = memory.get("maxmemory_policy", "noeviction")
    return policy if memory.get("maxmemory", 0) and policy != "noeviction" else None


def failures() -> type[Exception]:
    """Return what a Redis raises that does not answer, or not as one."""
    from redis import RedisError  # loaded late, as below

    return RedisError


@lru_cache(maxsize=4)
def _connected(url: str) -> "Redis":
    from redis import Redis  # loaded late: without the setting nobody waits for it

    return Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, decode_responses=True)


def _redis() -> "Redis":
    return _connected(settings.current().throttle.redis)


def _run(script: str, digests: list[bytes], given: list[int]) -> Any:
    return _redis().register_script(script)(keys=[_key(digest) for digest in digests], args=given)


def _key(digest: bytes) -> str:
    return f"{{idp-throttle}}:{digest.hex()}"  # the braces keep all of them on one node of a cluster, for the scripts


def _row(digest: bytes, held: list[Any]) -> Row:
    until = int(held[2])
    return Row(digest, int(held[0]), _read(int(held[1])), _read(until) if until else None)


def _moment(value: datetime) -> int:
    return _microseconds(value - _EPOCH)


def _microseconds(value: timedelta) -> int:
    return value // _MICROSECOND


def _read(moment: int) -> datetime:
    return _EPOCH + moment * _MICROSECOND
