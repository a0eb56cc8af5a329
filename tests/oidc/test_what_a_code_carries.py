"""A code carries what it stands for, whole and sealed: whatever is not just as it was issued is no code at all."""

import string
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from idp import sealing
from idp.oidc import codes
from idp.oidc.authorization_request import AuthorizationRequest
from idp.sessions.service import ACR
from idp.sessions.store import ActiveSession
from idp.settings import NamedKey
from idp.web.context import Origin, set_origin

pytestmark = [pytest.mark.one_database, pytest.mark.usefixtures("app")]

NOW = datetime(2026, 11, 29, 23, 59, 59, 999_999, UTC)
CLIENT, GRANT = uuid.uuid4(), uuid.uuid4()
ASKED = AuthorizationRequest(
    client_id="c" * 22,
    redirect_uri="https://gradebook.district207.example/auth/callback?tenant=207",
    scope="openid profile email",
    state="s" * 22,
    nonce="n" * 22,
    prompt=(),
    max_age=None,
    code_challenge="c" * 43,
    login_hint="",
    id_token_hint=None,
)
SESSION = ActiveSession(
    id=uuid.uuid4(),
    account_id=uuid.uuid4(),
    username="ewa.kowalska",
    name="Ewa Kowalska",
    role="guardian",
    locale="en",
    auth_time=NOW - timedelta(hours=2, microseconds=1),
    amr=("pwd",),
    acr=ACR,
    shared_computer=False,
    created_at=NOW,
    last_seen_at=NOW,
    idle_expires_at=NOW,
    expires_at=NOW,
)
NONCES = {
    "none": None,
    "empty": "",
    "letters": "n" * 300,
    "of two bytes": "ż" * 150,
    "of four bytes": "\U0001f511" * 75,
    "quotes": '"\\' * 150,
    "controls": "\x01" * 300,
}


def issue(asked: AuthorizationRequest = ASKED, session: ActiveSession = SESSION) -> str:
    return codes.issue(asked, session, client_pk=CLIENT, grant_id=GRANT, now=NOW)


def test_every_field_comes_back_as_it_was() -> None:
    set_origin(Origin("web", "2001:db8::207", "a request"))
    session = SESSION._replace(amr=("pwd", "otp"))
    text = issue(session=session)
    code = codes.read(text)

    assert code is not None
    assert code.id.version == 7, "in the order of time, which keeps its rows together"
    assert code._asdict() == {
        "id": code.id,
        "client_pk": CLIENT,
        "account_id": session.account_id,
        "session_id": session.id,
        "grant_id": GRANT,
        "auth_time": session.auth_time,
        "issued_at": NOW,
        "expires_at": NOW + timedelta(seconds=60),
        "redirect_uri": ASKED.redirect_uri,
        "scope": ASKED.scope,
        "nonce": ASKED.nonce,
        "code_challenge": ASKED.code_challenge,
        "acr": ACR,
        "amr": ["pwd", "otp"],
        "address": "2001:db8::207",
        "code_challenge_method": "S256",
    }
    assert (code.get_redirect_uri(), code.get_scope()) == (ASKED.redirect_uri, ASKED.scope)


@pytest.mark.parametrize("nonce", NONCES)
@pytest.mark.parametrize("challenge", [None, "c" * 43])
def test_the_longest_values_come_back_within_the_longest_code(nonce: str, challenge: str | None) -> None:
    set_origin(Origin("web", "é" * 400, "a request"))
    longest = "https://gradebook.example/" + "p" * 374
    asked = ASKED._replace(redirect_uri=longest, nonce=NONCES[nonce], code_challenge=challenge)
    text = issue(asked)
    code = codes.read(text)

    assert code is not None
    assert (code.redirect_uri, code.nonce, code.code_challenge) == (longest, NONCES[nonce], challenge)
    assert code.address == "é" * 50, "as much as the record keeps"
    assert len(text) <= codes.LONGEST


def test_a_usual_code_is_short_and_fit_for_an_address() -> None:
    set_origin(Origin("web", "203.0.113.207", "a request"))
    text = issue()

    assert len(text) < 470
    assert set(text) <= set(string.ascii_letters + string.digits + "-_.")


def test_two_codes_for_the_same_have_nothing_in_common_but_the_keys_name() -> None:
    one, other = (sealing._decode(issue().partition(".")[2]) for _ in range(2))  # noqa: SLF001  what is in the box

    equal = sum(mine == yours for mine, yours in zip(one, other, strict=True))
    assert equal < 16, "two random texts of 330 bytes agree in one or two"


