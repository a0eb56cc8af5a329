"""The guarded HTTP client: the only way by which the provider calls an address that somebody else has chosen.

HTTPS only and public addresses only, but for what the allow-list names; a name is looked up once, each of its
addresses is checked, and the connection goes to what was checked. No redirects, no proxies, little to read, little
time. (OWASP's Server-Side Request Forgery cheat sheet; RFC 9700 section 4.)
"""

import os
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import httpcore

from idp.web.addresses import PORTS, is_on_allow_list, is_public

LARGEST_ANSWER = 64 * 1024
TOTAL_SECONDS = 10.0
_LONGEST_ADDRESS = 2000

_names = ThreadPoolExecutor(max_workers=8, thread_name_prefix="names")


class CallFailed(Exception):
    """The call came to nothing; the message is in plain words, for whoever registered the address."""


class Refused(CallFailed):
    """The address is one that the provider does not call. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    content_type: str
    body: bytes


def get(
    url: str, *, accept: str = "*/*", seconds: float = TOTAL_SECONDS, headers: Mapping[str, str] | None = None
) -> Answer:
    """Fetch url within so many seconds altogether, with more headers if need be. Raises CallFailed."""
    return _call("GET", url, [("Accept", accept), *(headers or {}).items()], b"", seconds)


def post_form(url: str, fields: dict[str, str], *, seconds: float = TOTAL_SECONDS) -> Answer:
    """Send a form to url within so many seconds altogether. Raises CallFailed."""
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "*/*")]
    return _call("POST", url, headers, urlencode(fields).encode(), seconds)


def _call(method: str, url: str, headers: list[tuple[str, str]], content: bytes, seconds: float) -> Answer:
    parts = _split(url)
    backend = _Backend(time.monotonic() + seconds, allowed=is_on_allow_list(parts))
    sent = [*headers, ("User-Agent", "district-idp"), ("Connection", "close")]
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_tls(os.environ.get("SSL_CERT_FILE")), max_connections=1, network_backend=backend
            ) as pool,
            pool.stream(method, url, headers=sent, content=content) as response,
        ):
            return Answer(response.status, _content_type(response), _read(response))
    except httpcore.TimeoutException:
        raise CallFailed(f"no answer within {seconds:g} seconds") from None
    except httpcore.NetworkError as error:
        raise CallFailed(_in_words(error)) from None
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        raise CallFailed("the answer is no HTTP") from None


def _split(url: str) -> SplitResult:
    """Take an address apart. Raises Refused for one that two readers could understand differently."""
    if len(url) > _LONGEST_ADDRESS or any(not "!" <= character <= "~" or character == "\\" for character in url):
        raise Refused("the address holds signs that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("the address is not well formed") from None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise Refused("the address does not start with https:// and a name")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Refused("the address holds a user or a fragment")
    if parts.scheme != "https" and not is_on_allow_list(parts):
        raise Refused("the address does not start with https://")
    return parts


class _Backend(httpcore.NetworkBackend):
    """Connects to checked addresses only, and ends whatever outlives the deadline."""

    def __init__(self, deadline: float, *, allowed: bool) -> None:
        self._deadline = deadline
        self._allowed = allowed
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # the base class's signature; the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Look the name up, check every address it has, and connect to the first that answers."""
        failed: httpcore.ConnectError | None = None
        for address in self._checked(host, port):
            try:
                stream = self._sockets.connect_tcp(address, port, _left(self._deadline), local_address, socket_options)
            except httpcore.ConnectError as error:
                failed = error
            else:
                return _Stream(stream, self._deadline)
        raise failed or httpcore.ConnectError("no address")

    def _checked(self, host: str, port: int) -> list[str]:
        asked = _names.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            found = asked.result(timeout=_left(self._deadline))
        except TookTooLong:
            raise httpcore.ConnectTimeout from None
        except (OSError, UnicodeError):
            raise CallFailed("the name of the host can't be resolved") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        # One bad address among good ones is how a name is made to point inside, so it spoils them all.
        if not self._allowed and not all(is_public(address) for address in addresses):
            raise Refused("the address is not on the public Internet")
        return addresses


class _Stream(httpcore.NetworkStream):
    """A connection whose every step shares one deadline: a byte now and then does not keep it open."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # the base class's signature
        """Read what has come."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # the base class's signature
        """Send all of it."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # the base class's signature
    ) -> httpcore.NetworkStream:
        """Encrypt it, for the name that was asked for."""
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Tell what the connection below tells."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left


def _read(response: httpcore.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise CallFailed("the answer is too large")
    return bytes(body)


def _content_type(response: httpcore.Response) -> str:
    found = [value for name, value in response.headers if name.lower() == b"content-type"]
    return found[0].decode("latin-1").partition(";")[0].strip().lower() if found else ""


def _in_words(error: httpcore.NetworkError) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate does not count: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return "no encrypted connection came about"
    if isinstance(cause, ConnectionRefusedError):
        return "nothing listens at the address"
    return "the connection failed"


@lru_cache(maxsize=2)
def _tls(_certificates: str | None) -> ssl.SSLContext:
    """Trust what the machine trusts, or the file that SSL_CERT_FILE names; reading it takes long, so once for each."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
