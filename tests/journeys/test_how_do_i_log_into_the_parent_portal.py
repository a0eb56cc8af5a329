"""FAQ: "How do I log into the Parent Portal?" By its page, by each school's dashboard, and on with the menu."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.district import (
    DASHBOARDS,
    EAST,
    GRADEBOOK,
    District,
    expect_inside,
    expect_log_in_page,
    log_in,
)
from tests.windows import PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

_QUESTION = "How do I log into the Parent Portal?"
both_ways = pytest.mark.parametrize("javascript", [True, False], ids=["", "no scripts"])


def _ask(page: Page, district: District) -> None:
    page.goto(f"{district.issuer}/help")
    page.get_by_role("link", name=_QUESTION).click()


@both_ways
def test_r4_the_answer_leads_to_the_log_in_page_at_its_one_address(
    district: District, chromium: Chromium, javascript: bool
) -> None:
    with chromium.window(PHONE, javascript=javascript) as page:
        _ask(page, district)
        page.get_by_role("region", name=_QUESTION).get_by_role("link", name="Parent Portal Login page").click()
        expect(page).to_have_url(f"{district.issuer}/login")
        log_in(page, district.guardian)

        expect(page).to_have_url(f"{district.issuer}/")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


@both_ways
def test_r5_r6_each_dashboard_starts_the_log_in_and_after_one_all_three_are_open(
    district: District, chromium: Chromium, javascript: bool
) -> None:
    with chromium.window(PHONE, javascript=javascript) as page:
        for key, school in DASHBOARDS.items():
            _ask(page, district)
            dashboard = page.get_by_role("region", name=_QUESTION).get_by_role(
                "link", name=f"{school} Parent Dashboard"
            )
            dashboard.click()
            if key == EAST:
                expect_log_in_page(page, district)
                expect(page.get_by_role("heading", level=1)).to_contain_text("Maine East Parent Dashboard")
                log_in(page, district.guardian)
            expect_inside(page, district.applications[key], district.guardian.name)


def test_r5_whoever_opens_another_dashboard_comes_back_to_that_one(district: District, chromium: Chromium) -> None:
    for key in DASHBOARDS:
        with chromium.window(PHONE) as page:
            page.goto(district.applications[key])
            page.get_by_role("link", name="Log in", exact=True).click()
            expect_log_in_page(page, district)
            log_in(page, district.guardian)
            expect_inside(page, district.applications[key], district.guardian.name)


@both_ways
def test_r9_r10_the_hamburger_menu_shows_the_tools_opens_one_and_hides_again(
    district: District, chromium: Chromium, javascript: bool
) -> None:
    with chromium.window(PHONE, javascript=javascript) as page:
        page.goto(f"{district.issuer}/login")
        log_in(page, district.guardian)
        button, menu = page.get_by_role("button", name="Menu", exact=True), page.get_by_role("navigation", name="Tools")
        expect(button).to_have_attribute("aria-expanded", "false")
        expect(menu).to_be_hidden()
        place = button.bounding_box()
        assert place is not None
        assert max(place["x"], place["y"]) < 30, "top left"

        button.click()
        expect(button).to_have_attribute("aria-expanded", "true")
        for tool in ("Gradebook", *(f"{school} Parent Dashboard" for school in DASHBOARDS.values()), "Help"):
            expect(menu.get_by_role("link", name=tool, exact=True)).to_be_visible()
        button.click()
        expect(button).to_have_attribute("aria-expanded", "false")
        expect(menu).to_be_hidden()

        button.click()
        menu.get_by_role("link", name="Gradebook", exact=True).click()
        expect_inside(page, district.applications[GRADEBOOK], district.guardian.name)
