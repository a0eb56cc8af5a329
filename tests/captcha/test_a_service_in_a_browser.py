"""The box of a robot check's service in a real browser: what the policy lets it do, and what comes where it fails."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from flask import render_template_string, request
from playwright.sync_api import Page, Route, expect
from werkzeug.serving import make_server

from idp import clock
from idp.captcha import providers
from idp.settings import HCAPTCHA, RECAPTCHA, TURNSTILE, RobotCheck, Settings
from idp.web import headers
from tests import servers
from tests.captcha import stand_in
from tests.captcha.stand_in import SECRET, SITE_KEY, StandIn
from tests.databases import AppBuilder
from tests.windows import DESK, PHONE, Chromium

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

_PAGE = """
{% extends "base.html" %}{% import "components/robot_service.html" as robot_service with context %}
{% block main %}<form method="post">{{ csrf_field() }}{{ robot_service.box(widget) }}
<p hidden data-robot-embedded>The embedded check</p><button>Log In</button></form>{% endblock %}
"""
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
    """A page with the box, and the service behind it."""

    origin: str
    service: StandIn
    widget: providers.Widget

    def give_script(self, page: Page, script: str | None) -> None:
        """Answer in the service's place when the browser asks for its script; None answers nothing that is one."""

        def answer(route: Route) -> None:
            if script is None:
                route.abort()
            else:
                route.fulfill(body=script, content_type="text/javascript")

        page.route(f"{self.widget.service.script}*", answer)


@pytest.fixture(params=[RECAPTCHA, HCAPTCHA, TURNSTILE])
def site(request: pytest.FixtureRequest, settings: Settings, build_app: AppBuilder) -> Iterator[Site]:
    """A provider of which one page has the box of one service."""
    port = servers.free_ports(1)
    with stand_in.running(request.param) as service:
        chosen = RobotCheck(request.param, SITE_KEY, SECRET, service.address)
        server = replace(settings.server, issuer=f"http://localhost:{port}")
        app = build_app(replace(settings, server=server, robot_check=chosen))
        app.add_url_rule("/with-box", view_func=_with_box, methods=["GET", "POST"])
        http = make_server("localhost", port, app, threaded=True)
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        try:
            with app.app_context():
                widget = providers.widget(clock.now())
            assert widget is not None
            yield Site(server.issuer, service, widget)
        finally:
            http.shutdown()
            thread.join()
            http.server_close()


def _with_box() -> str:
    now = clock.now()
    if request.method == "POST":
        token = providers.token_in(providers.answer_in(request.form))
        return f"Good: {providers.verify(token or '', request.remote_addr or '', now)}"
    headers.allow_sources(providers.script_origins())
    return render_template_string(_PAGE, widget=providers.widget(now), errors=[])


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
        page.goto(f"{site.origin}/with-box")

        page.get_by_label("I am human").check()
        assert page.title() == f"{SITE_KEY} {'dark' if width == PHONE else 'light'}"
        expect(page.get_by_text("The embedded check")).to_be_hidden()
        assert complaints == []

        page.get_by_role("button", name="Log In").click()
        expect(page.get_by_text("Good: True")).to_be_visible()


@pytest.mark.parametrize("site", [TURNSTILE], indirect=True)
@pytest.mark.parametrize("wrong", [None, "// loaded, and does nothing"])
def test_where_its_script_does_not_come_the_embedded_check_does(
    chromium: Chromium, site: Site, wrong: str | None
) -> None:
    with chromium.window() as page:
        site.give_script(page, wrong)
        page.goto(f"{site.origin}/with-box")

        expect(page.get_by_text("The embedded check")).to_be_visible(timeout=12_000)
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
        page.goto(f"{site.origin}/with-box")

        page.evaluate(
            """() => new Promise((done) => { const script = document.createElement("script");
            script.src = "https://elsewhere.example/x.js"; script.onerror = done; document.head.append(script); })"""
        )

        assert asked == []
