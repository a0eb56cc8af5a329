"""What an application, and its visitor's browser, send: the operations that are measured."""

import hashlib
import itertools
import json
import re
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tests.benchmarks.load import Answer, Later, Script, Unexpected

Values = dict[str, Any]
"""What seed.District holds."""

_CSRF = re.compile(rb'name="csrf_token" value="([^"]+)"')


def repeat(name: str, values: Values) -> Iterator[Script]:
    """Return a script's runs, without end."""
    make = SCRIPTS[name]
    return (make(values, number) for number in itertools.count())


def flow(values: Values, number: int) -> Script:
    """Single sign-on as an application sees it: authorize with a session, token, UserInfo."""
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(12)
    query = urlencode(_authorization(values, verifier, state))
    answer = yield _get(f"/oauth/authorize?{query}", Cookie=_one_of(values["cookies"], number))
    _expect(answer, 302)
    sent = parse_qs(urlsplit(answer.headers["location"]).query)
    if sent.get("state") != [state] or "code" not in sent:
        raise Unexpected(f"authorize went to {answer.headers['location']}")
    form = {
        "grant_type": "authorization_code",
        "code": sent["code"][0],
        "redirect_uri": values["redirect_uri"],
        "code_verifier": verifier,
    }
    answer = yield _post("/oauth/token", form, Authorization=_basic(values["client_id"], values["client_secret"]))
    _expect(answer, 200)
    tokens = json.loads(answer.body)
    if "id_token" not in tokens:
        raise Unexpected("the token response has no ID token")
    answer = yield _get("/oauth/userinfo", Authorization=f"Bearer {tokens['access_token']}")
    _expect(answer, 200, b'"email"')


def userinfo(values: Values, number: int) -> Script:
    """Ask who a token's owner is."""
    answer = yield _get("/oauth/userinfo", Authorization=f"Bearer {_one_of(values['access_tokens'], number)}")
    _expect(answer, 200, b'"email"')


def wrong_secret(values: Values, number: int) -> Script:
    """Redeem a code with a secret that is wrong, for one application after the other: each has its own budget."""
    form = {"grant_type": "authorization_code", "code": "x" * 43, "redirect_uri": values["redirect_uri"]}
    wrong = secrets.token_urlsafe(32)
    answer = yield _post("/oauth/token", form, Authorization=_basic(_one_of(values["client_ids"], number), wrong))
    _expect(answer, 401)


def discovery(_values: Values, _number: int) -> Script:
    """Read what the provider says of itself."""
    answer = yield _get("/.well-known/openid-configuration")
    _expect(answer, 200, b'"issuer"')


def jwks(_values: Values, _number: int) -> Script:
    """Read the signing keys."""
    answer = yield _get("/oauth/jwks")
    _expect(answer, 200, b'"keys"')


def log_in(values: Values, number: int) -> Script:
    """A browser that is new here, from the application through the log-in page back with a code."""
    query = urlencode(_authorization(values, secrets.token_urlsafe(32), "state"))
    answer = yield _get(f"/oauth/authorize?{query}")
    _expect(answer, 303)
    cookies = answer.cookies
    page = answer.headers["location"]
    answer = yield _get(page, Cookie=_header(cookies))
    _expect(answer, 200)
    found = _CSRF.search(answer.body)
    if found is None:
        raise Unexpected("the log-in page has no form")
    form = {
        "csrf_token": found[1].decode(),
        "username": _one_of(values["usernames"], number),
        "password": values["password"],
    }
    answer = yield _post(page, form, Cookie=_header(cookies))
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        raise Later(float(answer.headers["retry-after"]))
    _expect(answer, 303)
    answer = yield _get(answer.headers["location"], Cookie=_header(cookies | answer.cookies))
    _expect(answer, 302)
    if "code=" not in answer.headers["location"]:
        raise Unexpected(f"the log-in went to {answer.headers['location']}")


def page(values: Values, _number: int) -> Script:
    """Open a page of the console or the desk, as an admin who is logged in."""
    answer = yield _get(values["page"], Cookie=values["admin_cookie"])
    _expect(answer, 200, values["says"].encode())


SCRIPTS: dict[str, Callable[[Values, int], Script]] = {
    "flow": flow,
    "userinfo": userinfo,
    "wrong_secret": wrong_secret,
    "discovery": discovery,
    "jwks": jwks,
    "log_in": log_in,
    "page": page,
}
MEASURED = [name for name in SCRIPTS if name != "page"]
"""What `make bench` measures. Pages of the console are measured by growth, which says which one."""


def _authorization(values: Values, verifier: str, state: str) -> dict[str, str]:
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return {
        "client_id": values["client_id"],
        "redirect_uri": values["redirect_uri"],
        "response_type": "code",
        "scope": "openid profile email",
        "state": state,
        "nonce": secrets.token_urlsafe(12),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


def _get(target: str, **headers: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode()


def _post(target: str, form: dict[str, str], **headers: str) -> bytes:
    body = urlencode(form)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n{lines}\r\n{body}"
    ).encode()


def _basic(client_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()


def _one_of(given: list[str], number: int) -> str:
    return given[number % len(given)]


def _header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _expect(answer: Answer, status: int, text: bytes = b"") -> None:
    if answer.status != status or text not in answer.body:
        raise Unexpected(f"{answer.status} in place of {status}: {answer.body[:200]!r}")
