"""A school secretary in August: a request is answered by mail, and the desk says that the mail was delivered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from idp.accounts.models import SUPPORT
from idp.app import create_app
from idp.database import db
from idp.settings import Settings
from tests import factories, servers
from tests.databases import SQLITE, Databases, with_database
from tests.factories import Person
from tests.journeys.district import log_in
from tests.mail.conftest import MailServer, certificate, mail_port, mail_server, settings, start_mail_server
from tests.support import team
from tests.windows import DESK, PHONE, Chromium

__all__ = ["certificate", "mail_port", "mail_server", "settings", "start_mail_server"]

pytestmark = pytest.mark.journey

ADDRESS = "rosa@example.org"


@dataclass(frozen=True)
class School:
    """A provider whose mail goes to a real server, and what there is to do at its desk."""

    issuer: str
    secretary: Person
    parent: Person
    number: str


@pytest.fixture
def school(settings: Settings, mail_server: MailServer, all_databases: Databases, tmp_path: Path) -> Iterator[School]:
    """Run it with its worker."""
    with all_databases.new(SQLITE) as url:
        settings = with_database(settings, url)
        with create_app(settings).app_context():
            secretary = factories.account(role=SUPPORT, given_name="Sam", family_name="Support")
            parent = factories.account("rosa.alvarez", given_name="Rosa", family_name="Alvarez", email=ADDRESS)
            number = team.ticket("Rosa Alvarez", email="rosa@example.org", summary="Nothing came.\n  What now?")
            db.session.remove()
            db.engine.dispose()
        with servers.provider(settings, tmp_path, with_worker=True) as started:
            yield School(started.origin, secretary, parent, number)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_r42_r59_a_request_is_answered_and_the_answer_is_seen_to_arrive(
    school: School, mail_server: MailServer, chromium: Chromium, width: int
) -> None:
    with chromium.window(width) as page:
        page.goto(f"{school.issuer}/desk")
        log_in(page, school.secretary)
        page.get_by_role("link", name="Rosa Alvarez: Verification email not received").click()
        page.get_by_role("link", name="Find the account").click()
        page.get_by_role("button", name="It is rosa.alvarez").click()
        expect(page.get_by_text("The request belongs to this account now.")).to_be_visible()
        page.get_by_text("Reply by mail", exact=True).click()
        page.get_by_label("Your answer").fill("Please look into your spam folder.\n\nThen call me: 847-555-0142.")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text("The answer is on its way.")).to_be_visible()
        _expect_after_a_while(
            page, f"{school.issuer}/desk/requests/{school.number}", "Accepted by the mail server: 250 2.0.0"
        )
        _send_a_temporary_password(page, school)
        page.get_by_role("link", name="Requests", exact=True).click()
        expect(page.get_by_role("link", name=re.compile(r"^Waiting \(1\)"))).to_be_visible()

    answer, password = mail_server.got
    assert answer["To"] == ADDRESS
    body = answer.get_body(("plain",))
    assert body is not None
    assert "Then call me: 847-555-0142." in body.get_content()
    assert password["To"] == ADDRESS


def _send_a_temporary_password(page: Page, school: School) -> None:
    page.get_by_role("link", name="Rosa Alvarez", exact=True).click()
    page.get_by_role("link", name="Send a new temporary password").click()
    page.get_by_label("Why?").fill(f"Request {school.number}: called, and knew the student’s number.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("It is on its way to the address on file.")).to_be_visible()
    _expect_after_a_while(page, f"{school.issuer}/desk/people/{school.parent.id}", "Accepted by the mail server", 2)


def _expect_after_a_while(page: Page, address: str, words: str, times: int = 1) -> None:
    """Open a page until it says something so many times: a worker needs a moment."""
    for _ in range(100):
        page.goto(address)
        if page.get_by_role("main").inner_text().count(words) >= times:
            return
        page.wait_for_timeout(200)
    raise AssertionError(page.get_by_role("main").inner_text())
