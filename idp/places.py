"""A process's places: a request holds one while it works, and lends it to others while it waits for something slow.

Waiting costs a thread, of which there are many; working costs the interpreter, of which there is one.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

_held = threading.local()


class Places:
    """So many requests at once; whoever comes next waits until one of them is done."""

    def __init__(self, number: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(number):
            self._free.put(None)

    def take(self) -> None:
        """Wait for a place, and hold it on this thread."""
        self._free.get()
        _held.places = self

    def give_back(self) -> None:
        """Leave this thread's place to the next one."""
        _held.places = None
        self._free.put(None)


@contextmanager
def lent() -> Iterator[None]:
    """Lend this thread's place, if it holds one, to others while the block waits."""
    mine: Places | None = getattr(_held, "places", None)
    if mine is None:
        yield
        return
    mine.give_back()
    try:
        yield
    finally:
        mine.take()
