"""The short way for endpoints that programs call: from method and path to a plain function, past Flask's dispatch.

An endpoint is written once, as a function from Message to Answer, and is reached in two ways: by the table here, when
the request is of the plain kind that libraries send, and by its Flask route for everything else (HEAD, OPTIONS, a wrong
method, a body that is too large or of another type). Both ways give the same answer, id, log line and counters; errors
are always Flask's. An endpoint sets no cookie and draws no page: where one is needed it returns None, having written
nothing, and Flask answers.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import unquote

from flask import Blueprint, Flask, Response, request
from flask.sansio.app import App
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.http import parse_etags
from werkzeug.sansio.http import parse_cookie

from idp import faults, write_lock
from idp.faults import Fault
from idp.web import csrf, headers, logs
from idp.web.own_address import Application
from idp.write_lock import WouldWait

Fields = Mapping[str, list[str]]
"""What was sent under each name, in its order."""

_NO_MORE: Mapping[str, str] = {}
_NOTHING_SENT: Fields = {}
FORM = "application/x-www-form-urlencoded"
_NOT_MODIFIED = HTTPStatus.NOT_MODIFIED.value
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Message:
    """A request, as far as an endpoint for programs looks at one."""

    def __init__(
        self,
        query: str = "",
        form: Fields = _NOTHING_SENT,
        authorization: str | None = None,
        cookies: str = "",
        if_none_match: str | None = None,
    ) -> None:
        self._query, self._cookies, self._if_none_match = query, cookies, if_none_match
        self.form = form
        """The fields of a POST's body; nothing else is ever taken for them."""
        self.authorization = authorization

    @classmethod
    def of(cls, environ: Mapping[str, Any], form: Fields) -> Self:
        """Return what a WSGI environment holds."""
        return cls(
            environ.get("QUERY_STRING", ""),
            form,
            environ.get("HTTP_AUTHORIZATION"),
            environ.get("HTTP_COOKIE", ""),
            environ.get("HTTP_IF_NONE_MATCH"),
        )

    @property
    def query(self) -> Fields:
        """The fields of the address."""
        return fields_of(self._query)

    def cookie(self, name: str) -> str:
        """Return the first cookie of this name, or nothing."""
        return parse_cookie(self._cookies).get(name, "") if name in self._cookies else ""

    def has(self, etag: str) -> bool:
        """Tell whether the client holds the version with this tag (RFC 9110 section 13.1.2)."""
        condition = self._if_none_match
        return condition is not None and parse_etags(condition).contains_weak(etag.strip('"'))


class Answer(NamedTuple):
    """What goes back."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    cache_control: str = "no-store"


class Endpoint(Protocol):
    """A function that answers a message, or says with None that a page has to."""

    __name__: str

    def __call__(self, message: Message, /) -> Answer | None:
        """Answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An endpoint in the table: its name in logs and counters, and the headers that all its answers have."""

    name: str
    endpoint: Endpoint
    headers: tuple[tuple[str, str], ...]
    is_ready: bool = False
    """Whether the answer is always at hand: it asks nobody, and nothing is waited for."""


Table = dict[tuple[str, str], Entry]


def table_of(app: App) -> Table:
    """Return the endpoints of an application by method and path."""
    table: Table = app.extensions.setdefault("idp_direct", {})
    return table


def route(
    blueprint: Blueprint,
    path: str,
    endpoint: Endpoint,
    methods: Iterable[str],
    more: Mapping[str, str] = _NO_MORE,
    *,
    is_ready: bool = False,
) -> None:
    """Give a blueprint an endpoint on both ways, named as its function is; its answers have some more headers."""

    @csrf.exempt
    def view() -> Response:
        answer = endpoint(Message.of(request.environ, request.form.to_dict(flat=False)))
        if answer is None:
            raise TypeError("an endpoint that may need a page has a view of its own, and a shortcut")
        return response(answer)

    name = endpoint.__name__
    blueprint.add_url_rule(path, name, view, methods=list(methods))
    shortcut(blueprint, path, endpoint, methods, view=name, more=more, is_ready=is_ready)


def shortcut(
    blueprint: Blueprint,
    path: str,
    endpoint: Endpoint,
    methods: Iterable[str],
    *,
    view: str,
    more: Mapping[str, str] = _NO_MORE,
    is_ready: bool = False,
) -> None:
    """Give a view of a blueprint a short way: an endpoint that answers when no page is needed."""

    def enter(state: BlueprintSetupState) -> None:
        app = state.app
        fixed = headers.for_programs(app.config["IDP"], more)
        for method in methods:
            table_of(app)[method, path] = Entry(f"{blueprint.name}.{view}", endpoint, fixed, is_ready)

    blueprint.record(enter)


def response(answer: Answer) -> Response:
    """Return an answer on Flask's way."""
    made = Response(answer.body, answer.status, _own_headers(answer))
    if not any(name == "Content-Type" for name, _value in answer.headers):
        del made.headers["Content-Type"]  # Flask's default is a page's
    return made


