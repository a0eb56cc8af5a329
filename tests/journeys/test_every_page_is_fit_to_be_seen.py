"""Every page, on a phone and at a desk, in light and in dark: no barrier, nothing cut off."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests import tables
from tests.journeys import weights
from tests.journeys.district import EAST, GRADEBOOK, District, LogIn, log_in, open_application
from tests.journeys.robots import Check, suspect
from tests.windows import DESK, PHONE, Chromium, taken, violations

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

_README = {"login": "log-in", "gradebook": "gradebook", "console-list": "console"}
"""The pages that README shows as on a phone, and the names of their pictures, which `make pictures` takes."""


@dataclass
class Album:
    """Looks at pages one after another, and remembers what is wrong with them."""

    page: Page
    width: int
    folder: Path
    problems: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the scales up before the first page is opened."""
        self._scales = weights.Scales(self.page)

    def look(self, name: str, within: str | None = None) -> None:
        """Look at the page that is open, in light and in dark; or at what lies over the rest of it alone."""
        self.seen.append(name)
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            broken = violations(self.page, within, colors_alone=scheme == "dark")
            found = [f"{name}, {scheme}: {line}" for line in broken]
            self.problems += found
            if found:
                self._take(f"{name}-{scheme}")
            if scheme == "light":
                self._keep(name)
        if taken(self.page) > self.width:
            self.problems.append(f"{name}: wider than {self.width} pixels")
            self._take(name)
        if within is None:
            self._weigh(name)

    def _weigh(self, name: str) -> None:
        self.weights[name] = self._scales.read()
        if self.weights[name] > weights.MOST:
            self.problems.append(f"{name}: weighs {self.weights[name]} bytes at the first view")

    def _take(self, name: str) -> None:
        """Take a picture of what is wrong."""
        path = self.folder / f"{name}-{self.width}.png"
        self.page.screenshot(path=path, full_page=True)
        self.problems.append(f"{name}: see {path}")

    def _keep(self, name: str) -> None:
        """Take README's picture, where somebody has asked for that."""
        kept = os.environ.get("IDP_PICTURES")
        if kept and name in _README and self.width == PHONE:
            self.page.screenshot(path=Path(kept) / f"{_README[name]}-{self.width}.png")

    def visit(self, name: str, address: str) -> None:
        """Open an address and look at it."""
        self.page.goto(address)
        self.look(name)


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def width(request: pytest.FixtureRequest) -> int:
    """The window's width in pixels."""
    chosen: int = request.param
    return chosen


_CHOSEN = "a lantern over the pond"

Tour = Callable[[Album, District], None]


def _visitor(album: Album, district: District) -> None:
    page, issuer = album.page, district.issuer
    for name in ("help", "support", "support/ticket", "forgot-password", "forgot-username", "robot/code", "nowhere"):
        album.visit(name.replace("/", "-"), f"{issuer}/{name}")
    _family_that_asks(album, district)
    page.goto(f"{issuer}/robot/code")
    page.get_by_role("button", name="Send Code").click()
    album.look("robot-code-refused")
    page.get_by_label("Username").fill("somebody")
    page.get_by_role("button", name="Send Code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check Your Email")
    album.look("robot-code-asked")
    page.get_by_label("Code").fill("0000 0000")
    page.get_by_role("button", name="Go On").click()
    album.look("robot-code-wrong")
    album.visit("wrong-request", f"{issuer}/oauth/authorize?client_id=nobody")
    album.visit("logged-out", f"{issuer}/logout")
    album.visit("gradebook-welcome", district.applications[GRADEBOOK])
    album.visit("gradebook-nowhere", f"{district.applications[GRADEBOOK]}/nowhere")
    album.visit("gradebook-stale", f"{district.applications[GRADEBOOK]}/callback?state=x&code=x")
    for name, address in district.applications.items():
        if name != GRADEBOOK:
            album.visit(f"{name}-welcome", address)
    album.visit("login-plain", f"{issuer}/login")
    open_application(page, district.applications[EAST])
    album.look("login")
    log_in(page, LogIn(district.guardian.username, "wrong"))
    album.look("login-refused")


