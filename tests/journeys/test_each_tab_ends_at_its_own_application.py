"""Log-ins that run side by side, are gone back over or lie open do not get into each other's way."""

import pytest
from playwright.sync_api import expect

from tests.journeys.district import (
    EAST,
    GRADEBOOK,
    WEST,
    District,
    expect_inside,
    expect_log_in_page,
    log_in,
    open_application,
)
from tests.windows import Chromium

pytestmark = pytest.mark.journey


def test_the_second_tab_logs_in_first(district: District, chromium: Chromium) -> None:
    with chromium.window() as first:
        second = first.context.new_page()
        open_application(first, district.applications[EAST])
        expect_log_in_page(first, district)
        open_application(second, district.applications[GRADEBOOK])
        expect_log_in_page(second, district)

        log_in(second, district.guardian)
        expect_inside(second, district.applications[GRADEBOOK], district.guardian.name)
        log_in(first, district.guardian)
        expect_inside(first, district.applications[EAST], district.guardian.name)


def test_a_reload_and_the_back_button_lose_nothing(district: District, chromium: Chromium) -> None:
    with chromium.window() as page:
        open_application(page, district.applications[WEST])
        expect_log_in_page(page, district)
        page.reload()
        page.get_by_role("link", name="Help", exact=True).first.click()
        page.go_back()
        expect_log_in_page(page, district)

        page.get_by_label("Username", exact=True).fill(district.guardian.username)
        page.get_by_label("Password", exact=True).fill("not the password")
        page.get_by_role("button", name="Log In", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()

        log_in(page, district.guardian)
        expect_inside(page, district.applications[WEST], district.guardian.name)


def test_a_double_click_on_log_in_is_one_log_in(district: District, chromium: Chromium) -> None:
    with chromium.window() as page:
        open_application(page, district.applications[EAST])
        page.get_by_label("Username", exact=True).fill(district.guardian.username)
        page.get_by_label("Password", exact=True).fill(district.guardian.password)
        page.get_by_role("button", name="Log In", exact=True).dblclick(no_wait_after=True)

        expect_inside(page, district.applications[EAST], district.guardian.name)


def test_a_temporary_password_has_to_be_replaced_before_the_application_opens(
    district: District, chromium: Chromium
) -> None:
    newcomer = district.newcomer()
    with chromium.window() as page:
        open_application(page, district.applications[EAST])
        log_in(page, newcomer)
        expect(page.get_by_label("New Password", exact=True)).to_be_visible()

        page.get_by_label("New Password", exact=True).fill("thistle bucket 77 evening")
        page.get_by_role("button", name="Save", exact=True).click()
        expect_inside(page, district.applications[EAST], newcomer.name)
