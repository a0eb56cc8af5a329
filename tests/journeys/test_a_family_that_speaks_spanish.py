"""A family that reads Spanish: from the school's page to its tools and to Help, in its own language all the way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.district import EAST, District, LogIn, log_in
from tests.windows import DESK, PHONE, Chromium, taken, violations

pytestmark = [pytest.mark.journey, pytest.mark.one_database]


@pytest.fixture
def spanish(district: District, chromium: Chromium) -> LogIn:
    """A guardian who has not logged in before, so that nothing is known of their language."""
    return district.newcomer()


def test_a_phone_that_speaks_spanish_is_answered_in_spanish(
    district: District, chromium: Chromium, spanish: LogIn
) -> None:
    """The browser's language at the school's page, at the log-in page (by ui_locales) and in the portal."""
    with chromium.window(PHONE, language="es-MX") as page:
        page.goto(district.applications[EAST])
        page.get_by_role("link", name="Iniciar sesión", exact=True).click()
        _expect_spanish(page)
        _log_in(page, spanish)
        expect(page.get_by_role("heading", level=1)).to_have_text("Elija una contraseña nueva")
        _expect_spanish(page)

    with chromium.window(PHONE) as page:
        page.goto(f"{district.issuer}/login")
        page.get_by_label("Username", exact=True).fill(spanish.username)
        page.get_by_label("Password", exact=True).fill(spanish.password)
        page.get_by_role("button", name="Log In", exact=True).click()
        expect(page.get_by_label("New Password", exact=True)).to_be_visible()


def test_spanish_is_picked_once_and_spoken_from_then_on(district: District, chromium: Chromium) -> None:
    """R2: on LOGIN, without JavaScript; then in the portal, in Help, and at the next log-in."""
    who = district.other_guardian
    with chromium.window(PHONE, javascript=False) as page:
        page.goto(f"{district.issuer}/login")
        page.get_by_role("link", name="Español", exact=True).click()
        _expect_spanish(page)
        _log_in(page, who)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hola")
        page.goto(f"{district.issuer}/help")
        page.get_by_role("link", name="¿Cómo cambio mi contraseña?").click()
        expect(page).to_have_url(re.compile(r"/help#change-password$"))
        expect(page.get_by_role("heading", name="¿Cómo cambio mi contraseña?")).to_be_in_viewport()
        page.goto(district.applications[EAST])
        page.get_by_role("link", name="Log in", exact=True).click()
        expect(page.get_by_text(f"Sesión iniciada como {who.name}")).to_be_visible()

    with chromium.window(PHONE) as page:
        page.goto(f"{district.issuer}/login")
        page.get_by_label("Username", exact=True).fill(who.username)
        page.get_by_label("Password", exact=True).fill(who.password)
        page.get_by_role("button", name="Log In", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hola")
        page.get_by_role("link", name="English", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_help_and_the_log_in_page_have_no_barrier_in_either_language(
    district: District, chromium: Chromium, *, dark: bool
) -> None:
    """R1, R2: WCAG 2.2 A and AA, and nothing wider than a phone."""
    problems = []
    with chromium.window(PHONE, dark=dark) as page:
        for language in ("en", "es"):
            for path in ("login", "help"):
                page.goto(f"{district.issuer}/{path}?language={language}")
                expect(page.locator("html")).to_have_attribute("lang", language)
                problems += violations(page)
                assert taken(page) <= PHONE, path

    assert not problems, "\n".join(problems)


_PAGES = {
    "visitor": "login help support support/ticket forgot-password forgot-username nowhere logout "
    "oauth/authorize?client_id=nobody verify-email not-me verify-email?done=1 not-me?done=1",
    "guardian": "help account account/settings account/password account/security-email account/sessions account/history"
    " account/applications",
    "admin": "admin admin/clients admin/clients/new desk desk?state=closed desk?q=nobody desk/people desk/people?q=a",
}


@pytest.mark.parametrize("width", [PHONE, pytest.param(DESK, marks=pytest.mark.long)])
@pytest.mark.parametrize("who", _PAGES)
def test_no_page_that_has_an_address_has_a_barrier_in_spanish(
    district: District, chromium: Chromium, who: str, width: int
) -> None:
    """Longer words, and the same pages: WCAG 2.2 A and AA in light and dark, and nothing cut off."""
    problems = []
    with chromium.window(width) as page, _in_spanish(page, district, who):
        for path in _PAGES[who].split():
            page.goto(f"{district.issuer}/{path}")
            expect(page.locator("html")).to_have_attribute("lang", "es")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                problems += violations(page, colors_alone=scheme == "dark")
            if taken(page) > width:
                problems.append(f"{path}: wider than {width} pixels")

    assert not problems, "\n".join(problems)


_FORMS = {
    "visitor": ["login"],
    "newcomer": ["setup/password"],
    "guardian": ["account/password", "reauthenticate?next=/account"],
    "admin": ["admin/clients/new"],
}
"""Pages whose form refuses to be sent empty."""


@pytest.mark.parametrize("who", _FORMS)
def test_no_form_that_is_refused_has_a_barrier_in_spanish(
    district: District, chromium: Chromium, pictures: Path, who: str
) -> None:
    """The summary, each field's words and what ties them together: in light and dark, on a phone, in Spanish alone."""
    problems = []
    with chromium.window(PHONE) as page, _in_spanish(page, district, who):
        for path in _FORMS[who]:
            page.goto(f"{district.issuer}/{path}")
            page.locator("main button.btn-primary").click()
            expect(page.get_by_role("alert", name="Hay un problema")).to_be_visible()
            expect(page.locator("[aria-invalid]").first).to_be_visible()
            expect(page.locator(".field-error").first).to_contain_text("Error:")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                if found := violations(page, colors_alone=scheme == "dark"):
                    problems += [f"{path}, {scheme}: {line}" for line in found]
                    page.screenshot(path=pictures / f"{path.partition('?')[0].replace('/', '-')}-{scheme}.png")
            if taken(page) > PHONE:
                problems.append(f"{path}: wider than {PHONE} pixels")

    assert not problems, "\n".join(problems)


@contextmanager
def _in_spanish(page: Page, district: District, who: str) -> Iterator[None]:
    """Pick Spanish for who goes through the pages, and English again for the tests that come after."""
    page.goto(f"{district.issuer}/login")
    if who == "newcomer":
        log_in(page, district.newcomer())
        expect(page.get_by_label("New Password", exact=True)).to_be_visible()
    elif who != "visitor":
        log_in(page, district.admin if who == "admin" else district.guardian)
        expect(page).to_have_url(f"{district.issuer}/")
    page.get_by_role("link", name="Español", exact=True).click()
    try:
        yield
    finally:
        page.goto(f"{district.issuer}/help")
        page.get_by_role("link", name="English", exact=True).click()


def _log_in(page: Page, who: LogIn) -> None:
    page.get_by_label("Nombre de usuario", exact=True).fill(who.username)
    page.get_by_label("Contraseña", exact=True).fill(who.password)
    page.get_by_role("button", name="Iniciar sesión", exact=True).click()


def _expect_spanish(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Log in")
