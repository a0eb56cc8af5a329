"""What is true of every page: headers, structure, words, colours."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask
from werkzeug.serving import make_server

from clients import shared
from clients.dashboard import app as dashboard_app
from clients.gradebook import app as gradebook_app
from clients.gradebook import records
from clients.shared.settings import Settings
from tests.clients.stand_in import CLIENT_ID, CLIENT_SECRET, StandIn
from tests.clients.visitor import Page, Visitor
from tests.windows import DESK, PHONE, Chromium, taken, violations

CLIENTS = Path(shared.__file__).parent.parent
PAGES = ["/", "/children/zofia-kowalska", "/login?iss=https://other.example.org", "/callback?state=x", "/nowhere"]
GROUNDS = {"light": "#ffffff", "dark": "#1c221f"}


@pytest.fixture(params=[False, True], ids=["logged out", "logged in"])
def anybody(request: pytest.FixtureRequest, visitor: Visitor) -> Visitor:
    """A visitor, with and without a session."""
    if request.param:
        visitor.log_in("maria.kowalska")
    return visitor


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/theme.css", "/shared/style.css", "/icon.svg", "/logged-out"])
def test_every_answer_carries_the_security_headers(anybody: Visitor, path: str) -> None:
    headers = anybody.get(path).headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert f"form-action 'self' {anybody.provider.issuer}" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_built_as_readers_need_it(anybody: Visitor, path: str) -> None:
    page = anybody.get(path)
    if page.status == 303:
        return
    tags = [tag for tag, _ in page.tags]

    assert tags.count("h1") == 1
    assert tags.count("main") == tags.count("header") == tags.count("footer") == 1
    assert ("html", {"lang": "en"}) in page.tags
    assert ("a", {"class": "skip", "href": "#main"}) in page.tags
    assert "script" not in tags
    assert not [attributes for _, attributes in page.tags if "style" in attributes]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_names_the_application_and_leads_to_the_portal(anybody: Visitor, path: str) -> None:
    page = anybody.get(path)
    if page.status == 303:
        return

    assert "Gradebook" in page.words
    assert ("a", {"href": anybody.provider.issuer + "/"}) in page.tags
    assert _count(page, "Log in") + _count(page, "Log out") == 1


@pytest.mark.parametrize(("method", "path"), [("PUT", "/"), ("GET", "/backchannel-logout"), ("POST", "/callback")])
def test_a_method_that_is_not_meant_is_an_error_of_the_caller(visitor: Visitor, method: str, path: str) -> None:
    assert visitor.client.open(path, method=method).status_code == 405


def test_a_huge_body_is_refused(visitor: Visitor) -> None:
    assert visitor.post("/backchannel-logout", data={"logout_token": "x" * 100_000}).status == 413


def test_a_name_can_not_become_markup(visitor: Visitor, provider: StandIn) -> None:
    provider.userinfo_changes["name"] = "<script>alert(1)</script>"
    visitor.log_in("maria.kowalska")

    assert "<script" not in visitor.get("/").html


def test_the_catalogue_template_holds_every_word() -> None:
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    found = {message for _, _, message, _, _ in extract_from_dir(CLIENTS, methods)}
    with (CLIENTS / "translations" / "messages.pot").open("rb") as file:
        template = {message.id for message in read_po(file) if message.id}

    assert template == found, "make it anew: see clients/README.md"


def _colours() -> Iterator[tuple[str, str, str]]:
    looks = {"gradebook": gradebook_app.LOOK, **records.load().looks}
    for path in sorted((CLIENTS / "dashboard" / "data").glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        yield f"{path.stem}: white on its band", data["colour"], "#ffffff"
        yield f"{path.stem}: on a dark card", data["colour_on_dark"], GROUNDS["dark"]
    for name, look in looks.items():
        yield f"{name}: white on its band", look.colour, "#ffffff"
        yield f"{name}: on a dark card", look.colour_on_dark, GROUNDS["dark"]


@pytest.mark.parametrize(("what", "one", "other"), list(_colours()), ids=lambda value: value if ":" in value else "")
def test_every_colour_can_be_read(what: str, one: str, other: str) -> None:
    assert _contrast(one, other) >= 4.5, what


@pytest.mark.journey
@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (DESK, False)], ids=["phone, dark", "desk, light"])
def test_a_real_browser_finds_no_barrier(
    chromium: Chromium, provider: StandIn, tmp_path: Path, width: int, dark: bool
) -> None:
    with chromium.window(width, dark=dark) as page:
        for name in ("gradebook", "maine-west"):
            with _served(name, provider, tmp_path) as (app, base_url):
                visitor = Visitor(app, provider, base_url)
                visitor.log_in("james.okafor")
                key = app.extensions["relying_party"].session_cookie
                cookie = visitor.client.get_cookie(key)
                assert cookie is not None
                for value, paths in (("", ["/", "/nowhere"]), (cookie.value, ["/", "/children/tobias-okafor"])):
                    page.context.add_cookies([{"name": key, "value": value, "url": base_url}])
                    for path in paths:
                        page.goto(base_url + path)
                        assert violations(page) == []
                        assert taken(page) <= width, path


@contextmanager
def _served(name: str, provider: StandIn, folder: Path) -> Iterator[tuple[Flask, str]]:
    """Serve one of the applications on a port of its own, within this process."""
    server = make_server("127.0.0.1", 0, Flask("empty"), threaded=True)
    base_url = f"http://localhost:{server.port}"
    settings = Settings(provider.issuer, CLIENT_ID, CLIENT_SECRET, base_url, folder)
    match name:
        case "gradebook":
            app = gradebook_app.create_app(settings)
        case _:
            app = dashboard_app.create_app(settings, name)
    server.app = app
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield app, base_url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _count(page: Page, words: str) -> int:
    return len(re.findall(rf">\s*{words}\s*<", page.html))


def _contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
