"""Requests are read before they take a place: one who sends a byte now and then holds up nobody (ATTACKS DS3)."""

import io
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from idp.operations import drain
from idp.places import Places

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

READERS = 256
"""Threads of a process that may wait for a body. They cost next to nothing, and end after half a minute without work.

Whoever opens still more connections at once is the proxy's to turn away, which reads bodies itself.
"""


def admit(application: Application, number: int, largest_body: int) -> Application:
    """Return the application with so many places: a request waits for one only once its body is there, in memory.

    Of a body that is larger than the application takes, only so much is read that it sees that.
    """
    places = Places(number)

    def admitted(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        if (length and length != "0") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = io.BytesIO(_read(environ["wsgi.input"], length, largest_body))
        if drain.begun.is_set():
            start_response = partial(_start_last, start_response)
        places.take()
        try:
            return application(environ, start_response)
        finally:
            places.give_back()

    return admitted


def _start_last(start_response: Any, status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
    """Answer, and say that this connection takes no further request (RFC 9112 section 9.6)."""
    return start_response(status, [*headers, ("Connection", "close")], *error)


def _read(body: Any, length: str | None, largest: int) -> bytes:
    if length and (not length.isdigit() or int(length) > largest):
        return b""  # refused by its length alone
    content: bytes = body.read(largest + 1)
    return content
