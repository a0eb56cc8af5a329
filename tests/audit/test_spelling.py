"""What a digest is made of has one spelling, whichever way it is written: records outlive versions."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.audit import chain

_AT = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)
_ID = uuid.UUID("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b")

_words = st.text(st.characters(), max_size=20)
_details = st.dictionaries(
    _words, st.recursive(st.none() | st.booleans() | st.integers() | _words, st.lists, max_leaves=5), max_size=5
)


def event(details: dict[str, Any], address: str | None = None) -> dict[str, Any]:
    named = ("event", "outcome", "actor_id", "account_id", "client_id", "source", "request_id")
    return {"id": _ID, "at": _AT, "address": address, "details": details} | dict.fromkeys(named)


def test_an_event_is_spelled_as_json_of_ascii_without_blanks() -> None:
    content = chain.event_content(event({"scope": "openid", "name": "Zoë"}))

    assert content == (
        b'["event","0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b","2026-09-01T07:30:00.000000+00:00",null,null,null,null,null,'
        b'null,null,null,{"name":"Zo\\u00eb","scope":"openid"}]'
    )


@given(details=_details, address=_words)
def test_the_spelling_is_that_of_the_standard_library(details: dict[str, Any], address: str) -> None:
    told = [str(_ID), _AT.isoformat(timespec="microseconds"), *[None] * 6, address, None, details]
    expected = json.dumps(["event", *told], separators=(",", ":"), sort_keys=True)

    assert chain.event_content(event(details, address)) == expected.encode()


@pytest.mark.parametrize("text", ["plain", "Zoë", "\x7f", "\ud800", '\x00\x1f\n\\"', "😀", "\u2028"])
def test_every_kind_of_character_has_its_spelling(text: str) -> None:
    assert json.dumps(text).encode() in chain.event_content(event({"said": text}))


def test_bytes_are_spelled_as_hexadecimal_and_large_numbers_as_they_are() -> None:
    seal = dict.fromkeys(("number", "first_position", "last_position", "removed_through", "sealed_at"), 2**70)

    assert chain.seal_content(seal | {"events_digest": b"\xab\x01", "previous_mac": ""}) == (
        f'["seal",{2**70},{2**70},{2**70},"ab01",{2**70},{2**70},""]'.encode()
    )
