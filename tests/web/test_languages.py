"""The language of a page: picked on it, kept by browser and account, wished for by an application."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask_babel import gettext

from idp import clock
from idp.accounts import service as accounts
from idp.database import db
from idp.mail import composing
from idp.mail import service as mail
from idp.settings import Settings
from idp.web import language
from tests.factories import Person, Registered
from tests.pages import Browser, Page

SAME, OTHER = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}
SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A district that speaks English and Spanish."""
    return replace(settings, district=replace(settings.district, languages=("en", "es")))


def test_the_browsers_language_is_spoken_until_another_is_picked(browser: Browser) -> None:
    browser.headers = SPANISH
    assert _lang(browser.open("/login")) == "es"

    _pick(browser, "English")

    assert _lang(browser.page) == "en"
    assert _lang(browser.open("/help")) == "en"


def test_the_picker_names_each_language_in_its_own_words(browser: Browser) -> None:
    page = browser.open("/login")

    spanish = next(link for link in page.root.all("a") if link.words == "Español")
    assert (spanish.get("lang"), spanish.get("hreflang")) == ("es", "es")
    assert [item.words for item in page.root.all("strong") if item.get("aria-current")] == ["English"]


def test_a_district_of_one_language_has_no_picker(app: Flask, settings: Settings) -> None:
    app.config["IDP"] = replace(settings, district=replace(settings.district, languages=("en",)))

    page = Browser(app.test_client(), settings.server.issuer).open("/login")

    assert "English" not in page.words


@pytest.mark.parametrize("path", ["/nowhere", "/help", "/login", "/oauth/authorize?client_id=nobody", "/logout"])
def test_every_page_has_the_picker_and_it_leads_back_to_the_page(browser: Browser, path: str) -> None:
    browser.open(path)
    status = browser.status

    _pick(browser, "Español")

    assert (browser.page.path, browser.status, _lang(browser.page)) == (path, status, "es")


def test_picking_keeps_the_request_of_an_application(browser: Browser) -> None:
    sealed = "/login?continue=a-sealed.request_that~is%2Blong&next=%2Fhelp"

    answer = browser.send("GET", f"{sealed}&language=es", headers=SAME)

    assert answer.location == sealed


def test_an_address_that_somebody_else_made_is_kept_as_browsers_write_it(browser: Browser) -> None:
    answer = browser.send("GET", "/support?summary=o'clock&language=es", headers=SAME)

    assert answer.location == "/support?summary=o%27clock"


def test_a_page_that_a_form_led_to_offers_itself_anew(browser: Browser) -> None:
    page = browser.log_in("nobody", "wrong", path="/login?next=/account")

    assert page.status == 422
    assert page.links["Español"] == "/login?next=/account&language=es"


@pytest.mark.parametrize("picked", ["", "fr", "es\r\nSet-Cookie: a=b", "x" * 5000, "../../etc"])
def test_what_is_no_language_on_offer_changes_nothing(browser: Browser, picked: str) -> None:
    page = browser.send("GET", "/login", query_string={"language": picked}, headers=SAME)

    assert (page.status, _lang(page)) == (200, "en")
    assert "idp_language" not in browser.cookies


def test_an_address_with_two_slashes_leads_to_no_other_host(browser: Browser) -> None:
    answer = browser.send("GET", "//evil.example/x", query_string={"language": "es"}, headers=SAME)

    assert not (answer.location or "").startswith("//")


def test_who_picks_while_logged_in_is_known_by_it_everywhere(
    browser: Browser, parent: Person, new_browser: Callable[[], Browser]
) -> None:
    _log_in(browser, parent)
    browser.open("/account")

    _pick(browser, "Español")

    assert _locale(parent) == "es"
    elsewhere = new_browser()
    _log_in(elsewhere, parent)
    assert _lang(elsewhere.open("/account")) == "es"


def test_what_is_picked_on_the_way_to_a_log_in_is_taken_over_by_the_account(browser: Browser, parent: Person) -> None:
    _log_in(browser, parent)
    assert _locale(parent) == "en"
    _log_out(browser)
    browser.open("/login")
    _pick(browser, "Español")

    _log_in(browser, parent)

    assert _locale(parent) == "es"
    assert _lang(browser.open("/account")) == "es"


def test_the_first_log_in_tells_the_language_of_an_account_that_has_none(browser: Browser, parent: Person) -> None:
    assert not _locale(parent)
    browser.headers = SPANISH

    _log_in(browser, parent)

    assert _locale(parent) == "es"


def test_the_next_one_at_the_same_browser_keeps_their_own_language(
    browser: Browser,
    account: Callable[..., Person],
) -> None:
    first, second = account(), account()
    _log_in_elsewhere_in_english(browser, second)
    browser.open("/login")
    _pick(browser, "Español")
    _log_in(browser, first)
    browser.open("/account")
    _log_out(browser)
    browser.open("/login")

    _log_in(browser, second)

    assert _locale(second) == "en"


def test_a_shared_computer_remembers_nobodys_language(browser: Browser, parent: Person) -> None:
    browser.open("/login")
    _pick(browser, "Español")
    _log_in(browser, parent, shared_computer=True)
    assert _lang(browser.open("/account")) == "es"
    _log_out(browser)

    assert _lang(browser.open("/login")) == "en"


