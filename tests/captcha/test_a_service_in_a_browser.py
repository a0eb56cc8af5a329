"""The box of a robot check's service in a real browser: what the policy lets it do, and what comes where it fails."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Page, Route, expect

from idp import clock
from idp.captcha import providers
from idp.settings import HCAPTCHA, RECAPTCHA, TURNSTILE, RobotCheck, Settings
from tests import factories, ladders, servers
from tests.captcha import stand_in
from tests.captcha.stand_in import SECRET, SITE_KEY, StandIn
from tests.databases import AppBuilder, with_database
from tests.factories import Person
from tests.windows import DESK, PHONE, Chromium, violations

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

_SCRIPT = """
const box = document.querySelector("%s");
box.insertAdjacentHTML(
  "beforeend", '<input type="checkbox" aria-label="I am human"><textarea name="%s" hidden></textarea>',
);
box.querySelector("input").onchange = () => { box.querySelector("textarea").value = "a-token-of-the-box"; };
document.title = box.dataset.sitekey + " " + box.dataset.theme;
"""


@dataclass(frozen=True)
class Site:
    """A log-in page with the box, the service behind it, and somebody who may log in."""

    origin: str
    service: StandIn
    widget: providers.Widget
    parent: Person

    def open(self, page: Page, path: str = "/login") -> None:
        """Open the log-in page with the box: it comes once somebody has said as whom they log in."""
        page.goto(f"{self.origin}{path}")
        self.log_in(page)
        expect(page.get_by_text("Your password was not looked at yet").first).to_be_visible()

    def log_in(self, page: Page) -> None:
        """Fill the form in, and press its button."""
        page.get_by_label("Username").fill(self.parent.username)
        page.get_by_label("Password").fill(self.parent.password)
        page.get_by_role("button", name="Log In", exact=True).click()

    def give_script(self, page: Page, script: str | None) -> None:
        """Answer in the service's place when the browser asks for its script; None answers nothing that is one."""

        def answer(route: Route) -> None:
            if script is None:
                route.abort()
            else:
                route.fulfill(body=script, content_type="text/javascript")

        page.route(f"{self.widget.service.script}*", answer)


class _Handler(WSGIRequestHandler):
    """Waits for a browser that opens a connection ahead and sends nothing, but not for ever."""

    timeout = 5

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Stay silent."""


class _Server(ThreadingMixIn, WSGIServer):
    """Closes every file that it sends, also where the browser has gone; closing it waits for those under way."""

    daemon_threads = False


@pytest.fixture(params=[RECAPTCHA, HCAPTCHA, TURNSTILE])
def site(
    request: pytest.FixtureRequest, settings: Settings, database_url: str, build_app: AppBuilder
) -> Iterator[Site]:
    """A provider whose log-in page has the box of one service, since passwords were wrong."""
    port = servers.free_ports(1)
    with stand_in.running(request.param) as service:
        chosen = RobotCheck(request.param, SITE_KEY, SECRET, service.address)
        server = replace(settings.server, issuer=f"http://localhost:{port}")
        node = with_database(settings, database_url)
        app = build_app(replace(node, server=server, robot_check=chosen))
        http = make_server("localhost", port, app, _Server, _Handler)
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        try:
            with app.app_context():
                widget, parent = providers.widget(clock.now()), factories.account()
                ladders.fail(parent.username, times=3)
            assert widget is not None
            yield Site(server.issuer, service, widget, parent)
        finally:
            http.shutdown()
            thread.join()
            http.server_close()


def _script(site: Site) -> str:
    service = site.widget.service
    return _SCRIPT % (f".{service.css_class}", service.field)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_box_is_checked_and_its_token_is_asked_about(chromium: Chromium, site: Site, width: int) -> None:
    site.service.give("a-token-of-the-box")
    with chromium.window(width, dark=width == PHONE) as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        site.give_script(page, _script(site))
        site.open(page, "/login?next=/help")
        page.get_by_label("I am human").check()
        assert page.title() == f"{SITE_KEY} {'dark' if width == PHONE else 'light'}"
        expect(page.get_by_label("I'm not a robot")).to_be_hidden()
        assert not [words for words in complaints if "422" not in words]

        site.log_in(page)
        expect(page).to_have_url(f"{site.origin}/help")
        assert [one["response"] for one in site.service.asked] == ["a-token-of-the-box"]


@pytest.mark.parametrize("site", [HCAPTCHA], indirect=True)
def test_without_the_box_no_password_is_looked_at(chromium: Chromium, site: Site) -> None:
    with chromium.window() as page:
        site.give_script(page, _script(site))
        site.open(page)

        site.log_in(page)

        expect(page.locator("#error-summary")).to_contain_text("Your password was not looked at yet")
        expect(page.locator(".field-error").first).to_be_visible()
        assert site.service.asked == []
        assert violations(page) == []


@pytest.mark.parametrize("site", [RECAPTCHA], indirect=True)
def test_whoever_has_no_javascript_answers_our_own_questions(chromium: Chromium, site: Site) -> None:
    with chromium.window(javascript=False) as page:
        site.open(page)

        page.get_by_role("link", name="Answer the Questions").click()

        expect(page.get_by_role("button", name="Show Pictures")).to_be_visible()


@pytest.mark.parametrize("site", [TURNSTILE], indirect=True)
@pytest.mark.parametrize("wrong", [None, "// loaded, and does nothing"])
def test_where_its_script_does_not_come_the_embedded_check_does(
    chromium: Chromium, site: Site, wrong: str | None
) -> None:
    with chromium.window() as page:
        site.give_script(page, wrong)
        site.open(page)

        expect(page.get_by_label("I'm not a robot")).to_be_visible(timeout=12_000)
        expect(page.locator("[data-robot-service]")).to_have_count(0)


@pytest.mark.parametrize("site", [TURNSTILE], indirect=True)
def test_no_other_script_of_elsewhere_is_run(chromium: Chromium, site: Site) -> None:
    """HD1: only the sources that the service documents are let in beside our own."""
    with chromium.window() as page:
        asked: list[str] = []

        def note(route: Route) -> None:
            asked.append(route.request.url)
            route.fulfill(body="document.title = 'run'", content_type="text/javascript")

        page.route("https://elsewhere.example/*", note)
        site.give_script(page, _script(site))
        site.open(page)

        page.evaluate(
            """() => new Promise((done) => { const script = document.createElement("script");
            script.src = "https://elsewhere.example/x.js"; script.onerror = done; document.head.append(script); })"""
        )

        assert asked == []
