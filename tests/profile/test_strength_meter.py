"""R51: "the strength of your password will be displayed below": in a real browser, in words, while it is typed."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from idp.settings import Settings
from tests import factories
from tests.databases import Databases
from tests.factories import Person
from tests.servers import prepared_provider
from tests.windows import DESK, PHONE, Chromium, taken, violations

pytestmark = pytest.mark.journey

STRONG = "willow-harbour-29-lantern-cobalt"


@dataclass(frozen=True)
class Portal:
    """A provider, and a guardian who knows a password."""

    origin: str
    guardian: Person


@pytest.fixture(scope="module")
def portal(
    all_databases: Databases, session_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """One provider for all that is looked at here."""
    folder = tmp_path_factory.mktemp("portal")
    with prepared_provider(all_databases, session_settings, folder, factories.account) as (origin, guardian):
        yield Portal(origin, guardian)


def _open(page: Page, portal: Portal) -> None:
    page.goto(f"{portal.origin}/login?next=/account/password")
    page.get_by_label("Username").fill(portal.guardian.username)
    page.get_by_label("Password", exact=True).fill(portal.guardian.password)
    page.get_by_role("button", name="Log In").click()
    expect(page.get_by_role("heading", name="Change Your Password")).to_be_visible()


def _says(page: Page) -> Locator:
    return page.locator("[data-says]")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_r51_the_strength_is_said_in_words_while_it_is_typed(chromium: Chromium, portal: Portal, width: int) -> None:
    """R51: Weak, Medium and Strong, told to screen readers, and nothing is cut off."""
    with chromium.window(width) as page:
        _open(page, portal)
        expect(_says(page)).to_have_attribute("aria-live", "polite")
        field = page.get_by_label("New Password", exact=True)
        for typed, words in (
            ("pass", "Weak. It is too short."),
            ("passwordpassword1", "Weak. It is easy to guess."),
            ("Kowalska-2026-portal", "Weak. It is built on your name"),
            ("District 207 forever", "Weak. It is built on your name"),
            ("my dog eats homework", "Medium."),
            (STRONG, "Strong."),
        ):
            field.fill("")
            field.press_sequentially(typed)
            expect(_says(page)).to_contain_text(words)
            assert taken(page) <= width
        field.fill("")
        expect(_says(page)).to_have_text("")


@pytest.mark.parametrize("dark", [False, True])
def test_r51_the_meter_is_no_barrier(chromium: Chromium, portal: Portal, dark: bool) -> None:
    """R51: in light and in dark, weak and strong."""
    with chromium.window(PHONE, dark=dark) as page:
        _open(page, portal)
        for typed, words in (("passwordpassword1", "Weak."), (STRONG, "Strong.")):
            page.get_by_label("New Password", exact=True).fill(typed)
            expect(_says(page)).to_contain_text(words)
            assert violations(page) == []


def test_r51_the_words_are_loaded_by_the_first_key_and_nothing_typed_is_sent(
    chromium: Chromium, portal: Portal
) -> None:
    """R51: first view is light; what is typed stays in the browser until Save."""
    with chromium.window(PHONE) as page:
        asked: list[Request] = []

        def note(request: Request) -> None:
            asked.append(request)

        page.on("request", note)
        _open(page, portal)  # the log-in page before it is counted, too: the browser keeps nothing from before
        page.wait_for_load_state("networkidle")
        # A page that is left before its files are there gives them up, and they have no size.
        sizes = [request.sizes() for request in asked if request.failure is None]
        assert not [request.url for request in asked if "password-words" in request.url or "strength" in request.url]
        assert sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes) < 100_000

        asked.clear()
        page.get_by_label("New Password", exact=True).press_sequentially(STRONG)
        expect(_says(page)).to_contain_text("Strong.")
        assert len([request for request in asked if "password-words" in request.url]) == 1
        assert {request.method for request in asked} == {"GET"}
        assert not [request.url for request in asked if "willow" in request.url]


def test_r51_without_the_words_the_page_works_and_tries_again(chromium: Chromium, portal: Portal) -> None:
    """R51: a connection that fails leaves the meter empty, not wrong; the next key asks again."""
    with chromium.window(PHONE) as page:
        _open(page, portal)
        page.route("**/password-words*", lambda route: route.abort())
        field = page.get_by_label("New Password", exact=True)
        with page.expect_event("requestfailed"):
            field.press_sequentially(STRONG)
        expect(_says(page)).to_have_text("")

        page.unroute("**/password-words*")
        field.press("End")
        field.press_sequentially("!")
        expect(_says(page)).to_contain_text("Strong.")


def test_r50_a_password_can_be_pasted(chromium: Chromium, portal: Portal) -> None:
    """R50: paste is allowed, and what is pasted is measured."""
    with chromium.window(DESK) as page:
        _open(page, portal)
        current, field = page.get_by_label("Current Password"), page.get_by_label("New Password", exact=True)
        page.get_by_label("Show the password").check()
        field.fill(STRONG)
        field.press("Control+A")
        field.press("Control+X")
        expect(field).to_have_value("")
        current.focus()
        field.focus()
        field.press("Control+V")

        expect(field).to_have_value(STRONG)
        expect(_says(page)).to_contain_text("Strong.")


def test_r50_r51_without_javascript_the_rules_stand_there_and_the_server_answers(
    chromium: Chromium, portal: Portal
) -> None:
    """R50, R51: the rules are read before typing, the meter is not there, and the reason comes back with the page."""
    with chromium.window(PHONE, javascript=False) as page:
        _open(page, portal)
        expect(page.get_by_text("At least 15 characters")).to_be_visible()
        expect(page.get_by_text("Strength:")).to_be_hidden()

        page.get_by_label("Current Password").fill(portal.guardian.password)
        page.get_by_label("New Password", exact=True).fill("passwordpassword1")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#new_password-error")).to_contain_text("common words")
