"""An admin registers an application on the page; a guardian uses it a minute later, until it is disabled."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.district import District, LogIn, expect_inside, log_in, open_application
from tests.servers import free_ports, program
from tests.windows import Chromium

pytestmark = pytest.mark.journey

_NAME = "Lunch Orders"


def test_a_guardian_uses_it_a_minute_later_and_finds_it_out_of_reach_when_it_is_disabled(
    district: District, chromium: Chromium, tmp_path: Path
) -> None:
    address = f"http://localhost:{free_ports(1)}"
    guardian = district.other_guardian
    with chromium.window() as office, chromium.window() as home:
        client_id, secret = _register(office, district, address)
        with _running(address, district, client_id, secret, tmp_path):
            open_application(home, address)
            expect(home.get_by_role("heading", level=1)).to_contain_text(_NAME)
            log_in(home, guardian)
            _consent(home, guardian, "Do not allow")
            expect(home.get_by_role("link", name="Try again")).to_be_visible()

            home.get_by_role("link", name="Try again").click()
            _consent(home, guardian, "Allow")
            expect_inside(home, address, guardian.name)

            home.get_by_role("button", name="Log out", exact=True).click()
            open_application(home, address)
            log_in(home, guardian)
            expect_inside(home, address, guardian.name)  # what was allowed once is not asked again

            _disable(office)
            home.context.clear_cookies()
            open_application(home, address)
            expect(home).to_have_url(re.compile(rf"^{re.escape(district.issuer)}/oauth/authorize"))
            expect(home.get_by_role("main")).to_be_visible()
            assert home.get_by_label("Password").count() == 0


def _register(page: Page, district: District, address: str) -> tuple[str, str]:
    page.goto(f"{district.issuer}/admin/clients")
    log_in(page, district.admin)
    page.get_by_role("link", name="Register an application").click()
    page.get_by_label("Name", exact=True).fill(_NAME)
    page.get_by_label("What is it for?").fill("Order lunch, and see what your child had.")
    page.get_by_label("Somebody else").check()
    page.get_by_label("Redirect addresses").fill("https://lunch.example/callback#here")
    page.get_by_label("The person’s name").check()
    page.get_by_role("button", name="Register").click()

    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    expect(page.get_by_label("Name", exact=True)).to_have_value(_NAME)
    page.get_by_label("Redirect addresses").fill(f"{address}/callback")
    page.get_by_label("Addresses after log-out").fill(f"{address}/logged-out")
    page.get_by_role("button", name="Register").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(f"{_NAME} is registered")
    expect(page.locator("#discovery")).to_have_text(f"{district.issuer}/.well-known/openid-configuration")
    secret = page.locator("#client-secret").inner_text()
    client_id = page.locator("#client-id").inner_text()
    page.get_by_role("link", name=f"Go to {_NAME}").click()
    assert secret not in page.content()
    return client_id, secret


@contextmanager
def _running(address: str, district: District, client_id: str, secret: str, folder: Path) -> Iterator[None]:
    """Run a plain relying party with the new registration: the dashboard's, which knows nothing of where it stands."""
    environment = {
        "ISSUER": district.issuer,
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": secret,
        "BASE_URL": address,
        "STATE_DIR": str(folder),
        "SCHOOL": "maine-east",
    }
    with program(["-m", "clients.dashboard"], environment, address, "/", folder / "application.log"):
        yield


def _consent(page: Page, guardian: LogIn, decision: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Allow {_NAME}?")
    expect(page.get_by_role("main")).to_contain_text(guardian.name)
    expect(page.get_by_role("main")).to_contain_text("Order lunch, and see what your child had.")
    page.get_by_role("button", name=decision, exact=True).click()


def _disable(page: Page) -> None:
    page.get_by_role("link", name="Disable", exact=True).click()
    page.get_by_role("button", name="Disable", exact=True).click()
    expect(page.get_by_text("The application is disabled.")).to_be_visible()
