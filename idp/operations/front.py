"""The provider behind granian (RSGI): what programs call is answered at once, and pages on threads.

A process has one loop that takes every request. What is short is answered by it, without another thread that would have
to wait for the interpreter: ready answers always, and the endpoints of `web/direct.py` on SQLite, where a statement
takes microseconds. A write lock that is held is not waited for there: such a request goes to a thread. So does every
page, and everything on PostgreSQL, which answers over a network.
"""

import asyncio
import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from flask import Flask
from granian._granian import RSGIHTTPProtocol, RSGIProtocolClosed
from granian.rsgi import Scope
from werkzeug.http import parse_list_header

from idp import turns, write_lock
from idp.database import LastingUnit, db, release
from idp.operations import drain, eager, intake
from idp.web.direct import FORM, Direct, Entry, Fields, Message, Sent, form_of
from idp.write_lock import WouldWait

BODY_SECONDS = 60.0
"""How long a body may take to come; one who sends a byte now and then costs a connection, and no thread."""
_THREADS = 128
"""More than may wait for a password's hash (`accounts/fair_queue.py`): those have lent their places to the others."""
_FORWARDING = {"x-forwarded-for", "forwarded"}
_CLOSE = ("Connection", "close")
_NO_FORM: Fields = {}
_TOO_LATE = Sent(408, [_CLOSE], b"")


class Front:
    """An RSGI application: the short way, and a bridge to Flask's."""

    def __init__(self, app: Flask) -> None:
        settings = app.config["IDP"].server
        self._direct = Direct(app, _Standing(app))
        self._application = intake.admit(app.wsgi_app, settings.threads)
        self._proxies: int = settings.trusted_proxies
        self._largest: int = app.config["MAX_CONTENT_LENGTH"]
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="page", initializer=turns.interrupt_others)
        with app.app_context():
            self._is_near = db.engine.dialect.name == "sqlite"

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the loop take first steps at once, and its thread wait for nobody; granian's own are made by then."""
        loop.call_soon(turns.interrupt_others)
        loop.set_task_factory(eager.begin)

    async def __rsgi__(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        """Answer one request."""
        method = scope.method
        entry = self._direct.find(method, scope.path)
        sent: Sent | None = None
        if entry is not None and method == "GET" and (entry.is_ready or self._is_near):
            sent = self._at_once(entry, scope, method)
        if sent is None:
            try:
                sent = await self._later(entry, scope, protocol)
            except RSGIProtocolClosed:
                return  # whoever asked has gone before the body was there
        headers = [*sent.headers, _CLOSE] if drain.begun.is_set() else sent.headers
        protocol.response_bytes(sent.status, headers, sent.body)

    async def _later(self, entry: Entry | None, scope: Scope, protocol: RSGIHTTPProtocol) -> Sent:
        """Answer what has a body to be read, or needs a thread."""
        try:
            body = await _body(scope, protocol, self._largest)
        except TimeoutError:
            return _TOO_LATE
        if entry is not None and self._is_near and _is_plain_form(scope, body):
            form = form_of(body)
            sent = self._at_once(entry, scope, "POST", form, body) if form is not None else None
            if sent is not None:
                return sent
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, _through_wsgi, self._application, environ_of(scope, body)
        )

    def _at_once(
        self, entry: Entry, scope: Scope, method: str, form: Fields = _NO_FORM, body: bytes = b""
    ) -> Sent | None:
        """Answer on the loop itself, or return None, having written nothing, for what a thread has to do."""
        query, pairs = scope.query_string, scope.headers.items()
        headers = dict(pairs)
        if len(headers) != len(pairs) or not query.isascii():
            return None
        get = headers.get
        message = Message(query, form, get("authorization"), get("cookie", ""), get("if-none-match"))
        address = _vouched_for(get("x-forwarded-for", ""), self._proxies) or _peer(scope)
        try:
            return self._direct.respond(entry, method, address, message, lambda: environ_of(scope, body))
        except WouldWait:
            return None