def test_no_bit_of_it_can_be_changed() -> None:
    text = issue()
    name, _, box = text.partition(".")
    raw = sealing._decode(box)  # noqa: SLF001  what is in the box

    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        assert codes.read(f"{name}.{sealing._encode(bytes(changed))}") is None, bit  # noqa: SLF001  likewise
    assert codes.read(text) is not None


def test_no_sign_of_it_can_be_changed_taken_away_or_added() -> None:
    text = issue()
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        assert codes.read(text[:place] + other + text[place + 1 :]) is None, place
        assert codes.read(text[:place] + text[place + 1 :]) is None, place
        assert codes.read(text[:place]) is None, place
        assert codes.read(text[:place] + other + text[place:]) is None, place
    for more in ("A", "=", "==", ".", " ", "\n", "\0", "é", "\ud83d"):
        assert codes.read(text + more) is None
        assert codes.read(more + text) is None


def test_a_code_has_one_spelling() -> None:
    """The last sign of Base64 has bits that say nothing: another text of the same box would be another code."""
    alphabet = string.ascii_letters + string.digits + "-_"
    for length in (20, 21, 22):  # with four bits to spare, with two, and with none
        text = issue(ASKED._replace(nonce="n" * length))
        assert [sign for sign in alphabet if codes.read(text[:-1] + sign) is not None] == [text[-1]]


@pytest.mark.parametrize(
    "text", ["", ".", "x", "k1", "k1.", ".AAAA", "k1.AAAA", "k1." + "A" * 400, "é", "\ud83d", "\0", "a" * 10_000]
)
def test_rubbish_is_no_code(text: str) -> None:
    assert codes.read(text) is None


@pytest.mark.parametrize("purpose", ["continuation", "logout", "authorization codes", ""])
def test_what_was_sealed_for_another_purpose_is_no_code(purpose: str) -> None:
    content = sealing.open_sealed("authorization code", issue())

    assert codes.read(sealing.seal(purpose, content)) is None
    assert codes.read(sealing.seal("authorization code", content)) is not None


@pytest.mark.parametrize("version", range(256))
def test_another_version_of_what_is_packed_is_refused(version: int) -> None:
    content = sealing.open_sealed("authorization code", issue())

    read = codes.read(sealing.seal("authorization code", bytes([version]) + content[1:]))
    assert (read is not None) == (version == content[0])


def test_another_version_may_pack_nothing_at_all() -> None:
    assert codes.read(sealing.seal("authorization code", b"")) is None
    assert codes.read(sealing.seal("authorization code", b"\x01")) is None


@contextmanager
def wrapped_by(app: Flask, *names: str) -> Iterator[None]:
    """Run on these wrapping keys; k1 is the usual one, and each name stands for one key."""
    usual = app.config["IDP"]
    (first,) = usual.secrets.wrapping_keys
    keys = tuple(first if name == first.name else NamedKey(name, name.encode() * 16) for name in names)
    app.config["IDP"] = replace(usual, secrets=replace(usual.secrets, wrapping_keys=keys))
    try:
        yield
    finally:
        app.config["IDP"] = usual


def test_a_code_is_read_as_long_as_its_key_is_there(app: Flask) -> None:
    (first,) = app.config["IDP"].secrets.wrapping_keys
    before = issue()
    with wrapped_by(app, "k2", first.name):
        after = issue()
        assert sealing.key_name(after) == "k2"
        assert codes.read(before) is not None
        assert codes.read(after) is not None
        assert codes.read(f"k2{before.removeprefix(first.name)}") is None, "by another key's name"
    assert codes.read(after) is None, "its key is not there yet"
    with wrapped_by(app, "k2"):
        assert codes.read(before) is None, "its key is gone"


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "{!r:>9}".format], ids=["repr", "str", "format", "padded"])
def test_what_is_printed_of_a_code_tells_nothing(shown: Callable[[object], str]) -> None:
    set_origin(Origin("web", "203.0.113.207", "a request"))
    code = codes.read(issue())
    assert code is not None
    text = shown(code)

    secret = [value for name, value in code._asdict().items() if name != "code_challenge_method"]
    told = [value for value in secret if (value.hex() if isinstance(value, bytes) else str(value)) in text]
    assert told == []
    assert "<Code>" in text
