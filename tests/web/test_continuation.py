"""Where somebody was heading survives the pages between, in their browser alone."""

import contextvars
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from flask import Flask

from idp import clock, sealing
from idp.web import continuation
from idp.web.continuation import Continuation

_DAY = timedelta(hours=24)
_LONGEST = {
    "random letters": secrets.token_urlsafe(2048)[:2048],
    "random bytes": "".join(map(chr, secrets.token_bytes(2048)))[:1300],
    "quotes": '"\\' * 1024,
    "controls": "".join(chr(byte % 32) for byte in secrets.token_bytes(2048)),
    "signs of four bytes": "".join(chr(0x10000 + byte * 97) for byte in secrets.token_bytes(512)),
}
_MINE, _OTHERS = sealing.random_token(), sealing.random_token()

Result = TypeVar("Result")
Travel = Callable[[timedelta], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def _in_the_application(app: Flask) -> None:
    """Everything here needs the application's keys and database."""


def test_what_was_sealed_is_opened_in_the_same_browser(app: Flask) -> None:
    heading = _heading(form_target="https://lunch.example", fresh_after=17, done=("log_in",))

    sealed = _sealed(app, heading)

    assert _unsealed(app, sealed) == heading


def test_a_step_that_is_done_travels_along(app: Flask) -> None:
    sealed = _sealed(app, _heading().with_step("log_in").with_step("choose"))

    opened = _unsealed(app, sealed)

    assert opened is not None
    assert opened.done == ("log_in", "choose")


def test_the_address_tells_nothing_of_what_was_asked(app: Flask) -> None:
    sealed = _sealed(app, _heading({"state": "very-secret-state"}))

    assert "secret" not in sealed
    assert sealed != _sealed(app, _heading({"state": "very-secret-state"}))


def test_a_stolen_address_is_worthless_in_another_browser(app: Flask) -> None:
    sealed = _sealed(app, _heading())

    assert _unsealed(app, sealed, browser=_OTHERS) is None


def test_a_browser_without_its_cookie_opens_nothing(app: Flask) -> None:
    sealed = _sealed(app, _heading())

    assert _unsealed(app, sealed, browser=None) is None


def test_a_page_that_lay_open_for_three_hours_still_works(app: Flask, travel: Travel) -> None:
    sealed = _sealed(app, _heading())

    with travel(timedelta(hours=3)):
        assert _unsealed(app, sealed) is not None


def test_it_is_too_old_after_its_lifetime(app: Flask, travel: Travel) -> None:
    sealed = _sealed(app, _heading())

    with travel(_DAY - timedelta(minutes=1)):
        assert _unsealed(app, sealed) is not None
    with travel(_DAY + timedelta(minutes=1)):
        assert _unsealed(app, sealed) is None


@pytest.mark.parametrize("place", [0, 3, 20, -1])
def test_a_changed_character_opens_nothing(app: Flask, place: int) -> None:
    sealed = _sealed(app, _heading())
    other = "A" if sealed[place] != "A" else "B"

    assert _unsealed(app, sealed[:place] + other + sealed[place:][1:]) is None


@pytest.mark.parametrize(
    "text", ["", ".", "p.", "p.unknown", "k1.", "k1.AAAA", "nokey.AAAA", "\u00e9", "k1.\ud800", "%", "x" * 9000]
)
def test_what_is_not_ours_opens_nothing(app: Flask, text: str) -> None:
    assert _unsealed(app, text) is None


def test_what_was_sealed_for_another_purpose_opens_nothing(app: Flask) -> None:
    assert _unsealed(app, sealing.seal("csrf", _MINE.encode())) is None


@pytest.mark.parametrize("kind", _LONGEST)
def test_the_longest_request_fits_into_an_address(app: Flask, kind: str) -> None:
    heading = _heading(
        {"state": _LONGEST[kind], "nonce": _LONGEST[kind][:75], "redirect_uri": "https://a/" + "x" * 390}
    )

    sealed = _sealed(app, heading)

    assert len(sealed) < 6000, "nginx and granian take 8 kB and more in one line"
    assert _unsealed(app, sealed) == heading


def test_what_another_version_sealed_otherwise_opens_nothing(app: Flask) -> None:
    other = _in_a_request(app, _MINE, lambda: sealing.seal("continuation", b'{"path": "/"}'))

    assert _unsealed(app, other) is None


def _heading(request: dict[str, Any] | None = None, **fields: Any) -> Continuation:
    asked = request or {"scope": "openid"}
    return Continuation("/oauth/authorize/resume", "lunch", asked, clock.timestamp(), **fields)


def _sealed(app: Flask, heading: Continuation) -> str:
    return _in_a_request(app, _MINE, lambda: continuation.seal(heading))


def _unsealed(app: Flask, text: str, browser: str | None = _MINE) -> Continuation | None:
    return _in_a_request(app, browser, lambda: continuation.unseal(text, clock.now(), _DAY))


def _in_a_request(app: Flask, browser: str | None, act: Callable[[], Result]) -> Result:
    """Act as a request that brings this browser's cookie, apart from what the test has open."""

    def run() -> Result:
        sent = {"Cookie": f"idp_browser={browser}"} if browser else {}
        with app.test_request_context("/login", headers=sent):
            return act()

    return contextvars.Context().run(run)