def test_the_log_in_page_speaks_the_language_of_who_logged_in_last(browser: Browser, parent: Person) -> None:
    found = accounts.find_by_username(parent.username)
    assert found is not None
    found.locale = "es"
    db.session.commit()
    _log_in(browser, parent)
    browser.open("/account")
    _log_out(browser)

    assert _lang(browser.open("/login")) == "es"


def test_another_site_can_show_a_page_in_a_language_but_not_change_an_account(browser: Browser, parent: Person) -> None:
    _log_in(browser, parent)

    browser.send("GET", "/account?language=es", headers=OTHER)

    assert _locale(parent) == "en"
    browser.client.delete_cookie("idp_session")
    browser.send("GET", "/login?language=es", headers=OTHER)
    assert _lang(browser.open("/login")) == "es"
    _log_in(browser, parent)
    assert _locale(parent) == "en"


@pytest.mark.parametrize(
    ("wished", "spoken"),
    [
        ("es", "es"),
        ("fr-CA es-419 en", "es"),
        ("en es", "en"),
        ("fr", "es"),
        ("", "es"),
        ("e" * 9000, "es"),
        ("\x00", "es"),
    ],
)
def test_an_applications_wish_comes_before_the_browsers(
    browser: Browser,
    client: Callable[..., Registered],
    wished: str,
    spoken: str,
) -> None:
    """OpenID Connect Core 3.1.2.1, ui_locales: for the pages of this request, and never an error."""
    browser.headers = SPANISH

    page = browser.open(f"/oauth/authorize?{urlencode(_request(client(), wished))}", follow=True)

    assert (page.status, _lang(page)) == (200, spoken)


def test_what_was_picked_comes_before_an_applications_wish(browser: Browser, client: Callable[..., Registered]) -> None:
    browser.open("/login")
    _pick(browser, "Español")

    page = browser.open(f"/oauth/authorize?{urlencode(_request(client(), 'en'))}", follow=True)

    assert _lang(page) == "es"


def test_a_region_is_written_as_settings_write_it(app: Flask, settings: Settings) -> None:
    app.config["IDP"] = replace(settings, district=replace(settings.district, languages=("en", "es-MX")))
    browser = Browser(app.test_client(), settings.server.issuer, headers=SPANISH)

    page = browser.open("/login")

    assert _lang(page) == "es-MX"
    assert "Iniciar sesión" in page.words, "es-MX has the words of es"
    assert language.locale_of("es-MX").language == "es"


def _request(registered: Registered, ui_locales: str) -> dict[str, str]:
    return {
        "client_id": registered.client_id,
        "redirect_uri": registered.redirect_uri,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "ui_locales": ui_locales,
    }


def _log_in_elsewhere_in_english(browser: Browser, person: Person) -> None:
    _log_in(Browser(browser.client.application.test_client(), browser.origin), person)


def _pick(browser: Browser, name: str) -> None:
    browser.send("GET", browser.page.links[name], headers=SAME)
    browser.follow()


def _log_in(browser: Browser, person: Person, *, shared_computer: bool = False) -> None:
    """Fill in the log-in page in the language that it is in."""
    spanish = {"Username": "Nombre de usuario", "Password": "Contraseña", "Log In": "Iniciar sesión"}
    spanish["This is a shared computer"] = "Esta computadora es compartida"
    if browser._page is None or not browser.page.path.startswith("/login") or browser.status != 200:  # noqa: SLF001  a page may not be open yet
        browser.open("/login")
    words = spanish if _lang(browser.page) == "es" else {name: name for name in spanish}
    browser.fill(words["Username"], person.username).fill(words["Password"], person.password)
    if shared_computer:
        browser.tick(words["This is a shared computer"])
    browser.press(words["Log In"])


def _log_out(browser: Browser) -> None:
    browser.open("/?show=profile")
    browser.press("Cerrar sesión" if "Cerrar sesión" in browser.words else "Log Out")


def _lang(page: Page) -> str | None:
    return next(page.root.all("html")).get("lang")


def _locale(person: Person) -> str:
    db.session.expire_all()
    found = accounts.find_by_username(person.username)
    assert found is not None
    locale = found.locale
    db.session.rollback()
    return locale


def test_mail_is_written_in_the_language_of_whom_it_goes_to(app: Flask) -> None:
    """R16's kind: whatever language the page is in, and dates as that language writes them."""
    values = {"username": "ewa", "changed_at": datetime(2026, 3, 4, 20, 5, tzinfo=UTC)}

    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        spanish = composing.compose("login/password_changed", "es", values)
        english = composing.compose("login/password_changed", "en", values)
        page = gettext("Log In")

    assert "Se cambió su contraseña" in spanish.subject
    assert "4 mar 2026, 14:05" in spanish.text
    assert "Mar 4, 2026, 2:05" in english.text
    assert 'lang="es"' in spanish.html
    assert page == "Log In", "the page's own language is as before"


def test_mail_to_somebody_whose_language_nobody_offers_is_in_the_first(app: Flask) -> None:
    message = mail.send(
        "login/password_changed",
        "ewa@example.org",
        now=clock.now(),
        language="xx",
        username="ewa",
        changed_at=clock.now(),
    )

    assert message.language == "en"
    db.session.rollback()
