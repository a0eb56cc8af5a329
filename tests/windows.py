"""A real browser: Chromium's windows in both widths, light and dark, with and without JavaScript."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

PHONE, DESK = 360, 1280
_HEIGHTS = {PHONE: 740, DESK: 900}
_WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}
_COLORS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
_DRIVERS_OWN = (
    "AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,"
    "HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,MediaRouter,NetworkTimeServiceQuerying,"
    "OptimizationHints,PaintHolding,PreconnectToSearch,ThirdPartyStoragePartitioning"
)
"""What Playwright turns off: the browser heeds only the last list that it is given."""
_PROCESSES = "SpareRendererForSitePerProcess,WebUIOmniboxAimPopup,WebUIOmniboxPopup"
"""Two processes more for each window, one of them for the address bar: half of what it takes to open one."""
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--force-color-profile=srgb",
    f"--disable-features={_DRIVERS_OWN},{_PROCESSES}",
]


@dataclass(frozen=True)
class Chromium:
    """The browser; each window has cookies of its own."""

    browser: Browser

    @contextmanager
    def window(
        self, width: int = DESK, *, javascript: bool = True, dark: bool = False, language: str = "en-US"
    ) -> Iterator[Page]:
        """Open a window without any cookie; `page.context.new_page()` opens a second tab in it."""
        context = self.browser.new_context(
            viewport=ViewportSize(width=width, height=_HEIGHTS[width]),
            java_script_enabled=javascript,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale=language,
        )
        context.set_default_timeout(15_000)
        try:
            yield context.new_page()
        finally:
            context.close()


@contextmanager
def chromium() -> Iterator[Chromium]:
    """Start the Chromium that Debian installs."""
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("Chromium is missing. Type: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            yield Chromium(browser)
        finally:
            browser.close()


def taken(page: Page) -> int:
    """Return how many pixels in width a page takes once all of it has come: more than its window has is too wide."""
    page.wait_for_load_state()
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


def violations(page: Page, within: str | None = None, *, colors_alone: bool = False) -> list[str]:
    """Return what breaks WCAG 2.2 A or AA on a page (or within a selector's element) as it is now, a line each.

    The page has to allow JavaScript. It is looked at once its styles are there: a click waits for the first byte only.
    Colors alone are what is left to look at, when it was looked at before in others.
    """
    page.wait_for_load_state()
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(Axe().axe_script)
    # What is in order is not asked for, since it would be most of what comes back, and most of the time.
    options = {"runOnly": _COLORS if colors_alone else _WCAG, "resultTypes": ["violations"]}
    found = page.evaluate(
        "([within, options]) => axe.run(within || document, options).then((found) => found.violations)",
        [within, options],
    )
    return [
        f"{page.url}: {broken['id']} ({broken['help']}): {node['html']} {node['failureSummary']}"
        for broken in found
        for node in broken["nodes"]
    ]