def _family_that_asks(album: Album, district: District) -> None:
    """Look at the support form and what comes after it."""
    page = album.page
    page.goto(f"{district.issuer}/support?topic=forgot")
    page.get_by_role("button", name="Send", exact=True).click()
    album.look("support-refused")
    page.get_by_label("Your name").fill("Ewa Kowalska")
    page.get_by_label("Who are you to the student?").select_option(label="Parent")
    page.get_by_label("The student\u2019s name").fill("Jan Kowalski")
    page.get_by_label("The student\u2019s school").select_option(label="Another school")
    page.get_by_label("Phone").fill("847-555-0199")
    page.wait_for_timeout(3100)  # nobody is faster
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("We have your request")
    album.look("support-sent")
    number = page.locator(".ticket-number").inner_text()
    page.get_by_role("link", name="See where your request stands", exact=True).click()
    page.get_by_label("Number of your request").fill("0000 0000")
    page.get_by_label("Your email address or phone number").fill("847-555-0199")
    page.get_by_role("button", name="Show", exact=True).click()
    album.look("support-not-found")
    page.get_by_label("Number of your request").fill(number)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("We have it, and will contact you.")).to_be_visible()
    album.look("support-state")


_SETTINGS = (
    ("settings", "/account"),
    ("account-settings", "/account/settings"),
    ("change-password", "/account/password"),
    ("logged-in-where", "/account/sessions"),
    ("history", "/account/history"),
    ("applications", "/account/applications"),
)


def _guardian(album: Album, district: District) -> None:
    page, issuer, applications = album.page, district.issuer, district.applications
    open_application(page, applications[EAST])
    log_in(page, district.guardian)
    expect(page.get_by_text("Logged in as")).to_be_visible()
    album.look("dashboard")
    open_application(page, applications[GRADEBOOK])
    expect(page.get_by_role("heading", name="Your children")).to_be_visible()
    album.look("gradebook")
    page.get_by_role("main").get_by_role("link").first.click()
    album.look("gradebook-child")
    for name, path in (("home", "/"), ("help-inside", "/help"), ("nowhere-inside", "/no"), *_SETTINGS):
        album.visit(name, issuer + path)
    for button, within in (("Menu", None), ("Profile", "header")):
        page.goto(issuer)
        page.get_by_role("button", name=button, exact=True).click()
        album.look(f"home-{button.lower()}", within)
    album.visit("reauthenticate", f"{issuer}/reauthenticate?next=/account")
    album.visit("logout-question", f"{issuer}/logout")
    page.goto(applications[GRADEBOOK])
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()
    album.look("gradebook-logged-out")


def _newcomer(album: Album, district: District) -> None:
    page = album.page
    page.goto(f"{district.issuer}/login")
    newcomer = district.newcomer(security_email=None)
    log_in(page, newcomer)
    expect(page.get_by_label("New Password", exact=True)).to_be_visible()
    album.look("setup-password")
    page.get_by_label("New Password", exact=True).fill("short")
    page.get_by_role("button", name="Save", exact=True).click()
    album.look("setup-password-refused")
    page.get_by_label("New Password", exact=True).fill(_CHOSEN)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_label("Email Address", exact=True).fill("nora@gmial.com")
    album.look("setup-security-email")
    page.get_by_role("button", name="Save", exact=True).click()
    album.look("setup-security-email-refused")
    page.get_by_label("Email Address", exact=True).fill(f"{newcomer.username}@example.net")
    page.get_by_label("Current Password", exact=True).fill(_CHOSEN)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Continue")).to_be_visible()
    album.look("security-email-sent")
    page.get_by_role("button", name="Resend Verification Email").click()
    album.look("security-email-resent-too-soon")
    album.visit("account-settings-not-verified", f"{district.issuer}/account/settings")
    address = _link_of(page, district, f"{newcomer.username}@example.net")
    album.visit("verify-email", address)
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_role("heading", name="Your Security Email Is Verified")).to_be_visible()
    album.look("verified")
    album.visit("verify-email-again", address)
    album.visit("change-security-email", f"{district.issuer}/account/security-email")
    page.get_by_label("Email Address", exact=True).fill(f"{newcomer.username}@example.com")
    page.get_by_label("Current Password", exact=True).fill(_CHOSEN)
    page.get_by_role("button", name="Save", exact=True).click()
    album.visit("not-me", _link_of(page, district, f"{newcomer.username}@example.net", "not-me"))
    page.get_by_role("button", name="This Was Not Me", exact=True).click()
    expect(page.get_by_role("heading", name="The Change Was Stopped")).to_be_visible()
    album.look("stopped")


