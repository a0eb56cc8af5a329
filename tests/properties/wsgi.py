"""Visitors below HTTP: they send bytes into what a server admits, and hold each answer to what always holds."""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from tests.answers import URLENCODED, Answer, cookie_header, keep_cookies

ISSUER = "http://localhost:5000"
MARK = "marked<\"'&ended"

# Each of the mark's signs as it is, behind those before it as they have to be.
_ECHO = re.compile(r"""marked(?:<|&lt;"|&lt;&#34;'|&lt;&#34;&#39;&ended)""")
_INSIDE = ("Traceback", "sqlalchemy", "psycopg", "sqlite3", "site-packages", "werkzeug")
_ADDED = {"code", "error", "error_description", "state", "iss"}

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
Pairs = Sequence[tuple[str, str]]


@dataclass
class Judge:
    """Looks at each answer, and counts them."""

    addresses: tuple[str, ...]
    """Patterns of the registered addresses."""
    counted: Counter[str] = field(default_factory=Counter)

    def look(self, path: str, answer: Answer) -> Answer:
        """Fail unless what holds for every answer holds for this one: ASVS 3.4, RFC 6749 4.1.2.1, RFC 9207."""
        self.counted[f"{path} {answer.status}"] += 1
        headers = {name.lower(): value for name, value in answer.headers}
        assert answer.status < 500, answer
        assert "frame-ancestors 'none'" in headers["content-security-policy"], answer
        assert headers["x-content-type-options"] == "nosniff", answer
        assert headers["referrer-policy"] in {"same-origin", "no-referrer"}, answer
        assert headers["cross-origin-opener-policy"] == "same-origin", answer
        assert "cache-control" in headers, answer
        assert not [value for _, value in answer.headers if not value.isprintable()], answer
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(value.split("; ")), value
        self._judge_location(path, answer)
        self._judge_body(path, answer, headers.get("content-type", ""))
        return answer

    def _judge_location(self, path: str, answer: Answer) -> None:
        location = answer.location
        if not location:
            assert answer.status not in {301, 302, 303, 307, 308}
            return
        assert all("!" <= character <= "~" and character not in "<>\"'\\" for character in location), location
        if location.startswith("/"):
            assert location[1:2] not in {"/", "\\"}, location
            return
        address = next((found[0] for one in self.addresses if (found := re.match(one, location))), None)
        assert address is not None, location
        added = parse_qsl(location.removeprefix(address).lstrip("?&"), keep_blank_values=True, strict_parsing=True)
        names = [name for name, _ in added]
        assert set(names) <= _ADDED, location
        assert len(names) == len(set(names)), location
        if path == "/logout":
            assert set(names) <= {"state"}, location
        else:
            assert dict(added).get("iss") == ISSUER, location
            assert ("code" in names) != ("error" in names), location
            self.counted["code" if "code" in names else f"error {dict(added)['error']}"] += 1

    def _judge_body(self, path: str, answer: Answer, content_type: str) -> None:
        told = answer.body.decode()
        assert not [word for word in _INSIDE if word in told], answer
        if content_type.startswith("text/html"):
            assert not _ECHO.search(told), answer
        elif path != "/oauth/userinfo":  # where it is a person's name, as JSON
            assert MARK[:7] not in told, answer


@dataclass
class Visitor:
    """A browser or a program, with a jar of cookies."""

    application: Application
    judge: Judge
    address: str = "192.0.2.1"
    jar: dict[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        query: str = "",
        body: bytes | None = None,
        *,
        kind: str = URLENCODED,
        headers: Pairs = (),
    ) -> Answer:
        """Send one request; query and headers are bytes, written as Latin-1."""
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "5000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.address,
            "HTTP_HOST": "localhost:5000",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body or b""),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
        }
        if self.jar:
            environ["HTTP_COOKIE"] = cookie_header(self.jar)
        if body is not None:
            environ |= {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body))}
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
        answer = self._run(environ)
        if not any(name == "Cookie" for name, _ in headers):  # which was then somebody else's
            keep_cookies(self.jar, answer)
        return self.judge.look(path, answer)

    def get(self, path: str, pairs: Pairs = ()) -> Answer:
        """Open a page."""
        return self.send("GET", path, encoded(pairs))

    def post(self, path: str, pairs: Pairs, *, headers: Pairs = ()) -> Answer:
        """Send a form."""
        return self.send("POST", path, body=encoded(pairs).encode("latin-1"), headers=headers)

    def follow(self, answer: Answer) -> Answer:
        """Go on as long as it leads to a page of this site."""
        for _ in range(5):
            if not answer.location.startswith("/"):
                return answer
            path, _, query = answer.location.partition("?")
            answer = self.send("GET", path, query)
        raise AssertionError(f"it redirects without end, lately to {answer.location}")

    def log_in(self, username: str, password: str) -> Answer:
        """Fill in the log-in page."""
        token = self.get("/login").hidden("csrf_token")
        return self.post("/login", [("csrf_token", token), ("username", username), ("password", password)])

    def _run(self, environ: dict[str, Any]) -> Answer:
        started: list[Any] = []
        chunks = self.application(environ, lambda status, headers, _error=None: started.extend((status, headers)))
        try:
            body = b"".join(chunks)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        return Answer(int(started[0].split()[0]), tuple(started[1]), body)


def encoded(pairs: Pairs) -> str:
    """Return parameters as a browser writes them, half characters included."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
