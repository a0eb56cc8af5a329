"""The applications know nothing of our provider: they run against npm's oidc-provider unchanged."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from tests.clients.programs import application, environment, install_peer, running
from tests.servers import free_ports
from tests.windows import Chromium

PATIENCE = 10


@dataclass(frozen=True)
class District:
    """Where everything listens."""

    gradebook: str
    dashboard: str
    provider: str


@pytest.fixture
def district(tmp_path: Path) -> Iterator[District]:
    """The other provider, the gradebook and a dashboard, each a process of its own."""
    gradebook, dashboard, issuer = (f"http://localhost:{free_ports(1)}" for _ in range(3))
    clients = [
        {"id": "gradebook", "secret": "one-secret-of-forty-characters-0123456789", "base": gradebook},
        {"id": "maine-east", "secret": "two-secret-of-forty-characters-0123456789", "base": dashboard},
    ]
    common = {"ISSUER": issuer, "STATE_DIR": str(tmp_path), "SCHOOL": "maine-east"}
    peer = [*install_peer(), issuer.rpartition(":")[2], json.dumps(clients)]
    with ExitStack() as stack:
        stack.enter_context(running(peer, environment(), issuer + "/.well-known/openid-configuration"))
        for name, client in zip(("gradebook", "dashboard"), clients, strict=True):
            variables = environment(
                **common, CLIENT_ID=client["id"], CLIENT_SECRET=client["secret"], BASE_URL=client["base"]
            )
            stack.enter_context(running(application(name), variables, client["base"] + "/healthz"))
        yield District(gradebook, dashboard, issuer)


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    """A page of a real browser that reaches this machine only."""
    with chromium.window() as page:
        page.route("**/*", _stay_here)
        yield page


def _stay_here(route: Route) -> None:
    if route.request.url.startswith("http://localhost:"):
        route.continue_()
    else:
        route.abort()


def log_in(page: Page, address: str, username: str | None) -> None:
    page.goto(address)
    page.get_by_role("link", name="Log in").click()
    if username:
        page.locator("[name=login]").fill(username)
        page.locator("[name=password]").fill("anything")
        page.locator("[type=submit]").click()
    page.get_by_role("button", name="Continue").click()  # its page for consent, for each application
    page.wait_for_url(address + "/")


@pytest.mark.journey
def test_a_guardian_logs_in_sees_the_children_and_logs_out_everywhere(district: District, page: Page) -> None:
    log_in(page, district.gradebook, "maria.kowalska")
    assert page.get_by_role("heading", name="Zofia Kowalski").is_visible()
    assert page.get_by_role("heading", name="Jan Kowalski").is_visible()
    assert not page.get_by_text("Okafor").count()
    assert page.get_by_role("link", name="Parent Portal").get_attribute("href") == district.provider + "/"

    log_in(page, district.dashboard, None)
    assert page.get_by_role("heading", name="Welcome, Maria Kowalska").is_visible()

    page.goto(district.gradebook)
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_url(district.gradebook + "/logged-out?*")
    assert page.get_by_role("heading", name="You are logged out").is_visible()

    # The provider tells the applications in the background.
    deadline = time.monotonic() + PATIENCE
    page.goto(district.dashboard)
    while page.get_by_role("button", name="Log out").count() and time.monotonic() < deadline:
        time.sleep(0.1)
        page.reload()
    assert page.get_by_role("link", name="Log in").is_visible(), "its session ended by back-channel log-out"
