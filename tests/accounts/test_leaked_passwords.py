"""R50: a stolen password is refused where a setting says what to look it up in; a service that is down stops nobody."""

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client import parser as metrics_parser

from idp import clock
from idp.accounts import breached
from idp.database import db
from idp.operations import doctor
from idp.operations.finding import OK, PROBLEM
from idp.web import metrics
from tests import servers
from tests.factories import Person
from tests.listeners import Handler, listening
from tests.pages import Browser, Page

pytestmark = pytest.mark.one_database

LEAKED = "willow-harbour-29-lantern"
FRESH = "nettle-orbit-63-kettle"


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@dataclass
class Service:
    """A service of ranges on this machine, which notes what it was asked."""

    leaked: set[str] = field(default_factory=lambda: {LEAKED, "password"})
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    delay: float = 0
    in_transaction: list[bool] = field(default_factory=list)
    port: int = 0

    def range_of(self, prefix: str) -> bytes:
        lines = [f"{sha1(one)[5:]}:7" for one in self.leaked if sha1(one).startswith(prefix)]
        padding = [f"{random.getrandbits(140):035X}:0" for _ in range(20)]
        return "\r\n".join(lines + padding).encode()


@pytest.fixture
def service() -> Iterator[Service]:
    told = Service()

    class Ranges(Handler):
        def answer(self) -> None:
            told.asked.append((self.path, dict(self.headers)))
            time.sleep(told.delay)
            self.say(told.status, told.range_of(self.path[-5:]) if told.body is None else told.body)

    with listening(Ranges) as told.port:
        yield told


@pytest.fixture
def look_in(app: Flask) -> Callable[[str], None]:
    """Set what new passwords are looked up in."""

    def chosen(source: str) -> None:
        configured = app.config["IDP"]
        server = replace(configured.server, outbound_allowed=(re.sub(r"(:\d+)/.*", r"\1", source),))
        app.config["IDP"] = replace(configured, server=server, passwords=replace(configured.passwords, breached=source))

    return chosen


@pytest.fixture
def at_service(service: Service, look_in: Callable[[str], None]) -> Service:
    look_in(f"http://127.0.0.1:{service.port}/range/")
    return service


def _file(path: Path, passwords: set[str], end: str = "\r\n") -> Path:
    path.write_bytes(
        "".join(f"{digest}:{number}{end}" for number, digest in enumerate(sorted(map(sha1, passwords)))).encode()
    )
    return path


def _counted(result: str) -> float:
    families = metrics_parser.text_string_to_metric_families(metrics.exposition().decode())
    samples = [
        sample for family in families for sample in family.samples if sample.name == "idp_breached_lookups_total"
    ]
    return sum(sample.value for sample in samples if sample.labels["result"] == result)


def _change(browser: Browser, parent: Person, new: str) -> Page:
    browser.open("/account/password")
    return browser.fill("Current Password", parent.password).fill("New Password", new).press("Save")


@pytest.fixture
def logged_in(browser: Browser, parent: Person) -> Browser:
    browser.log_in(parent.username, parent.password)
    return browser


def test_nothing_is_looked_up_unless_a_setting_says_so(logged_in: Browser, parent: Person) -> None:
    assert _change(logged_in, parent, LEAKED).status == 303


def test_r50_a_stolen_password_is_refused_with_the_reason(
    logged_in: Browser, parent: Person, at_service: Service
) -> None:
    """R50: breached passwords are refused with the reason, and others are not."""
    page = _change(logged_in, parent, LEAKED)
    assert page.status == 422
    assert "in a list of stolen passwords" in page.words

    assert _change(logged_in, parent, FRESH).status == 303


def test_only_five_digits_leave_and_the_answer_is_filled_up(at_service: Service, app: Flask) -> None:
    assert breached.is_leaked(LEAKED)

    ((path, headers),) = at_service.asked
    assert path == f"/range/{sha1(LEAKED)[:5]}"
    assert headers["Add-Padding"] == "true"
    assert "Cookie" not in headers


def test_what_fills_the_answer_up_is_no_leak(at_service: Service) -> None:
    at_service.body = f"{sha1(FRESH)[5:]}:0\r\n{sha1(LEAKED)[5:]}:3".encode()

    assert not breached.is_leaked(FRESH)


def test_nobody_who_does_not_know_the_current_password_makes_us_ask(
    logged_in: Browser, parent: Person, at_service: Service
) -> None:
    logged_in.open("/account/password")
    logged_in.fill("Current Password", "wrong").fill("New Password", FRESH).press("Save")

    assert at_service.asked == []


