"""What a page weighs at the first view: every byte that came over the network for it, with nothing kept from before."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

MOST = 100_000
"""Bytes, compressed as they travel: on a slow phone's connection (1 Mbit/s) that is a second."""


@dataclass
class Scales:
    """Weighs each page that a window opens; it has to be there before the first one is opened."""

    page: Page
    _document: str = ""
    _bytes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Listen to the network, and let the browser keep no file for the next page."""
        session = self.page.context.new_cdp_session(self.page)
        session.on("Network.requestWillBeSent", self._asked)
        session.on("Network.dataReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})

    def read(self) -> int:
        """Return what has come since the page that is open was asked for."""
        self.page.wait_for_load_state("load")
        return sum(self._bytes.values())

    def _asked(self, event: dict[str, Any]) -> None:
        if event["requestId"] == event["loaderId"] and "redirectResponse" not in event:
            self._document = event["loaderId"]
            self._bytes.clear()
        if event["loaderId"] == self._document:  # the page before goes on asking until this one's first byte is there
            self._bytes.setdefault(event["requestId"], 0)

    def _received(self, event: dict[str, Any]) -> None:
        """Count what has come so far of a file that is not there yet."""
        if event["requestId"] in self._bytes:
            self._bytes[event["requestId"]] += event["encodedDataLength"]

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._bytes:
            self._bytes[event["requestId"]] = int(event["encodedDataLength"])
