"""The rows of a grown district, made from a seed: the same seed and moment give the same rows, whatever the database.

A boolean is 0 or 1, as both databases take it; growth_scale says how all else is written.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from idp.sealing import digest
from tests.benchmarks.growth_scale import (
    ADMIN,
    REDIRECT_URI,
    SCOPE,
    TOKEN,
    Scale,
    access_token,
    client_id,
    client_of,
    client_secret,
    digests,
    identifier,
    moment,
    owner,
    session_token,
    token_id,
    username,
)

Value = str | int | bytes | None
Row = tuple[Value, ...]

_EVENTS_A_SEAL = 500

ACCOUNT, SECTOR, CLIENT, SESSION, OLD_SESSION, GRANT, NOTICE, STEPS = range(8)
EVENT, SECRET, MESSAGE, ADDRESS, LINK, TICKET, ENTRY, QUESTION = range(8, 16)
OLD_TOKEN = TOKEN + 1
"""Kinds of rows, as ids tell them apart."""


@dataclass(frozen=True)
class Load:
    """What goes into one table."""

    table: str
    columns: tuple[str, ...]
    count: int
    rows: Iterator[Row]


def _columns(names: str) -> tuple[str, ...]:
    return tuple(names.split())


def loads(scale: Scale) -> Iterator[Load]:
    """Return everything, parents before children."""
    yield from _people(scale)
    yield from _applications(scale)
    yield from _sessions(scale)
    yield from _issued(scale)
    yield from _past(scale)


def _people(scale: Scale) -> Iterator[Load]:
    made = moment(scale.now - timedelta(days=100))
    columns = "id username username_key role name given_name family_name email name_key email_key email_verified locale"
    rows = (
        (
            *(
                identifier(ACCOUNT, number),
                username(number),
                username(number),
                "admin" if number == ADMIN else "guardian",
                f"Ewa Kowalska {number}",
            ),
            *(
                "Ewa",
                f"Kowalska {number}",
                f"parent{number}@example.org",
                f"kowalska {number} ewa",
                f"parent{number}@example.org",
                1,
                "en",
                scale.password_hash,
                made,
                made,
                made,
            ),
        )
        for number in range(scale.accounts)
    )
    columns += " password_hash password_changed_at created_at updated_at"
    yield Load("accounts", _columns(columns), scale.accounts, rows)


def _applications(scale: Scale) -> Iterator[Load]:
    made, numbers = moment(scale.now - timedelta(days=200)), range(scale.clients)
    salts = digests(scale, "salts")
    sectors = ((identifier(SECTOR, number), f"host:tool{number}.example", next(salts), made) for number in numbers)
    yield Load("sectors", ("id", "identifier", "salt", "created_at"), scale.clients, sectors)
    columns = (
        "id client_id client_name description sector_id redirect_uris post_logout_redirect_uris scopes contacts "
        "token_endpoint_auth_method id_token_signed_response_alg first_party require_pkce "
        "backchannel_logout_session_required revision created_at updated_at"
    )
    kind = ("client_secret_basic", "RS256", 1, 1, 1, 1, made, made)
    lists = (json.dumps([REDIRECT_URI]), "[]", json.dumps(SCOPE.split()), "[]")
    clients = (
        (identifier(CLIENT, number), client_id(number), name, "", identifier(SECTOR, number), *lists, *kind)
        for number in numbers
        for name in [f"Tool {number:05d} of the {('north', 'south', 'east', 'west')[number % 4]}"]
    )
    yield Load("clients", _columns(columns), scale.clients, clients)
    secrets = (
        (identifier(SECRET, number), identifier(CLIENT, number), digest(client_secret(scale.seed, number)), made)
        for number in numbers
    )
    yield Load("client_secrets", ("id", "client_pk", "digest", "created_at"), scale.clients, secrets)
    grants = (
        (identifier(GRANT, number), identifier(ACCOUNT, number), identifier(CLIENT, client), "[]", made, made)
        for number in range(scale.accounts)
        for client in [client_of(scale, number)]
    )
    yield Load("grants", _columns("id account_id client_pk scopes created_at updated_at"), scale.accounts, grants)


def _sessions(scale: Scale) -> Iterator[Load]:
    columns = (
        "id digest account_id auth_time amr acr shared_computer user_agent address created_at last_seen_at "
        "idle_expires_at expires_at"
    )
    began, ends = moment(scale.now - timedelta(hours=1)), moment(scale.now + timedelta(days=30))
    browser = ('["pwd"]', "urn:district-idp:acr:password", 0, "Mozilla/5.0 (X11; Linux x86_64)", "192.0.2.1")
    live = (
        (
            *(identifier(SESSION, number), digest(session_token(scale.seed, number))),
            *(identifier(ACCOUNT, owner(scale, number)), began, *browser, began, began, ends, ends),
        )
        for number in range(scale.accounts)
    )
    yield Load("browser_sessions", _columns(columns), scale.accounts, live)
    old_digests, before, over = digests(scale, "old sessions"), scale.now - timedelta(days=60), scale.old_sessions
    old = (
        (
            *(identifier(OLD_SESSION, number), next(old_digests), identifier(ACCOUNT, owner(scale, number))),
            *(then, *browser, then, then, then, then),
        )
        for number in range(over)
        for then in [moment(before + timedelta(seconds=number % 2_000_000))]
    )
    yield Load("browser_sessions", _columns(columns), over, old)
    columns = "sid session_id client_pk created_at"
    for kind, count in ((SESSION, scale.accounts), (OLD_SESSION, over)):
        sids = digests(scale, f"sids {kind}")
        parts = (
            (
                next(sids).hex()[:43],
                identifier(kind, number),
                identifier(CLIENT, client_of(scale, owner(scale, number))),
                began,
            )
            for number in range(count)
        )
        yield Load("session_participants", _columns(columns), count, parts)


def _issued(scale: Scale) -> Iterator[Load]:
    columns = _columns("id digest client_pk account_id session_id grant_id scope issued_at expires_at")
    began, ends = moment(scale.now), moment(scale.now + timedelta(days=30))
    live = (
        (
            token_id(scale, number),
            digest(access_token(scale, number)),
            *_whose(scale, number),
            SCOPE,
            began,
            ends,
        )
        for number in range(scale.accounts)
    )
    yield Load("access_tokens", columns, scale.accounts, live)
    made, spans = digests(scale, "tokens"), _spans(scale, scale.expired_tokens)
    expired = (
        (identifier(OLD_TOKEN, number), next(made), *_whose(scale, number * 104_729), SCOPE, *next(spans))
        for number in range(scale.expired_tokens)
    )
    yield Load("access_tokens", columns, scale.expired_tokens, expired)


def _past(scale: Scale) -> Iterator[Load]:
    gone = moment(scale.now - timedelta(days=2))
    count, random_digests = scale.accounts // 10, digests(scale, "counters")
    counters = ((next(random_digests), "log_in", 1, gone, gone, gone) for _ in range(count))
    columns = _columns("digest kind failures first_at last_at expires_at")
    yield Load("throttle_counters", columns, count, counters)
    yield _known_browsers(scale)
    checks = digests(scale, "robot checks")
    rows = ((next(checks), b"", "log_in", 1, 1, "", 1, 0, "{}", 1, 0, gone, gone) for _ in range(count))
    columns = _columns(
        "digest browser_digest purpose wanted level work_secret round tasks task turn extended begun_at expires_at"
    )
    yield Load("robot_checks", columns, count, rows)
    steps_digests = digests(scale, "steps")
    steps = (
        (identifier(STEPS, number), next(steps_digests), identifier(ACCOUNT, number), "[]", "[]", 0, gone, gone)
        for number in range(count // 10)
    )
    columns = _columns("id digest account_id steps amr shared_computer created_at expires_at")
    yield Load("open_steps", columns, count // 10, steps)
    yield Load("logout_notices", _NOTICE, 2 * count, _notices(scale, 2 * count))
    yield Load("outbox_messages", _MESSAGE, count, _messages(scale, count))
    yield Load("security_emails", _ADDRESS, scale.accounts, _addresses(scale))
    yield Load("email_tokens", _LINK, count, _links(scale, count))
    yield Load(
        "forgotten_questions", _columns("id sealed_content created_at"), count // 10, _questions(scale, count // 10)
    )
    yield Load("support_tickets", _TICKET, count, _tickets(scale, count))
    yield Load("support_log_entries", _ENTRY, 2 * count, _entries(scale, 2 * count))
    yield Load("audit_events", _EVENT, scale.events, _events(scale))
    seals = -(-scale.events // _EVENTS_A_SEAL)
    yield Load("audit_seals", _SEAL, seals, _seals(scale, seals))


_ADDRESS = _columns("id account_id address address_key is_verified created_at")


def _known_browsers(scale: Scale) -> Load:
    now, until, random_digests = moment(scale.now), moment(scale.now + timedelta(days=180)), digests(scale, "browsers")
    rows = (
        (next(random_digests), "known_browser", 0, now, now, until, digest(f"log_in:{username(number)}"))
        for number in range(scale.accounts)
    )
    columns = _columns("digest kind failures first_at last_at expires_at owner")
    return Load("throttle_counters", columns, scale.accounts, rows)


def _addresses(scale: Scale) -> Iterator[Row]:
    """A verified security email for everybody, which every tenth shares with another guardian."""
    when = moment(scale.now - timedelta(days=30))
    for number in range(scale.accounts):
        address = f"family{number - number % 10 // 9}@example.org"
        yield (identifier(ADDRESS, number), identifier(ACCOUNT, number), address, address, 1, when)


_LINK = _columns("id purpose account_id address digest sealed_code code_tries continuation created_at expires_at")


def _links(scale: Scale, count: int) -> Iterator[Row]:
    """Links that nobody opened in time."""
    gone, random_digests = moment(scale.now - timedelta(days=2)), digests(scale, "links")
    for number in range(count):
        whose = (identifier(ACCOUNT, number), f"family{number}@example.org", next(random_digests))
        yield (identifier(LINK, number), "verification", *whose, "", 0, "", gone, gone)


def _questions(scale: Scale, count: int) -> Iterator[Row]:
    """What was forgotten while no worker ran."""
    when = moment(scale.now - timedelta(days=2))
    for number in range(count):
        yield (identifier(QUESTION, number), "nobody reads this", when)


_TICKET = _columns(
    "id number form_digest topic state account_id name name_key relationship student_name school phone email language "
    "best_time summary created_at changed_at closed_at"
)
_ENTRY = _columns("id ticket_id kind state text at")


def _tickets(scale: Scale, count: int) -> Iterator[Row]:
    """Requests for support: every tenth is open, and half of the closed ones are past their time."""
    forms = digests(scale, "support forms")
    for number in range(count):
        when = moment(scale.now - timedelta(days=500 if number < count // 2 else 5))
        state, closed = ("open", None) if number % 10 == 0 else ("closed", when)
        whose = (identifier(ACCOUNT, number), f"Ewa Kowalska {number}", f"kowalska {number} ewa", "parent", "Jan", "")
        asked = ("", f"parent{number}@example.org", "en", "any", "I can't log in.", when, when, closed)
        yield (identifier(TICKET, number), f"{10_000_000 + number}", next(forms), "forgot", state, *whose, *asked)


def _entries(scale: Scale, count: int) -> Iterator[Row]:
    when = moment(scale.now - timedelta(days=5))
    for number in range(count):
        yield (identifier(ENTRY, number), identifier(TICKET, number // 2), "phone", "", "Left a message.", when)


_NOTICE = _columns("id client_pk account_id sid created_at attempts delivered_at given_up_at last_result")


def _notices(scale: Scale, count: int) -> Iterator[Row]:
    """Notices that were told: half of them long ago; one in a hundred was given up."""
    for number in range(count):
        when = moment(scale.now - timedelta(days=40 if number < count // 2 else 5))
        ended = (None, when) if number % 100 == 0 else (when, None)
        whose = (identifier(CLIENT, number % scale.clients), identifier(ACCOUNT, number % scale.accounts))
        yield (identifier(NOTICE, number), *whose, f"sid{number}", when, 1, *ended, "answered 200")


_MESSAGE = _columns(
    "id kind recipient account_id language subject message_id state reply attempts created_at settled_at"
)


def _messages(scale: Scale, count: int) -> Iterator[Row]:
    """Messages that were accepted: half of them longer ago than anybody asks."""
    for number in range(count):
        when = moment(scale.now - timedelta(days=100 if number < count // 2 else 5))
        whom = (f"parent{number}@example.org", identifier(ACCOUNT, number % scale.accounts), "en")
        told = ("Your password was changed", f"<{number}@example.org>", "accepted", "250 OK", 1, when, when)
        yield (identifier(MESSAGE, number), "login/password_changed", *whom, *told)


_EVENT = _columns(
    "id at event outcome actor_id account_id client_id source address request_id details mac position position_mac"
)
_SEAL = _columns("number first_position last_position events_digest removed_through sealed_at previous_mac mac")


def _events(scale: Scale) -> Iterator[Row]:
    """Sealed events. What they are signed with is nobody's key: `idp audit verify` is not what is measured."""
    for number in range(scale.events):
        when, account = _recorded_at(scale, number), identifier(ACCOUNT, owner(scale, number))
        what = ("authorization_granted", "success", account, account, client_id(number % scale.clients), "web")
        signed = ('{"scope": "openid profile email"}', "k0:" + "m" * 43, number + 1, "k0:" + "p" * 43)
        yield (identifier(EVENT, number), when, *what, "192.0.2.1", f"{number:032x}", *signed)


