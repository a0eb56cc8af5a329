"""Pages as a person meets them: fields are found by their labels, buttons and links by their words."""

import contextvars
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from urllib.parse import parse_qsl, urljoin, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import elements
from tests.elements import Element

_FIELDS = ("input", "select", "textarea")


class Page:
    """What the server answered."""

    def __init__(self, response: TestResponse, path: str) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.body = response.get_data()
        response.close()
        self.path = path
        """The path and query that were asked for."""

    @property
    def location(self) -> str | None:
        """Where the answer redirects to."""
        return self.headers.get("Location")

    @property
    def query(self) -> dict[str, str]:
        """The query of the address that the answer redirects to."""
        return dict(parse_qsl(urlsplit(self.location or "").query, keep_blank_values=True))

    @property
    def text(self) -> str:
        """The body as it was sent."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @cached_property
    def root(self) -> Element:
        """The page's elements."""
        return elements.read(self.text)

    @property
    def words(self) -> str:
        """All that can be read on the page, its blocks kept apart by bars."""
        return self.root.words

    @property
    def title(self) -> str:
        """The title that the browser's tab shows."""
        return next((" ".join(element.raw.split()) for element in self.root.all("title")), "")

    @property
    def links(self) -> dict[str, str]:
        """The links: their words, and where they lead."""
        return {_name(link): link.get("href") or "" for link in self.root.all("a")}

    @property
    def buttons(self) -> list[str]:
        """The words on the buttons."""
        return [_name(button) for button in self._buttons()]

    @property
    def fields(self) -> list[str]:
        """The labels of the fields that can be seen."""
        return [self._label(item) for item in self.root.all(*_FIELDS) if _is_seen(item)]

    def value(self, label: str) -> str:
        """Return what a field holds."""
        return _value(self.field(label)) or ""

    def field(self, label: str) -> Element:
        """Return the one field with this label."""
        found = [item for item in self.root.all(*_FIELDS) if _is_seen(item) and self._label(item) == label]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} fields named {label!r}; the page has {self.fields}: {self.words}")
        return found[0]

    def error(self, label: str) -> str:
        """Return the words that describe a field: its hint, and what is wrong with it."""
        wanted = (self.field(label).get("aria-describedby") or "").split()
        return " ".join(element.words for element in self.root.all() if element.get("id") in wanted)

    def form_of(self, button: str, filled: Mapping[str, Any]) -> tuple[Element, Element]:
        """Return the button with these words and its form: the one that has the fields that were filled in."""
        found = [item for item in self._buttons() if _name(item) == button]
        if len(found) > 1 and filled:
            inputs = [self.field(label) for label in filled]
            found = [item for item in found if all(self._form(entry) is self._form(item) for entry in inputs)]
        form = self._form(found[0]) if len(found) == 1 else None
        if form is None:
            raise AssertionError(f"{len(found)} buttons {button!r}; the page has {self.buttons}: {self.words}")
        return found[0], form

    def controls(self, form: Element) -> list[Element]:
        """Return the fields that are sent with a form."""
        return [item for item in self.root.all(*_FIELDS) if self._form(item) is form and item.get("name")]

    def _form(self, item: Element) -> Element | None:
        if (owner := item.get("form")) is not None:
            return next((form for form in self.root.all("form") if form.get("id") == owner), None)
        return item.above("form")

    def _buttons(self) -> list[Element]:
        return [
            item
            for item in self.root.all("button", "input")
            if item.get("type") not in {"button", "reset"} and (item.tag == "button" or item.get("type") == "submit")
        ]

    def _label(self, item: Element) -> str:
        if spoken := item.get("aria-label"):
            return spoken
        labels = [label for label in self.root.all("label") if item.get("id") and label.get("for") == item.get("id")]
        around = item.above("label")
        return next((label.words for label in [*labels, *([around] if around else [])]), "")


def _is_seen(item: Element) -> bool:
    return item.get("type") not in {"hidden", "submit", "button", "image", "reset"}


def _name(item: Element) -> str:
    return item.get("aria-label") or item.words or item.get("value") or ""


def _value(item: Element) -> str | None:
    """What a field sends, or None when it sends nothing."""
    if item.get("disabled") is not None:
        return None
    if item.tag == "textarea":
        return item.raw.removeprefix("\n")
    if item.tag == "select":
        options = list(item.all("option"))
        chosen = [option for option in options if option.get("selected") is not None] or options[:1]
        return _option_value(chosen[0]) if chosen else None
    if item.get("type") in {"checkbox", "radio"}:
        return item.attributes.get("value", "on") if item.get("checked") is not None else None
    return item.attributes.get("value", "")


def _option_value(option: Element) -> str:
    return option.attributes.get("value", option.words)


def _entered(item: Element, value: str | bool) -> str | None:
    """What a field sends after a person has filled it in: a tick, a choice by its words, or a text."""
    if item.get("type") in {"checkbox", "radio"}:
        return item.attributes.get("value", "on") if value else None
    assert isinstance(value, str)
    if item.tag == "select":
        options = {option.words: _option_value(option) for option in item.all("option")}
        if value not in options:
            raise AssertionError(f"no choice {value!r} among {list(options)}")
        return options[value]
    return value


class SeparateClient(FlaskClient):
    """Sends requests as from outside: what the test has open (its context, its transaction) is not the request's."""

    def open(self, *args: Any, **options: Any) -> TestResponse:
        """Send one request."""
        return contextvars.Context().run(super().open, *args, **options)


