"""Rows DS1 and DS7: too much, too many and of the wrong kind is refused at every door, by any method, and at once."""

import time
from collections.abc import Callable
from io import RawIOBase
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.database import db
from tests.attacks.conftest import Door, Intruder, checked
from tests.factories import Person
from tests.oidc.conftest import Application

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

pytestmark = pytest.mark.one_database

_URLENCODED = "application/x-www-form-urlencoded"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW")

_BODIES: dict[str, tuple[str, bytes]] = {
    "more than 64 kB": (_URLENCODED, b"username=" + b"a" * 70_000),
    "10 000 fields": (_URLENCODED, b"&".join(b"a%d=" % number for number in range(8000))),
    "one field 10 000 times": (_URLENCODED, b"code=&" * 10_000),
    "separators alone": (_URLENCODED, b"&=;" * 20_000),
    "1001 parts": (
        "multipart/form-data; boundary=b",
        b"".join(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' for _ in range(1001)) + b"--b--\r\n",
    ),
    "a part without an end": ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"'),
    "a part with a huge head": (
        "multipart/form-data; boundary=b",
        b"--b\r\nX: " + b"a" * 60_000 + b"\r\n\r\n\r\n--b--",
    ),
    "line breaks in place of a boundary": ("multipart/form-data; boundary=b", b"\r\n" * 30_000),
    "a file in place of a field": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="csrf_token"; filename="x"\r\n\r\nx\r\n--b--\r\n',
    ),
    "parts without a boundary": ("multipart/form-data", b"--b\r\n\r\n"),
    "JSON": ("application/json", b'{"username": {"$ne": ""}, "client_id": ["x"]}'),
    "JSON nested deeply": ("application/json", b"[" * 60_000),
    "XML": ("text/xml", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
    "another charset": (f"{_URLENCODED}; charset=utf-7", b"username=+ADw-script+AD4-"),
    "a type that is none": ("\xff/;;=", b"x"),
    "no UTF-8": (_URLENCODED, b"username=\xff\xfe&\xff=\xfe&\x00=\x00"),
}

_HEADERS: dict[str, dict[str, str]] = {
    "100 cookies": {"Cookie": "; ".join(f"idp_session={'a' * 43}; c{number}=x" for number in range(50))},
    "a cookie of 60 kB": {"Cookie": "idp_session=" + "a" * 60_000},
    "cookies that are none": {"Cookie": '=; ;;idp_session="\\303\\050\\000"; \xff=\xfe; idp_browser=%00'},
    "the session's cookie twice": {"Cookie": f"idp_session={'a' * 43}; idp_session={'b' * 43}"},
    "an authorization of 60 kB": {"Authorization": "Bearer " + "a" * 60_000},
    "an authorization that is none": {"Authorization": "Digest \xff=,=;"},
    "1000 languages": {"Accept-Language": ",".join(f"x{number};q=nan" for number in range(1000))},
    "a range of nothing": {"Range": "bytes=9-1,-,x", "If-Range": "\xff", "If-Modified-Since": "never"},
    "tags without end": {"If-None-Match": 'W/"' * 5000, "If-Match": "*"},
    "forwarded by anybody": {
        "X-Forwarded-For": "a, ::1, \xff",
        "Forwarded": "for=;;,",
        "X-Forwarded-Host": "evil.example",
    },
    "another method inside": {
        "X-HTTP-Method-Override": "DELETE",
        "X-Original-URL": "/admin",
        "X-Rewrite-Url": "/admin",
    },
    "a site that is none": {"Origin": "null", "Referer": "https://evil.example/\xff", "Sec-Fetch-Site": "\xff"},
    "a length that is none": {"Content-Length": "-1"},
    "a length beyond all": {"Content-Length": "9" * 30},
}


def _each(doors: list[Door], intruder: Intruder, method: str, **options: Any) -> None:
    for door in doors:
        intruder.send(method, door.path, **options)


@pytest.mark.parametrize("kind", _BODIES)
def test_ds1_a_body_that_is_too_much_or_of_the_wrong_kind_is_refused_at_every_door(
    doors: list[Door], stranger: Intruder, kind: str
) -> None:
    content_type, body = _BODIES[kind]
    started = time.monotonic()
    for method in ("POST", "PUT", "GET"):
        _each(doors, stranger, method, data=body, content_type=content_type)

    assert time.monotonic() - started < 20, "some hundred requests"


@pytest.mark.parametrize("kind", _BODIES)
def test_ds1_a_body_from_an_admin_changes_nothing_but_what_it_says(
    doors: list[Door], new_insider: Callable[[Person], Intruder], admin: Person, kind: str
) -> None:
    content_type, body = _BODIES[kind]
    insider = new_insider(admin)
    token = insider.csrf_token.encode()
    if content_type == _URLENCODED:
        body = b"csrf_token=" + token + b"&" + body
    elif b"--b\r\n" in body:
        body = b'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + token + b"\r\n" + body
    _each([door for door in doors if "POST" in door.methods], insider, "POST", data=body, content_type=content_type)


@pytest.mark.parametrize(
    ("path", "field"), [("/login", "username"), ("/oauth/token", "code"), ("/oauth/userinfo", "x")]
)
@pytest.mark.parametrize("kind", ["more than 64 kB", "1001 parts"])
def test_ds1_what_is_too_large_says_so(stranger: Intruder, path: str, field: str, kind: str) -> None:
    content_type, body = _BODIES[kind]

    assert stranger.send("POST", path, data=body, content_type=content_type).status_code == 413


class Endless(RawIOBase):
    """A body without end, which tells how much of it was taken."""

    taken = 0

    def readable(self) -> bool:
        """Say that there is more."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Give as much as was asked for."""
        given = memoryview(buffer)
        given[:] = b"a" * len(given)
        self.taken += len(given)
        return len(given)


@pytest.mark.parametrize("length", ["10000000", None])
def test_ds1_a_form_of_ten_megabytes_is_not_read(app: Flask, length: str | None) -> None:
    body = Endless()
    environ = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_TYPE": _URLENCODED}
    if length:
        environ["CONTENT_LENGTH"] = length
    else:
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    answer = app.test_client().post("/oauth/token", environ_overrides=environ)

    assert checked(answer).status_code == (413 if length else 400)
    assert body.taken <= 65_536


def test_ds1_whatever_a_stranger_asks_for_fills_no_table(application: Application, app: Flask) -> None:
    app.test_client().get("/oauth/jwks")  # makes the first signing keys
    before = _rows()
    for changes in (
        {"id_token_hint": "x" * 8000},
        {"id_token_hint": "eyJhbGciOiJSUzI1NiJ9." + "A" * 8000 + ".AA"},
        {"state": "\x01" * 2048, "nonce": '"' * 300},
        {"state": "ż" * 1024, "login_hint": "\\" * 100},
        {"state": "\U0001f4a3" * 512, "prompt": "login select_account consent"},
    ):
        for _ in range(3):
            answer = checked(application.authorize(app.test_client(), **changes))
            assert answer.status_code == 303
            assert len(answer.location) < 6000

    assert _rows() == before


def _rows() -> dict[str, int]:
    """Count the rows of each table."""
    counts = {name: select(func.count()).select_from(table) for name, table in db.metadata.tables.items()}
    return {name: db.session.scalar(count) or 0 for name, count in counts.items()}


@pytest.mark.parametrize("kind", _HEADERS)
def test_ds7_headers_that_are_too_much_or_nonsense_break_no_door(app: Flask, doors: list[Door], kind: str) -> None:
    intruder = Intruder(app.test_client(use_cookies=False))
    for method in ("GET", "POST"):
        _each(doors, intruder, method, headers=_HEADERS[kind])


@pytest.mark.parametrize(
    "query", ["a" * 20_000, "a=b&" * 10_000, "&" * 20_000, "%" * 20_000, "continue=" + "A" * 20_000, "\xff\x00=\x00"]
)
def test_ds7_an_address_that_is_too_long_breaks_no_door(doors: list[Door], stranger: Intruder, query: str) -> None:
    for method in ("GET", "POST"):
        _each(doors, stranger, method, environ_overrides={"QUERY_STRING": query})


@pytest.mark.parametrize(
    "suffix", ["/", "//", "/..", "/%2e%2e", "\x00", "\xff\xfe", ";x=y", "\r\nX: y", "/" + "a" * 5000, " ", "%"]
)
def test_ds7_an_address_beside_a_door_breaks_nothing(
    app: Flask, doors: list[Door], stranger: Intruder, suffix: str
) -> None:
    for door in doors:
        stranger.send("GET", "/", environ_overrides={"PATH_INFO": door.path.rstrip("/") + suffix})
        stranger.send("GET", "/", environ_overrides={"PATH_INFO": f"/{suffix}{door.path}"})


@pytest.mark.parametrize("method", _METHODS)
def test_hp3_a_method_that_a_door_does_not_take_is_405_and_no_other(
    doors: list[Door], stranger: Intruder, method: str
) -> None:
    for door in doors:
        answer = stranger.send(method, door.path)

        if door.path.startswith(("/admin", "/desk")):
            assert answer.status_code in {303, 405, 200}
        else:
            assert (answer.status_code == 405) == (method not in door.methods), door
