"""A parent's browser at one of the applications, and what it makes of a page."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.clients.stand_in import StandIn

BASE_URL = "http://localhost:5001"


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@dataclass(frozen=True)
class Page:
    """An answer as a person meets it."""

    status: int
    words: str
    html: str
    tags: list[tuple[str, dict[str, str | None]]]
    headers: dict[str, str]

    @property
    def location(self) -> str:
        """Where the answer sends the browser."""
        return self.headers["Location"]

    @property
    def form_token(self) -> str:
        """What the log-out form carries."""
        found = re.search(r'name="form_token" value="([^"]+)"', self.html)
        assert found, self.words
        return found[1]


class Visitor:
    """A browser with its own cookies."""

    def __init__(self, app: Flask, provider: StandIn, base_url: str = BASE_URL) -> None:
        self.provider = provider
        self.base_url = base_url
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **more: Any) -> Page:
        """Open a page, following nothing."""
        return _read(self.client.get(path, base_url=self.base_url, **more))

    def post(self, path: str, **more: Any) -> Page:
        """Send a form."""
        return _read(self.client.post(path, base_url=self.base_url, **more))

    def start_log_in(self, query: str = "") -> str:
        """Press "Log in": the provider's address to which that leads."""
        return self.get("/login" + query).location

    def come_back(self, query: str) -> Page:
        """Return from the provider."""
        return self.get("/callback?" + query)

    def log_in(self, username: str = "maria.kowalska", query: str = "", **claims: Any) -> Page:
        """Log in, all the way."""
        return self.come_back(self.provider.authorize(self.start_log_in(query), username, **claims))

    def is_logged_in(self) -> bool:
        """Whether the start page offers to log out."""
        return "Log out" in self.get("/").words

    def back_channel(self, token: str) -> Page:
        """Be the provider, and tell of a log-out."""
        return self.post("/backchannel-logout", data={"logout_token": token})


def _read(response: TestResponse) -> Page:
    parser = _Words()
    html = response.get_data(as_text=True)
    parser.feed(html)
    response.close()
    return Page(
        response.status_code, " ".join(" ".join(parser.words).split()), html, parser.tags, dict(response.headers)
    )