@dataclass
class Browser:
    """A browser without JavaScript: it keeps cookies, and goes on to where it is sent only when it is told to."""

    client: FlaskClient
    origin: str
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    _page: Page | None = None
    _filled: dict[str, str | bool] = field(default_factory=dict)

    @property
    def page(self) -> Page:
        """The page that is open."""
        assert self._page is not None, "no page is open"
        return self._page

    @property
    def status(self) -> int:
        """The status of the page that is open."""
        return self.page.status

    @property
    def words(self) -> str:
        """What can be read on the page that is open."""
        return self.page.words

    @property
    def location(self) -> str | None:
        """Where the page that is open redirects to."""
        return self.page.location

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it would send now."""
        kept = self.client._cookies or {}  # noqa: SLF001  the client has no other way to list them
        return {cookie.key: cookie.value for cookie in kept.values()}

    def send(self, method: str, path: str, **options: Any) -> Page:
        """Send any request, as werkzeug's client takes it (data, json, query_string, headers), and show the answer."""
        headers = self.headers | dict(options.pop("headers", {}))
        environ = {"REMOTE_ADDR": self.address} | options.pop("environ_overrides", {})
        response = self.client.open(
            path, method=method, base_url=self.origin, headers=headers, environ_overrides=environ, **options
        )
        self._page, self._filled = Page(response, path), {}
        return self._page

    def open(self, path: str, *, follow: bool = False, **query: str) -> Page:
        """Open an address of this site."""
        self.send("GET", path, query_string=query or None, headers={"Sec-Fetch-Site": "none"})
        return self.follow_all() if follow else self.page

    def fill(self, label: str, value: str) -> Self:
        """Fill in a field: a text, or a choice by its words."""
        self.page.field(label)
        self._filled[label] = value
        return self

    def tick(self, label: str) -> Self:
        """Tick a box, or choose one of several."""
        self.page.field(label)
        self._filled[label] = True
        return self

    def untick(self, label: str) -> Self:
        """Take a tick away."""
        self.page.field(label)
        self._filled[label] = False
        return self

    def press(self, button: str, *, follow: bool = False) -> Page:
        """Press a button, which sends its form with all that was filled in."""
        pressed, form = self.page.form_of(button, self._filled)
        data = self._data(form)
        if name := pressed.get("name"):
            data.append((name, pressed.get("value") or ""))
        target = urljoin(self.origin + self.page.path, pressed.get("formaction") or form.get("action") or "")
        if not target.startswith(self.origin + "/"):
            raise AssertionError(f"the form goes elsewhere: {target}")
        path = target.removeprefix(self.origin)
        if (form.get("method") or "get").lower() == "get":
            self.send("GET", path.partition("?")[0], query_string=_multiple(data))
        else:
            same_site = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
            self.send("POST", path, data=_multiple(data), headers=same_site)
        return self.follow_all() if follow else self.page

    def click(self, link: str, *, follow: bool = False) -> Page:
        """Click a link of this site."""
        if link not in self.page.links:
            raise AssertionError(f"no link {link!r}; the page has {list(self.page.links)}: {self.words}")
        target = urljoin(self.origin + self.page.path, self.page.links[link])
        return self.open(self._local(target), follow=follow)

    def follow(self) -> Page:
        """Go to where the answer redirects to, which has to be on this site."""
        assert self.location is not None, f"no redirect but {self.status}: {self.words}"
        return self.open(self._local(urljoin(self.origin + self.page.path, self.location)))

    def follow_all(self) -> Page:
        """Go on until there is a page, or a redirect that leaves this site."""
        for _ in range(10):
            there = urljoin(self.origin + self.page.path, self.location or "")
            if self.location is None or not there.startswith(self.origin + "/"):
                return self.page
            self.follow()
        raise AssertionError(f"it redirects without end, lately to {self.location}")

    def log_in(self, username: str, password: str, *, shared_computer: bool = False, path: str = "/login") -> Page:
        """Fill in the log-in page (the one that is open, or the one at path) and press its button."""
        if self._page is None or "Username" not in self._page.fields:
            self.open(path)
        self.fill("Username", username).fill("Password", password)
        if shared_computer:
            self.tick("This is a shared computer")
        return self.press("Log In")

    def _data(self, form: Element) -> list[tuple[str, str]]:
        """What the form sends: the fields as the page gave them, and over them what was filled in."""
        entered = [(self.page.field(label), value) for label, value in self._filled.items()]
        data = []
        for item in self.page.controls(form):
            if item.get("type") in {"submit", "button", "image", "reset", "file"}:
                continue
            given = next((value for control, value in entered if control is item), None)
            value = _value(item) if given is None else _entered(item, given)
            is_other_radio = (
                item.get("type") == "radio"
                and given is None
                and any(control.get("name") == item.get("name") for control, _ in entered)
            )
            if value is not None and not is_other_radio:
                data.append((item.get("name") or "", value))
        return data

    def _local(self, target: str) -> str:
        if not target.startswith(self.origin + "/"):
            raise AssertionError(f"this leads elsewhere: {target}")
        return target.removeprefix(self.origin)


def _multiple(data: list[tuple[str, str]]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for name, value in data:
        gathered.setdefault(name, []).append(value)
    return gathered
