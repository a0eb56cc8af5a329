"""The page that asks a parent to try again, as a browser shows it: fit for a phone, and ready to type."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.overload.conftest import LONGEST_WAIT, Provider
from tests.overload.crowd import Storm
from tests.windows import DESK, PHONE, Chromium, taken, violations

pytestmark = [pytest.mark.long, pytest.mark.journey]


def try_until_busy(page: Page) -> None:
    """Press Log In with a wrong password until the queue has no room; the storm comes from the same network."""
    deadline = time.monotonic() + 60
    while not page.get_by_text("Many people are logging in just now").count():
        assert time.monotonic() < deadline
        page.get_by_label("Password", exact=True).fill("a password that is wrong")
        page.get_by_role("button", name="Log In", exact=True).click()
        page.wait_for_load_state()


@pytest.mark.parametrize(("width", "javascript"), [(PHONE, True), (DESK, True), (PHONE, False)])
def test_a_parent_reads_what_to_do_and_types_on(
    provider: Provider, chromium: Chromium, width: int, *, javascript: bool
) -> None:
    storm = Storm(provider.origin, 50)
    with chromium.window(width, javascript=javascript) as page, storm.blowing():
        time.sleep(LONGEST_WAIT)
        page.goto(f"{provider.origin}/login?next=/account")
        page.get_by_label("Username", exact=True).fill(f"someone.{width}.{javascript}")
        page.get_by_label("This is a shared computer").check()
        try_until_busy(page)

        expect(page.get_by_label("Username", exact=True)).to_have_value(f"someone.{width}.{javascript}")
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
        expect(page.get_by_label("Password", exact=True)).to_be_focused()
        expect(page.get_by_label("This is a shared computer")).to_be_checked()
        assert page.url.endswith("/login?next=/account")
        if javascript:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert not violations(page)
            assert taken(page) <= width