def _seals(scale: Scale, count: int) -> Iterator[Row]:
    for number in range(count):
        first = number * _EVENTS_A_SEAL
        last = min(scale.events, first + _EVENTS_A_SEAL)
        yield (number + 1, first + 1, last, bytes(32), 0, _recorded_at(scale, last - 1), "", "k0:" + "s" * 43)


def _recorded_at(scale: Scale, number: int) -> str:
    """Spread the events over four hundred days, of which the first 35 are past retention."""
    return moment(scale.now - timedelta(days=400) + timedelta(days=399) * (number / scale.events))


def _whose(scale: Scale, number: int) -> tuple[str, str, str, str]:
    """Return application, account, session and grant of what was issued in some session."""
    session = number % scale.accounts
    account = owner(scale, session)
    return (
        identifier(CLIENT, client_of(scale, account)),
        identifier(ACCOUNT, account),
        identifier(SESSION, session),
        identifier(GRANT, account),
    )


def _spans(scale: Scale, count: int) -> Iterator[tuple[str, str]]:
    """Return when each of so many was issued and expired, oldest first, over the last thirty days."""
    begin = (scale.now - timedelta(days=31)).timestamp()
    second, text = 0, ("", "")
    for number in range(count):
        now = int(begin + number * 2_592_000 / count)
        if now != second:
            second = now
            issued = datetime.fromtimestamp(now, UTC)
            text = moment(issued), moment(issued + timedelta(minutes=15))
        yield text
