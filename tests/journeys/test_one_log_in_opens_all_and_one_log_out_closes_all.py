"""A guardian logs in once for every school and the gradebook, and out once for all."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.district import (
    DASHBOARDS,
    EAST,
    GRADEBOOK,
    SOUTH,
    WEST,
    District,
    expect_inside,
    expect_log_in_page,
    expect_outside,
    log_in,
    open_application,
)
from tests.windows import DESK, PHONE, Chromium

pytestmark = pytest.mark.journey


@pytest.mark.parametrize(("width", "javascript"), [(DESK, True), (PHONE, False)], ids=["desk", "phone, no scripts"])
def test_r6_one_password_opens_all_four_and_one_log_out_closes_them(
    district: District, chromium: Chromium, width: int, javascript: bool
) -> None:
    with chromium.window(width, javascript=javascript) as page:
        _log_in_at_a_dashboard(page, district)
        for name in (GRADEBOOK, SOUTH, WEST):
            open_application(page, district.applications[name])
            expect_inside(page, district.applications[name], district.guardian.name)

        page.goto(district.applications[GRADEBOOK])
        expect(page.get_by_role("heading", name="Your children")).to_be_visible()
        page.get_by_role("button", name="Log out", exact=True).click()
        expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()

        for address in district.applications.values():
            expect_outside(page, address)
            page.get_by_role("link", name="Log in", exact=True).click()
            expect_log_in_page(page, district)
        page.goto(district.issuer)
        expect_log_in_page(page, district)


def test_the_portal_s_menu_leads_into_each_tool_without_a_password(district: District, chromium: Chromium) -> None:
    with chromium.window() as page:
        page.goto(district.issuer)
        log_in(page, district.guardian)
        names = {GRADEBOOK: "Gradebook"} | {key: f"{school} Parent Dashboard" for key, school in DASHBOARDS.items()}
        for key, name in names.items():
            page.goto(district.issuer)
            page.get_by_role("main").get_by_role("link", name=name).click()
            expect_inside(page, district.applications[key], district.guardian.name)
            page.get_by_role("link", name="Parent Portal", exact=True).click()
            expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


def test_logging_out_at_the_portal_reaches_the_applications(district: District, chromium: Chromium) -> None:
    with chromium.window() as page:
        _log_in_at_a_dashboard(page, district)
        page.goto(district.issuer)
        page.get_by_role("button", name="Profile").click()
        page.get_by_role("button", name="Log Out", exact=True).click()
        confirm = page.get_by_role("main").get_by_role("button", name="Log Out", exact=True)
        done = page.get_by_role("heading", name="You are logged out")
        expect(confirm.or_(done)).to_be_visible()
        if confirm.count():
            confirm.click()
        expect(done).to_be_visible()

        expect_outside(page, district.applications[EAST])


def test_a_log_out_leaves_other_browsers_alone(district: District, chromium: Chromium) -> None:
    with chromium.window() as home, chromium.window() as work:
        _log_in_at_a_dashboard(home, district)
        _log_in_at_a_dashboard(work, district)
        work.get_by_role("button", name="Log out", exact=True).click()
        expect(work.get_by_role("heading", name="You are logged out")).to_be_visible()

        home.reload()
        expect_inside(home, district.applications[EAST], district.guardian.name)


def _log_in_at_a_dashboard(page: Page, district: District) -> None:
    open_application(page, district.applications[EAST])
    expect_log_in_page(page, district)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Maine East Parent Dashboard")
    log_in(page, district.guardian)
    expect_inside(page, district.applications[EAST], district.guardian.name)
