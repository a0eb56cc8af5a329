"""How each key of [secrets] stands: used, only read or missing, what needs it, and what to do about it."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idp import settings
from idp.operations import secret_keys
from idp.operations.models import SecretKey
from idp.operations.secret_keys import AUDIT, PEPPER, SETTINGS, WRAPPING

OLD = timedelta(days=730)
"""How long a key is used at most (NIST SP 800-57 part 1 section 5.3.6: two years for what protects keys)."""

_UNTIL = {
    WRAPPING: "run idp keys reseal",
    PEPPER: "each is renewed when its owner logs in",
    AUDIT: "needed until retention takes them",
}


class State(enum.StrEnum):
    """Where a key stands in its list."""

    USED = "used"
    READ = "read"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key, by its name."""

    kind: str
    name: str
    state: State
    days: int | None
    """How long it has been known; None when no process has written that down."""
    needed_by: dict[str, int] = field(hash=False)
    """How many rows of what can't be read without it."""
    is_free: bool
    """Whether it can be taken away."""
    advice: str


def of_kind(kind: str, now: datetime) -> Iterator[KeyUse]:
    """Go through the keys of a kind that are configured or needed, the used one first."""
    configured = [key.name for key in secret_keys.of_kind(settings.current().secrets, kind)]
    needs, known = secret_keys.needs(kind), secret_keys.known()
    for name in [*configured, *sorted(needs.keys() - set(configured))]:
        row, needed_by = known.get((kind, name)), needs.get(name, {})
        state = State.MISSING if name not in configured else State.USED if name == configured[0] else State.READ
        days = None if row is None else (now - row.first_seen_at).days
        is_free = state is State.READ and not needed_by and _is_past(kind, row, now)
        yield KeyUse(kind, name, state, days, needed_by, is_free, _advice(kind, state, needed_by, row, now))


def _advice(kind: str, state: State, needed_by: dict[str, int], row: SecretKey | None, now: datetime) -> str:
    told, setting = secret_keys.told(needed_by), SETTINGS[kind]
    open_until = secret_keys.free_from(kind, row)
    if state is State.USED:
        return told or "nothing yet"
    if state is State.MISSING:
        return f"{told} need it: put it back at the end of [secrets] {setting}"
    if told:
        return f"{told}; {_UNTIL[kind]}"
    if row is not None and row.last_used_at is None:
        return "not used yet: put it first once every node has it"
    if open_until is not None and open_until > now:
        return f"pages that are open need it until {open_until:%Y-%m-%d %H:%M} UTC"
    return f"nothing needs it any more: take it out of [secrets] {setting}"


def _is_past(kind: str, row: SecretKey | None, now: datetime) -> bool:
    """Tell whether a key has been used, and pages that carry what it sealed can't be open any more."""
    if row is None:
        return True
    return row.last_used_at is not None and (secret_keys.free_from(kind, row) or now) <= now