def test_no_transaction_is_open_while_the_service_is_asked(
    logged_in: Browser, parent: Person, at_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ones = []
    asked = breached.is_leaked

    def noted(password: str) -> bool:
        open_ones.append(db.session.registry().in_transaction())
        return asked(password)

    monkeypatch.setattr(breached, "is_leaked", noted)

    assert _change(logged_in, parent, FRESH).status == 303
    assert open_ones == [False]


def _stops_talking(service: Service) -> None:
    service.delay = 3


def _answers_503(service: Service) -> None:
    service.status = 503


def _answers_a_page(service: Service) -> None:
    service.body = b"<html>Log in to the hotel's network</html>"


def _answers_nothing(service: Service) -> None:
    service.body = b""


def _answers_without_end(service: Service) -> None:
    service.body = b"0" * 100_000


@pytest.mark.parametrize(
    "fails", [_stops_talking, _answers_503, _answers_a_page, _answers_nothing, _answers_without_end]
)
def test_a_service_that_fails_stops_nobody(
    logged_in: Browser,
    parent: Person,
    at_service: Service,
    fails: Callable[[Service], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is said once in the log and counted; the password is nowhere in it."""
    fails(at_service)
    before = _counted("failed")
    capsys.readouterr()

    assert _change(logged_in, parent, LEAKED).status == 303

    assert _counted("failed") == before + 1
    logged = capsys.readouterr().err
    assert logged.count("breached_not_looked_up") == 1
    assert LEAKED not in logged
    assert sha1(LEAKED)[:5] not in logged


def test_an_address_where_nothing_listens_stops_nobody(
    logged_in: Browser, parent: Person, look_in: Callable[[str], None]
) -> None:
    look_in(f"http://127.0.0.1:{servers.free_ports(1)}/range/")

    assert _change(logged_in, parent, LEAKED).status == 303


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 100, 5000])
def test_a_file_is_searched_from_its_first_line_to_its_last(
    app: Flask, tmp_path: Path, look_in: Callable[[str], None], size: int, end: str
) -> None:
    inside = {f"password number {number}" for number in range(size)}
    look_in(str(_file(tmp_path / "leaked.txt", inside, end)))
    some = sorted(inside, key=sha1)
    chosen = {*some[:30], *some[-30:], *some[:: max(1, size // 50)]}

    assert all(breached.is_leaked(one) for one in chosen)
    assert not [n for n in range(100) if breached.is_leaked(f"another {n}")]


def test_a_file_whose_last_line_does_not_end_is_searched_too(
    app: Flask, tmp_path: Path, look_in: Callable[[str], None]
) -> None:
    path = _file(tmp_path / "leaked.txt", {"a", "b", "c"})
    path.write_bytes(path.read_bytes().rstrip())
    look_in(str(path))

    assert all(breached.is_leaked(one) for one in ("a", "b", "c"))


def test_a_password_is_looked_up_composed(app: Flask, tmp_path: Path, look_in: Callable[[str], None]) -> None:
    look_in(str(_file(tmp_path / "leaked.txt", {"café au lait, s'il vous plaît"})))

    assert breached.is_leaked("cafe\u0301 au lait, s'il vous plai\u0302t")


@pytest.mark.parametrize("content", [b"hello\n" * 1000, b"x" * 100_000, bytes(5000), None])
def test_a_file_that_is_no_such_list_stops_nobody(
    logged_in: Browser, parent: Person, tmp_path: Path, look_in: Callable[[str], None], content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "leaked.txt").write_bytes(content)
    look_in(str(tmp_path / "leaked.txt"))

    assert _change(logged_in, parent, LEAKED).status == 303


def _doctor() -> list[tuple[str, str]]:
    return [(one.level, one.text) for one in doctor.examine(clock.now()) if one.subject == "leaked passwords"]


def test_the_doctor_says_what_is_on_and_whether_it_works(
    app: Flask, tmp_path: Path, look_in: Callable[[str], None], service: Service
) -> None:
    ((level, words),) = _doctor()
    assert (level, words.split(":")[0]) == (OK, "not looked up")

    look_in(str(_file(tmp_path / "leaked.txt", {"password", LEAKED})))
    assert _doctor() == [(OK, f"new ones are looked up: {tmp_path}/leaked.txt")]

    look_in(str(_file(tmp_path / "other.txt", {LEAKED})))
    ((level, words),) = _doctor()
    assert level == PROBLEM
    assert "is it whole" in words

    look_in(f"http://127.0.0.1:{service.port}/range/")
    assert [level for level, _words in _doctor()] == [OK]
    service.status = 500
    ((level, words),) = _doctor()
    assert level == PROBLEM
    assert "the service answered 500" in words
