"""The short way for endpoints that programs call: from method and path to a plain function, past Flask's dispatch.

An endpoint is written once, as a function from Message to Answer, and is reached in two ways: by the table here, when
the request is of the plain kind that libraries send, and by its Flask route for everything else (HEAD, OPTIONS, a wrong
method, a body that is too large or of another type). Both ways give the same answer, id, log line and counters; errors
are always Flask's. An endpoint sets no cookie and draws no page: where one is needed it returns None, having written
nothing, and Flask answers.
"""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, Response, request
from flask.sansio.app import App
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.http import parse_etags
from werkzeug.sansio.http import parse_cookie

from idp.web import csrf, headers, logs
from idp.web.own_address import Application

Fields = Mapping[str, list[str]]
"""What was sent under each name, in its order."""

_NO_MORE: Mapping[str, str] = {}
_FORM = "application/x-www-form-urlencoded"
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Message:
    """A request, as far as an endpoint for programs looks at one."""

    def __init__(self, environ: Mapping[str, Any], form: Fields) -> None:
        self._environ = environ
        self.form = form
        """The fields of a POST's body; nothing else is ever taken for them."""
        self.authorization: str | None = environ.get("HTTP_AUTHORIZATION")

    @cached_property
    def query(self) -> Fields:
        """The fields of the address."""
        return _fields(self._environ.get("QUERY_STRING", ""))

    def cookie(self, name: str) -> str:
        """Return the first cookie of this name, or nothing."""
        sent: str = self._environ.get("HTTP_COOKIE", "")
        return parse_cookie(sent).get(name, "") if name in sent else ""

    def has(self, etag: str) -> bool:
        """Tell whether the client holds the version with this tag (RFC 9110 section 13.1.2)."""
        condition = self._environ.get("HTTP_IF_NONE_MATCH")
        return condition is not None and parse_etags(condition).contains_weak(etag.strip('"'))


@dataclass(frozen=True, slots=True)
class Answer:
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


Table = dict[tuple[str, str], Entry]


def table_of(app: App) -> Table:
    """Return the endpoints of an application by method and path."""
    table: Table = app.extensions.setdefault("idp_direct", {})
    return table


def route(
    blueprint: Blueprint, path: str, endpoint: Endpoint, methods: Iterable[str], more: Mapping[str, str] = _NO_MORE
) -> None:
    """Give a blueprint an endpoint on both ways, named as its function is; its answers have some more headers."""

    @csrf.exempt
    def view() -> Response:
        answer = endpoint(Message(request.environ, request.form.to_dict(flat=False)))
        if answer is None:
            raise TypeError("an endpoint that may need a page has a view of its own, and a shortcut")
        return response(answer)

    name = endpoint.__name__
    blueprint.add_url_rule(path, name, view, methods=list(methods))
    shortcut(blueprint, path, endpoint, methods, view=name, more=more)


def shortcut(
    blueprint: Blueprint,
    path: str,
    endpoint: Endpoint,
    methods: Iterable[str],
    *,
    view: str,
    more: Mapping[str, str] = _NO_MORE,
) -> None:
    """Give a view of a blueprint a short way: an endpoint that answers when no page is needed."""

    def enter(state: BlueprintSetupState) -> None:
        app = state.app
        fixed = headers.for_programs(app.config["IDP"], more)
        for method in methods:
            table_of(app)[method, path] = Entry(f"{blueprint.name}.{view}", endpoint, fixed)

    blueprint.record(enter)


def response(answer: Answer) -> Response:
    """Return an answer on Flask's way."""
    made = Response(answer.body, answer.status, _own_headers(answer))
    if not any(name == "Content-Type" for name, _value in answer.headers):
        del made.headers["Content-Type"]  # Flask's default is a page's
    return made


class Direct:
    """A WSGI application in front of Flask's."""

    def __init__(self, app: Flask, flask_way: Application) -> None:
        self._app, self._flask_way = app, flask_way
        self._table = table_of(app)
        self._largest_body: int = app.config["MAX_CONTENT_LENGTH"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        entry = self._table.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if entry is None or environ.get("SCRIPT_NAME"):
            return self._flask_way(environ, start_response)
        form = {} if environ["REQUEST_METHOD"] == "GET" else _read_form(environ, self._largest_body)
        if form is None:
            return self._flask_way(environ, start_response)
        with self._app.app_context():
            exchange = logs.begin(environ.get("REMOTE_ADDR") or "")
            try:
                answer = entry.endpoint(Message(environ, form))
            except Exception as error:  # noqa: BLE001  whatever it is, Flask's handlers make a page of it
                return self._fault(error, environ, start_response)
            if answer is not None:
                logs.end(exchange, environ["REQUEST_METHOD"], entry.name, answer.status)
                sent = [*_own_headers(answer), *entry.headers, ("X-Request-Id", exchange.request_id)]
                start_response(_STATUS_LINES[answer.status], sent)
                return [answer.body]
        return self._flask_way(environ, start_response)

    def _fault(self, error: Exception, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        app = self._app
        with app.request_context(environ):
            answered = app.finalize_request(app.handle_user_exception(error), from_error_handler=True)
            return answered(environ, start_response)


def _own_headers(answer: Answer) -> list[tuple[str, str]]:
    headers = [*answer.headers, ("Cache-Control", answer.cache_control)]
    if answer.status != HTTPStatus.NOT_MODIFIED:
        headers.append(("Content-Length", str(len(answer.body))))
    return headers


def _read_form(environ: dict[str, Any], largest: int) -> Fields | None:
    """Return the fields of a plain form; None, with the body still to be read, for whatever Flask should look at."""
    length: str = environ.get("CONTENT_LENGTH") or ""
    if environ.get("CONTENT_TYPE") != _FORM or not (length.isdigit() and int(length) <= largest):
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        return _fields(body.decode())
    except ValueError:
        return None


def _fields(text: str) -> Fields:
    """Take a query or a form apart as Werkzeug does: bytes that are no text stay escaped."""
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote"):
        fields.setdefault(name, []).append(value)
    return fields
