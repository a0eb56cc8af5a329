"""FAQ: "How do I change my password?" Click by click, to the mail that tells of it."""

from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.district import LogIn
from tests.journeys.post import Mailing, plain
from tests.windows import PHONE, Chromium, taken

pytestmark = [pytest.mark.journey, pytest.mark.one_database]

NEW = "willow-harbour-29-lantern-cobalt"


@dataclass(frozen=True)
class Words:
    """What the pages say in a language."""

    language: str
    name: str
    username: str
    password: str
    log_in: str
    profile: str
    settings: str
    account_settings: str
    update: str
    current: str
    new: str
    rule: str
    strong: str
    save: str
    done: str
    subject: str


ENGLISH = Words(
    *("en", "English", "Username", "Password", "Log In", "Profile", "Settings", "Account Settings", "Update Password"),
    *("Current Password", "New Password", "At least 15 characters", "Strong.", "Save", "Your password was changed."),
    "Your password was changed",
)
SPANISH = Words(
    *("es", "Español", "Nombre de usuario", "Contraseña", "Iniciar sesión", "Perfil", "Configuración"),
    *("Configuración de la cuenta", "Actualizar contraseña", "Contraseña actual", "Contraseña nueva"),
    *("Al menos 15 caracteres", "Segura.", "Guardar", "Se cambió su contraseña.", "Se cambió su contraseña"),
)


@pytest.mark.parametrize(
    ("words", "javascript"),
    [(ENGLISH, True), (ENGLISH, False), (SPANISH, True)],
    ids=["", "no scripts", "Spanish"],
)
def test_r48_r49_r50_r51_r52_the_password_is_changed_as_the_answer_says(
    mailing: Mailing, chromium: Chromium, words: Words, javascript: bool
) -> None:
    """And back again, so that others can still log in."""
    before, district = len(mailing.office.got), mailing.district
    changed = replace(district.other_guardian, password=NEW)
    with (
        chromium.window(PHONE, javascript=javascript) as page,
        chromium.window(PHONE) as elsewhere,
    ):
        for window in (page, elsewhere):
            window.goto(f"{district.issuer}/login")
            _speak(window, words)
            _log_in(window, words, district.other_guardian)
        _walk_to_the_form(page, words)
        _change(page, words, district.other_guardian, changed, meter=javascript)

        elsewhere.goto(district.issuer)
        expect(elsewhere.get_by_role("button", name=words.log_in, exact=True)).to_be_visible()
        _log_in(elsewhere, words, district.other_guardian)
        expect(elsewhere.get_by_role("button", name=words.log_in, exact=True)).to_be_visible()
        _log_in(elsewhere, words, changed)
        _expect_inside(elsewhere, words)
        _walk_to_the_form(page, words)
        _change(page, words, changed, district.other_guardian, meter=False)
        _speak(page, ENGLISH)

    mail = mailing.office.wait_for(words.subject, naming=changed.username, after=before)
    assert mail["Content-Language"] == words.language
    assert not any(secret in plain(mail) for secret in (NEW, district.other_guardian.password))


def _speak(page: Page, words: Words) -> None:
    """Pick a language, which the account remembers, unless the page speaks it already."""
    if page.locator("html").get_attribute("lang") != words.language:
        page.get_by_role("link", name=words.name, exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", words.language)


def _walk_to_the_form(page: Page, words: Words) -> None:
    """Profile, Settings, Account Settings, Update next to the password."""
    page.get_by_role("button", name=words.profile, exact=True).click()
    page.get_by_role("banner").get_by_role("link", name=words.settings, exact=True).click()
    page.get_by_role("main").get_by_role("link", name=words.account_settings, exact=True).click()
    page.get_by_role("link", name=words.update).click()
    expect(page.get_by_label(words.new, exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text(words.rule)
    expect(page.get_by_label(words.new, exact=True)).to_have_value("")


def _change(page: Page, words: Words, old: LogIn, new: LogIn, *, meter: bool) -> None:
    page.get_by_label(words.current, exact=True).fill(old.password)
    page.get_by_label(words.new, exact=True).press_sequentially(new.password)
    if meter:
        expect(page.locator("[data-says]")).to_contain_text(words.strong)
    assert taken(page) <= PHONE
    page.get_by_role("button", name=words.save, exact=True).click()
    expect(page.get_by_role("main")).to_contain_text(words.done)


def _log_in(page: Page, words: Words, who: LogIn) -> None:
    page.get_by_label(words.username, exact=True).fill(who.username)
    page.get_by_label(words.password, exact=True).fill(who.password)
    page.get_by_role("button", name=words.log_in, exact=True).click()


def _expect_inside(page: Page, words: Words) -> None:
    expect(page.get_by_role("button", name=words.profile, exact=True)).to_be_visible()
