"""What comes back from a request that a test sends byte by byte, and a browser's jar of cookies."""

import re
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlsplit

URLENCODED = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's first value."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def location(self) -> str:
        """Return where it redirects to, or nothing."""
        return self.header("location") or ""

    @property
    def query(self) -> dict[str, str]:
        """Return the query of where it redirects to."""
        return dict(parse_qsl(urlsplit(self.location).query, keep_blank_values=True))

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()

    def hidden(self, name: str) -> str:
        """Return what a hidden field of the page holds, or nothing."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return found[1] if found else ""


def keep_cookies(jar: dict[str, str], answer: Answer) -> None:
    """Put what an answer sets into a browser's jar, and take out what it takes back."""
    for name, value in answer.headers:
        if name.lower() == "set-cookie":
            for key, morsel in SimpleCookie(value).items():
                if morsel["max-age"] == "0":
                    jar.pop(key, None)
                else:
                    jar[key] = morsel.value


def cookie_header(jar: dict[str, str]) -> str:
    """Return what a browser with this jar sends."""
    return "; ".join(f"{name}={value}" for name, value in jar.items())
