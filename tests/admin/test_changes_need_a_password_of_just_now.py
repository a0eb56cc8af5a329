"""A change asks for the password again when the log-in is older than ten minutes, and loses nothing (ATTACKS AD5)."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.clients.models import Client
from idp.database import db
from idp.settings import Settings
from tests.admin.conftest import URI
from tests.factories import Person, Registered
from tests.ladders import without_robot_checks
from tests.pages import Browser

Travel = Callable[[timedelta], AbstractContextManager[None]]
LATER = timedelta(minutes=11)
PAGES = ["edit", "rotate-secret", "disable", "enable", "remove"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Wrong passwords bring waits here; the robot checks before them are tested elsewhere."""
    return without_robot_checks(settings)


@pytest.fixture
def path(client: Callable[..., Registered]) -> str:
    return f"/admin/clients/{client().client_id}"


def names() -> list[str]:
    return list(db.session.scalars(select(Client.client_name)))


@pytest.mark.parametrize("page", PAGES)
def test_a_form_of_changes_opens_after_the_password(console: Browser, path: str, travel: Travel, page: str) -> None:
    with travel(LATER):
        console.open(f"{path}/{page}")

        assert console.status == 303
        assert console.location == f"/reauthenticate?next={path}/{page}"


def test_the_registration_form_opens_after_the_password(console: Browser, admin: Person, travel: Travel) -> None:
    with travel(LATER):
        console.open("/admin/clients/new")
        console.follow()
        console.fill("Password", admin.password).press("Log In", follow=True)

        assert console.status == 200
        assert console.page.path == "/admin/clients/new"


def test_looking_asks_for_no_password(console: Browser, path: str, travel: Travel) -> None:
    with travel(LATER):
        assert [console.open(page).status for page in ("/admin", "/admin/clients", path)] == [200, 200, 200]


def test_a_form_that_is_sent_too_late_is_shown_again_with_all_that_was_typed(
    console: Browser, admin: Person, travel: Travel
) -> None:
    console.open("/admin/clients/new")
    console.fill("Name", "Lunch Orders").fill("Redirect addresses", URI).fill("What is it for?", "Orders lunch.")
    with travel(LATER):
        page = console.press("Register")
        assert page.status == 422
        assert names() == []
        assert page.value("Redirect addresses") == URI
        assert page.value("What is it for?") == "Orders lunch."

        console.fill("Current Password", admin.password)
        assert console.press("Register").status == 200
        assert names() == ["Lunch Orders"]


def test_after_the_password_the_session_is_renewed_and_the_next_change_asks_for_none(
    console: Browser, admin: Person, path: str, travel: Travel
) -> None:
    before = console.cookies["idp_session"]
    console.open(f"{path}/disable")
    with travel(LATER):
        console.press("Disable")
        console.fill("Current Password", admin.password).press("Disable", follow=True)
        assert console.status == 200
        assert console.cookies["idp_session"] != before

        console.open(f"{path}/enable")
        assert console.press("Enable").status == 303


@pytest.mark.parametrize(
    ("page", "button"),
    [("disable", "Disable"), ("rotate-secret", "Replace the secret"), ("remove", "Remove"), ("edit", "Save")],
)
def test_a_wrong_password_changes_nothing(console: Browser, path: str, travel: Travel, page: str, button: str) -> None:
    console.open(f"{path}/{page}")
    if page == "remove":
        console.fill("Name of the application", "Lunch Orders")
    with travel(LATER):
        console.press(button)
        console.fill("Current Password", "not the password at all")
        answer = console.press(button)

        assert answer.status == 422
        assert "not right" in answer.error("Current Password")
    client = db.session.scalars(select(Client).execution_options(populate_existing=True)).one()
    assert (client.revision, client.disabled_at, client.removed_at) == (1, None, None)


def test_guessing_the_password_here_is_throttled(console: Browser, admin: Person, path: str, travel: Travel) -> None:
    console.open(f"{path}/disable")
    with travel(LATER):
        console.press("Disable")
        statuses = []
        for _guess in range(6):
            console.fill("Current Password", "not the password at all")
            statuses.append(console.press("Disable").status)
        console.fill("Current Password", admin.password)
        last = console.press("Disable")

    assert statuses[0] == 422
    assert last.status == 429
    assert int(last.headers["Retry-After"]) > 0


def test_an_idle_admin_is_logged_out(console: Browser, path: str, travel: Travel) -> None:
    with travel(timedelta(minutes=16)):
        assert (console.open(path).location or "").startswith("/login?next=")
