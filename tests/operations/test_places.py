"""So many requests work at once, and one that waits for something slow lends its place to others."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp import places
from idp.operations import intake


class Rooms:
    """A WSGI application with two paths: one waits until it is let go, the other answers at once."""

    def __init__(self) -> None:
        self.waiting, self.let_go, self.working = threading.Event(), threading.Event(), threading.Event()

    def __call__(self, environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/waits":
                with places.lent():
                    self.waiting.set()
                    self.let_go.wait()
                return [b"waited"]
            case "/works":
                self.working.set()
                self.let_go.wait()
                return [b"worked"]
        return [b"answered"]


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


def test_a_request_that_waits_lends_its_place(rooms: Rooms) -> None:
    with_one_place = intake.admit(rooms, 1)
    with ThreadPoolExecutor(1) as others:
        waits = others.submit(with_one_place, {"PATH_INFO": "/waits"}, None)
        rooms.waiting.wait()

        assert with_one_place({"PATH_INFO": "/"}, None) == [b"answered"]
        assert not waits.done()
        rooms.let_go.set()
        assert waits.result(5) == [b"waited"]
    assert with_one_place({"PATH_INFO": "/"}, None) == [b"answered"], "its place was given back once"


def test_a_request_that_works_keeps_its_place(rooms: Rooms) -> None:
    with_one_place = intake.admit(rooms, 1)
    with ThreadPoolExecutor(2) as others:
        works = others.submit(with_one_place, {"PATH_INFO": "/works"}, None)
        rooms.working.wait()
        after = others.submit(with_one_place, {"PATH_INFO": "/"}, None)

        with pytest.raises(TimeoutError):
            after.result(0.2)
        rooms.let_go.set()
        assert (works.result(5), after.result(5)) == ([b"worked"], [b"answered"])


def test_whoever_holds_no_place_just_waits(rooms: Rooms) -> None:
    """A command hashes a password outside any request."""
    with places.lent():
        pass
    rooms.let_go.set()
    assert intake.admit(rooms, 1)({"PATH_INFO": "/works"}, None) == [b"worked"]


def test_what_is_raised_while_a_place_is_lent_does_not_lose_it() -> None:
    def fails(_environ: dict[str, Any], _start_response: Any) -> Iterable[bytes]:
        with places.lent():
            raise ZeroDivisionError

    with_one_place = intake.admit(fails, 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            with_one_place({"PATH_INFO": "/"}, None)