class Sent(NamedTuple):
    """An answer with all its headers, as a server sends it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Direct:
    """The short way itself, whatever server stands before it."""

    def __init__(self, app: Flask, context: AbstractContextManager[Any] | None = None) -> None:
        """Take the application, and its context if each request is not to have one of its own."""
        self._app = app
        self._context = context
        self._table = table_of(app)

    def find(self, method: str, path: str) -> Entry | None:
        """Return the endpoint that answers this method at this path."""
        return self._table.get((method, path))

    def respond(
        self, entry: Entry, method: str, address: str, message: Message, environ: Callable[[], dict[str, Any]]
    ) -> Sent | None:
        """Answer one request, or return None when a page has to; a fault is told on Flask's way, from its environment.

        Raises WouldWait when the database's lock is held, and this thread may not wait for it.
        """
        with self._context or self._app.app_context():
            exchange = logs.begin(address)
            try:
                answer = entry.endpoint(message)
            except Exception as error:
                if write_lock.is_hurried() and faults.find(error) is Fault.LOCKED:
                    raise WouldWait from error
                return self._fault(error, environ())
            if answer is None:
                return None
            logs.end(exchange, method, entry.name, answer.status)
            headers = [*_own_headers(answer), *entry.headers, ("X-Request-Id", exchange.request_id)]
            return Sent(answer.status, headers, answer.body)

    def _fault(self, error: Exception, environ: dict[str, Any]) -> Sent:
        app = self._app
        with app.request_context(environ):
            answered = app.finalize_request(app.handle_user_exception(error), from_error_handler=True)
            body, _status, headers = answered.get_wsgi_response(environ)
            return Sent(answered.status_code, headers, b"".join(body))


class DirectFirst:
    """A WSGI application in front of Flask's: the short way for whoever can take it."""

    def __init__(self, app: Flask, flask_way: Application) -> None:
        self._direct, self._flask_way = Direct(app), flask_way
        self._largest_body: int = app.config["MAX_CONTENT_LENGTH"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        method: str = environ["REQUEST_METHOD"]
        entry = self._direct.find(method, environ["PATH_INFO"])
        if entry is None or environ.get("SCRIPT_NAME"):
            return self._flask_way(environ, start_response)
        form = _NOTHING_SENT if method == "GET" else _read_form(environ, self._largest_body)
        if form is None:
            return self._flask_way(environ, start_response)
        address = environ.get("REMOTE_ADDR") or ""
        sent = self._direct.respond(entry, method, address, Message.of(environ, form), lambda: environ)
        if sent is None:
            return self._flask_way(environ, start_response)
        start_response(STATUS_LINES[sent.status], sent.headers)
        return [sent.body]


def _own_headers(answer: Answer) -> list[tuple[str, str]]:
    headers = [*answer.headers, ("Cache-Control", answer.cache_control)]
    if answer.status != _NOT_MODIFIED:
        headers.append(("Content-Length", str(len(answer.body))))
    return headers


def _read_form(environ: dict[str, Any], largest: int) -> Fields | None:
    """Return the fields of a plain form; None, with the body still to be read, for whatever Flask should look at."""
    length: str = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE") != FORM or not (length.isdigit() and int(length) <= largest):
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return form_of(body)


def form_of(body: bytes) -> Fields | None:
    """Return the fields of a plain form's body, or None when it is no text."""
    try:
        return fields_of(body.decode())
    except ValueError:
        return None


def fields_of(text: str) -> Fields:
    """Take a query or a form apart as Werkzeug does: bytes that are no text stay escaped."""
    fields: dict[str, list[str]] = {}
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            if "%" in part or "+" in part:
                name, value = _unquoted(name), _unquoted(value)
            fields.setdefault(name, []).append(value)
    return fields


def _unquoted(text: str) -> str:
    return unquote(text.replace("+", " ").encode(), errors="werkzeug.url_quote")  # of bytes it takes half the time
