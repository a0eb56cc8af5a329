"""A parent's old phone: little is sent, and what can be kept is sent once."""

import gzip

from tests.elements import Element
from tests.pages import Browser, Page


def test_every_file_of_a_page_has_its_version_in_its_address(browser: Browser) -> None:
    for address in _files(browser.open("/login")):
        assert "?v=" in address

        answer = browser.open(address)

        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_file_without_its_version_is_asked_for_again(browser: Browser) -> None:
    assert "immutable" not in browser.open("/static/theme.css").headers["Cache-Control"]


def test_a_file_that_is_not_there_is_not_remembered_as_missing(browser: Browser) -> None:
    assert browser.open("/static/nothing.css?v=1").headers["Cache-Control"] == "no-store"


def test_the_log_in_page_and_all_it_loads_weigh_little(browser: Browser) -> None:
    page = browser.open("/login")

    sent = sum(len(_compressed(browser, address).body) for address in _files(page))

    assert len(page.body) < 5_000
    assert sent < 40_000


def test_a_compressed_file_is_the_same_file(browser: Browser) -> None:
    address = next(address for address in _files(browser.open("/login")) if "/static/theme.css" in address)

    plain, compressed = browser.open(address), _compressed(browser, address)

    assert compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(compressed.body) == plain.body


def test_a_page_is_never_compressed_since_it_holds_secrets(browser: Browser) -> None:
    assert "Content-Encoding" not in _compressed(browser, "/login").headers


def test_a_part_of_a_file_is_a_part_of_the_plain_one(browser: Browser) -> None:
    address = next(address for address in _files(browser.open("/login")) if "/static/theme.css" in address)

    part = browser.send("GET", address, headers={"Range": "bytes=0-9", "Accept-Encoding": "gzip"})

    assert part.status == 206
    assert part.body == browser.open(address).body[:10]


def test_nothing_comes_from_another_site(browser: Browser) -> None:
    for path in ("/login", "/help", "/nowhere"):
        assert all(address.startswith("/") for address in _files(browser.open(path)))


def test_no_page_has_style_or_script_of_its_own(browser: Browser) -> None:
    for path in ("/login", "/help", "/nowhere"):
        elements = list(browser.open(path).root.all())

        assert not [item for item in elements if item.tag == "style" or "style" in item.attributes]
        assert not [item for item in elements if item.tag == "script" and not item.get("src")]
        assert not [item for item in elements if any(name.startswith("on") for name in item.attributes)]


def _compressed(browser: Browser, address: str) -> Page:
    return browser.send("GET", address, headers={"Accept-Encoding": "gzip, br"})


def _files(page: Page) -> list[str]:
    addresses = [_address(item) for item in page.root.all("link", "script", "img")]
    return [address for address in addresses if address and not address.startswith("data:")]


def _address(item: Element) -> str:
    return item.get("href") or item.get("src") or ""