def _link_of(page: Page, district: District, to: str, kind: str = "verify-email") -> str:
    """Return the newest link of a kind that was mailed to an address, once the worker has delivered it."""
    for _ in range(100):
        for message in page.request.get(f"{district.issuer}/mailbox/messages.json?to={to}").json():
            if found := re.search(rf"http\S+/{kind}\?token=\S+", message["text"]):
                return found[0]
        page.wait_for_timeout(100)
    raise AssertionError(f"no mail with such a link came to {to}")


def _forgetful(album: Album, district: District) -> None:
    """What comes after Forgot Password? and Forgot Username?, whose first pages a visitor has seen."""
    page, issuer = album.page, district.issuer
    who = district.newcomer()
    address = f"{who.username}@recovers.example.org"
    district.verify(who, address)
    for name, label, typed in (
        ("forgot-username", "Security email", address),
        ("forgot-password", "Username or security email", who.username),
    ):
        page.goto(f"{issuer}/{name}")
        page.get_by_role("button", name="Send Email", exact=True).click()
        album.look(f"{name}-refused")
        page.get_by_label(label, exact=True).fill(typed)
        page.get_by_role("button", name="Send Email", exact=True).click()
        expect(page.get_by_role("heading", name="Check Your Email")).to_be_visible()
        album.look(f"{name}-answered")
    page.get_by_label("Code", exact=True).fill("12345678")
    page.get_by_role("button", name="Go On", exact=True).click()
    album.look("forgot-password-wrong-code")
    link = next(word for word in district.mail(address, "?token=").split() if "?token=" in word)
    album.visit("reset-password", link)
    page.get_by_label("New Password", exact=True).fill("short")
    page.get_by_role("button", name="Save", exact=True).click()
    album.look("reset-password-refused")
    for name in ("reset-password", "first-password"):
        album.visit(f"{name}-link-refused", f"{issuer}/{name}?token=x")
    district.let_temporary_password_expire(who)
    page.goto(f"{issuer}/login")
    log_in(page, who)
    album.look("temporary-password-expired")
    page.get_by_role("button", name="Send Email", exact=True).click()
    album.look("temporary-password-answered")


def _doubted(album: Album, district: District) -> None:
    """What comes after wrong passwords: the box, its questions, and the pages for whoever has no JavaScript."""
    page, issuer = album.page, district.issuer
    who, check = district.newcomer(), Check(page, district)
    suspect(district, who.username)
    page.goto(f"{issuer}/login")
    log_in(page, who)
    album.look("robot")
    page.get_by_role("button", name="Log In", exact=True).click()
    album.look("robot-refused")
    log_in(page, who)
    check.tick.click()
    expect(check.question).to_be_visible()
    album.look("robot-pictures", within="main")
    check.button(min(check.squares().right)).click()
    expect(page.get_by_text("has a new picture")).to_be_attached()
    album.look("robot-replaced", within="main")
    page.get_by_role("button", name="Listen Instead", exact=True).click()
    expect(page.locator("audio")).to_be_visible()
    album.look("robot-sound", within="main")
    album.visit("robot-plain", f"{issuer}/robot?purpose=log_in")
    page.get_by_role("button", name="Show Pictures", exact=True).click()
    album.look("robot-plain-pictures")
    page.get_by_role("button", name="Verify", exact=True).click()
    album.look("robot-plain-refused")
    page.get_by_role("button", name="Listen Instead", exact=True).click()
    album.look("robot-plain-sound", within="main")


def _admin(album: Album, district: District) -> None:
    page, issuer = album.page, district.issuer
    page.goto(f"{issuer}/admin")
    log_in(page, district.admin)
    expect(page).to_have_url(f"{issuer}/admin")
    album.look("console")
    album.visit("console-list", f"{issuer}/admin/clients")
    album.visit("console-list-empty", f"{issuer}/admin/clients?q=nothing-like-it")
    album.visit("console-new", f"{issuer}/admin/clients/new")
    page.get_by_role("button", name="Register").click()
    album.look("console-new-refused")
    client_id = _register(page)
    album.look("console-registered")
    for name in ("", "edit", "rotate-secret", "disable", "remove"):
        album.visit(f"console-{name or 'application'}", f"{issuer}/admin/clients/{client_id}/{name}".rstrip("/"))
    _ask(album, issuer, client_id)
    page.goto(f"{issuer}/admin/clients/{client_id}/disable")
    page.get_by_role("button", name="Disable").click()
    album.look("console-disabled")