class _Standing:
    """The loop's application context, pushed once; each request that it answers finds it as if it were new.

    It belongs to the thread that makes this, and to what is started from there: granian's loop, which may not wait.
    """

    def __init__(self, app: Flask) -> None:
        self._context = app.app_context()
        self._context.push()
        self._globals = app.app_ctx_globals_class
        self._unit = LastingUnit(db.engine)

    def __enter__(self) -> None:
        """Begin with nothing."""
        self._context.g = begun = self._globals()
        self._unit.join(begun)
        write_lock.hurry(is_on=True)

    def __exit__(self, *_error: object) -> None:
        """Leave nothing behind."""
        try:
            release()
        finally:
            write_lock.hurry(is_on=False)


async def _body(scope: Scope, protocol: RSGIHTTPProtocol, largest: int) -> bytes:
    """Return a request's body; of one that is larger than the application takes, only so much that it sees that."""
    length = scope.headers.get("content-length")
    if length is None and "transfer-encoding" not in scope.headers:
        return b""
    if length == "0" or (length is not None and not (length.isdigit() and int(length) <= largest)):
        return b""  # refused by its length alone
    if length is not None:
        return await _in_time(cast("asyncio.Future[bytes]", protocol()))  # as granian's are used by asyncio
    await asyncio.sleep(0)  # from here on there is a task, which asyncio's own timeout asks for
    async with asyncio.timeout(BODY_SECONDS):
        read = bytearray()
        async for chunk in protocol:
            read += chunk
            if len(read) > largest:
                break
        return bytes(read)


async def _in_time(body: "asyncio.Future[bytes]") -> bytes:
    """Return a body when all of it is there. Raises TimeoutError when that takes too long."""
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = body.cancel()

    timer = asyncio.get_running_loop().call_later(BODY_SECONDS, give_up)
    try:
        return await body
    except asyncio.CancelledError:
        if is_late:
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()


def _is_plain_form(scope: Scope, body: bytes) -> bool:
    """Tell whether a body is what libraries send; of one that was refused by its length nothing is here."""
    get = scope.headers.get
    return scope.method == "POST" and get("content-type") == FORM and get("content-length") == str(len(body))


def environ_of(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return the WSGI environment of a request (PEP 3333); a header that is there twice is one list."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _latin(scope.path),
        "QUERY_STRING": _latin(scope.query_string),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": scope.server.rpartition(":")[2],
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": _peer(scope),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    # Of bytes that are no text nothing is left. That there was a header must still be seen: it may be a proxy's.
    sent: dict[str, list[str]] = {name: [] for name in scope.headers.keys()}  # noqa: SIM118  granian's own mapping
    for name, value in scope.headers.items():
        sent[name].append(value)
    for name, values in sent.items():
        _add_header(environ, name, values)
    if environ.pop("HTTP_TRANSFER_ENCODING", None) is not None:
        environ["CONTENT_LENGTH"] = str(len(body))  # it has been put together
    return environ


def _add_header(environ: dict[str, Any], name: str, values: list[str]) -> None:
    """Add a header, under no name that another one could have.

    An underscore reads like a hyphen there: a header that a proxy does not know could be taken for the one that it set.
    """
    if "_" in name:
        if name.replace("_", "-") in _FORWARDING:
            environ.setdefault("HTTP_FORWARDED", "for=unknown")  # somebody forwards, and nobody vouches for it
        return
    value = ("; " if name == "cookie" else ",").join(values) if values else "?"
    key = name.upper().replace("-", "_")
    environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value


def _through_wsgi(application: intake.Application, environ: dict[str, Any]) -> Sent:
    """Let a WSGI application answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], None]:
        started.append((status, headers))
        return _refuse_to_write

    content = application(environ, start_response)
    try:
        body = b"".join(content)
    finally:
        if hasattr(content, "close"):
            content.close()
    status, headers = started[-1]
    return Sent(int(status[:3]), headers, body)


def _refuse_to_write(_chunk: bytes) -> None:
    raise NotImplementedError("what WSGI's old write() is for is returned here")


def _vouched_for(forwarded: str, proxies: int) -> str | None:
    """Return the address that so many proxies vouch for, as Werkzeug's ProxyFix finds it."""
    if not proxies or not forwarded:
        return None
    said = parse_list_header(forwarded)
    return said[-proxies] if len(said) >= proxies else None


def _peer(scope: Scope) -> str:
    return scope.client.rpartition(":")[0].strip("[]")


def _latin(text: str) -> str:
    """Return text as WSGI has it: a character for each byte."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")
