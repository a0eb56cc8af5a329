"""A parent without an account asks for one, and a parent with a question of its own: from the link to the answer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from idp.settings import Settings
from tests.databases import SQLITE, Databases, with_database
from tests.mail.conftest import MailServer, certificate, mail_port, mail_server, settings, start_mail_server
from tests.servers import provider
from tests.windows import PHONE, Chromium

__all__ = ["certificate", "mail_port", "mail_server", "settings", "start_mail_server"]

pytestmark = pytest.mark.journey


@dataclass(frozen=True)
class Portal:
    """The provider with its worker, and the mail server that its mail goes to."""

    issuer: str
    mail: MailServer

    def next_mail(self) -> EmailMessage:
        """Wait for a mail."""
        deadline = time.monotonic() + 60
        while not self.mail.got:
            assert time.monotonic() < deadline, "no mail has come"
            time.sleep(0.1)
        return self.mail.got.pop(0)


@pytest.fixture
def portal(settings: Settings, mail_server: MailServer, all_databases: Databases, tmp_path: Path) -> Iterator[Portal]:
    """A district with two languages, and mail that is delivered."""
    spoken = replace(settings.district, languages=("en", "es"))
    wanted = replace(settings, district=spoken, support=replace(settings.support, fill_in_seconds=1))
    with (
        all_databases.new(SQLITE) as url,
        provider(with_database(wanted, url), tmp_path, with_worker=True) as started,
    ):
        yield Portal(started.origin, mail_server)


def test_i_do_not_have_a_parent_portal_account_what_should_i_do(portal: Portal, chromium: Chromium) -> None:
    """R53, R54, R55, R59: on a phone, from the log-in page to the mail and the state of the request."""
    with chromium.window(PHONE) as page:
        page.goto(f"{portal.issuer}/login")
        page.get_by_role("link", name="I do not have an account", exact=True).click()
        expect(page.get_by_label("What do you need help with?")).to_have_value("no-account")
        _fill_in(page, "Your name", "Ewa Kowalska")
        page.get_by_label("Who are you to the student?").select_option(label="Parent")
        _fill_in(page, "The student\u2019s name", "Jan Kowalski")
        page.get_by_label("The student\u2019s school").select_option(index=1)
        _fill_in(page, "Email", "ewa.kowalska@example.org")
        _fill_in(page, "Your question, in a few words", "We moved here last week.")
        expect(page.get_by_text("Characters left: 976")).to_be_visible()
        _send(page, "Send")
        expect(page.get_by_role("heading", level=1)).to_have_text("We have your request")
        number = page.locator(".ticket-number").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE

        mail = portal.next_mail()
        told = mail.get_body(("plain",))
        assert told is not None
        text = told.get_content()
        assert mail["To"] == "ewa.kowalska@example.org"
        assert number.replace(" ", "") in mail["Subject"]
        assert "We moved here" not in text

        page.goto(next(line for line in text.splitlines() if line.startswith("http")))
        _fill_in(page, "Number of your request", number)
        _fill_in(page, "Your email address or phone number", "ewa.kowalska@example.org")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_text("We have it, and will contact you.")).to_be_visible()
        expect(page.get_by_text("I have no account", exact=True)).to_be_visible()


def test_my_question_is_not_answered_above_how_do_i_get_more_help(portal: Portal, chromium: Chromium) -> None:
    """R57, R58, R59 in Spanish, without JavaScript: from Help's last answer to the mail and the state."""
    with chromium.window(javascript=False, language="es-US") as page:
        page.goto(f"{portal.issuer}/help")
        page.locator("a[href='/support?topic=other']").click()
        expect(page.get_by_label("¿Con qué necesita ayuda?")).to_have_value("other")
        _send(page, "Enviar")
        expect(page.get_by_role("alert")).to_contain_text("Díganos en pocas palabras qué necesita.")
        _fill_in(page, "Su nombre", "Rosa Núñez")
        page.get_by_label("¿Quién es usted para el estudiante?").select_option(label="Padre o madre")
        _fill_in(page, "Nombre del estudiante", "Luis Núñez")
        page.get_by_label("Escuela del estudiante").select_option(label="Otra escuela")
        _fill_in(page, "Correo electrónico", "rosa@example.org")
        _fill_in(page, "Su pregunta, en pocas palabras", "¿Dónde veo el menú de la cafetería?")
        _send(page, "Enviar")
        expect(page.get_by_role("heading", level=1)).to_have_text("Recibimos su solicitud")
        number = page.locator(".ticket-number").inner_text()

        mail = portal.next_mail()
        assert mail["Subject"] == f"Su solicitud de ayuda: número {number.replace(' ', '')}"

        page.get_by_role("link", name="Ver cómo va su solicitud", exact=True).click()
        _fill_in(page, "Número de su solicitud", number)
        _fill_in(page, "Su correo electrónico o número de teléfono", "rosa@example.org")
        page.get_by_role("button", name="Mostrar", exact=True).click()
        expect(page.get_by_text("La tenemos, y nos comunicaremos con usted.")).to_be_visible()


def _fill_in(page: Page, label: str, value: str) -> None:
    page.get_by_label(label).fill(value)


def _send(page: Page, button: str) -> None:
    """Send the form as soon as a person could have filled it in."""
    page.wait_for_timeout(1100)
    page.get_by_role("button", name=button, exact=True).click()