def _register(page: Page) -> str:
    page.get_by_label("Name", exact=True).fill("Lunch Orders")
    page.get_by_label("What is it for?").fill("Order lunch, and see what your child had.")
    page.get_by_label("Somebody else").check()
    page.get_by_label("Redirect addresses").fill("https://lunch.example/callback")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("is registered")
    return page.locator("#client-id").inner_text()


def _ask(album: Album, issuer: str, client_id: str) -> None:
    """Look at the pages that come between an application's request and its answer."""
    request = {
        "client_id": client_id,
        "redirect_uri": "https://lunch.example/callback",
        "response_type": "code",
        "scope": "openid profile",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    album.visit("consent", f"{issuer}/oauth/authorize?{urlencode(request)}")
    expect(album.page.get_by_role("button", name="Allow", exact=True)).to_be_visible()
    album.visit("select-account", f"{issuer}/oauth/authorize?{urlencode(request | {'prompt': 'select_account'})}")


def _secretary(album: Album, district: District) -> None:
    page, issuer = album.page, district.issuer
    number = district.ask_for_support(page)
    page.goto(f"{issuer}/desk")
    log_in(page, district.support)
    expect(page).to_have_url(f"{issuer}/desk")
    album.look("desk")
    for name, query in (("closed", "state=closed"), ("found", f"q={number}"), ("nothing", "q=nobody")):
        album.visit(f"desk-{name}", f"{issuer}/desk?{query}")
    for name in ("", "account"):
        album.visit(f"desk-request-{name}", f"{issuer}/desk/requests/{number}/{name}".rstrip("/"))
    page.goto(f"{issuer}/desk/requests/{number}")
    page.get_by_text("Reply by mail", exact=True).click()
    page.get_by_role("button", name="Send", exact=True).click()
    album.look("desk-reply-refused")
    page.get_by_label("Your answer").fill("Please look into your spam folder.\n\nThen try again.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Written to by mail")).to_be_visible()
    album.look("desk-replied")
    album.visit("desk-people", f"{issuer}/desk/people")
    album.visit("desk-wrong-passwords", f"{issuer}/desk/wrong-passwords")
    album.visit("desk-people-found", f"{issuer}/desk/people?q={district.guardian.username}")
    page.get_by_role("link", name=district.guardian.name, exact=True).click()
    expect(page.get_by_role("heading", name="Mail to this person")).to_be_visible()
    album.look("desk-person")
    person = page.url
    for name in ("rename", "temporary-password", "verification", "security-email", "unlock", "recovery"):
        album.visit(f"desk-{name}", f"{person}/{name}")
    page.get_by_role("button", name="Save", exact=True).click()
    album.look("desk-recovery-refused")


_TOURS = (_visitor, _guardian, _newcomer, _forgetful, _doubted, _admin, _secretary)


@pytest.mark.parametrize("tour", _TOURS, ids=lambda tour: tour.__name__.strip("_"))
def test_no_page_has_a_barrier_or_is_cut_off(
    district: District, chromium: Chromium, pictures: Path, width: int, tour: Tour
) -> None:
    with chromium.window(width) as page:
        album = Album(page, width, pictures)
        tour(album, district)

    assert not album.problems, "\n".join(album.problems)
    assert len(album.seen) > 1
    assert min(album.weights.values()) > 4_000, "a page without its style was weighed"
    if width == PHONE:
        tables.add_weights(album.weights)


def test_a_barrier_is_found(chromium: Chromium) -> None:
    barriers = '<img src="x"><p style="color: #aaa; background: #fff">pale</p><input>'
    with chromium.window() as page:
        page.set_content(f'<html lang="en"><title>A page</title><main>{barriers}</main></html>')
        found = violations(page)
        within = violations(page, "p")
        colors = violations(page, colors_alone=True)

    assert len(found) == 3
    assert [("color-contrast" in line, "pale" in line) for line in colors] == [(True, True)]
    assert [("color-contrast" in line, "pale" in line) for line in within] == [(True, True)]
