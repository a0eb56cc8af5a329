"""The address that a request is for: the one that is configured, whatever a Host header says."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, urlsplit

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
"""A WSGI application (PEP 3333)."""

_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class OwnAddress:
    """Passes requests on as requests to the issuer's address.

    No link, no redirect and no cookie can then be made from what a browser or a cache was tricked into sending, and
    no Host is too odd to be answered. A query's raw bytes are escaped, as every browser does, so that it is text.
    """

    def __init__(self, application: Application, issuer: str) -> None:
        self._application = application
        parts = urlsplit(issuer)
        self._scheme, self._host = parts.scheme, parts.netloc

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        environ["HTTP_HOST"], environ["wsgi.url_scheme"] = self._host, self._scheme
        query = environ.get("QUERY_STRING", "")
        if not query.isascii():
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=_ASCII)
        return self._application(environ, start_response)
