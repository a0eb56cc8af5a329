"""Editing, replacing the secret, disabling, enabling and removing on the console's pages."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from idp import clock
from idp.audit.models import AuditEvent
from idp.clients import registry, secrets, validation
from idp.clients import service as clients
from idp.clients.models import Client
from idp.database import db
from tests.factories import Person, Registered
from tests.pages import Browser


@pytest.fixture
def application(client: Callable[..., Registered]) -> Registered:
    return client()


@pytest.fixture
def path(application: Registered) -> str:
    return f"/admin/clients/{application.client_id}"


def copied(console: Browser) -> dict[str, str]:
    return {element.get("id") or "": element.words for element in console.page.root.all("code")}


def events(name: str) -> list[AuditEvent]:
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.event == name)))


def row(application: Registered) -> Client:
    found = db.session.get(Client, application.id, populate_existing=True)
    assert found is not None
    return found


def test_a_change_is_saved_shown_and_on_record(
    console: Browser, admin: Person, application: Registered, path: str
) -> None:
    console.open(path)
    console.click("Edit")
    assert console.page.value("Redirect addresses") == application.redirect_uri
    console.fill("Name", "Supper").fill("Redirect addresses", "https://supper.example/callback")
    console.press("Save", follow=True)

    assert console.status == 200
    assert "The change is saved." in console.words
    found = registry.find(application.client_id)
    assert found is not None
    assert (found.client_name, found.redirect_uris) == ("Supper", ("https://supper.example/callback",))
    (event,) = events("client_change")
    assert event.actor_id == admin.id
    assert event.details["changes"] == {
        "client_name": {"from": "Lunch Orders", "to": "Supper"},
        "redirect_uris": {"from": [application.redirect_uri], "to": ["https://supper.example/callback"]},
    }


def test_a_change_that_is_wrong_is_refused_in_place(console: Browser, application: Registered, path: str) -> None:
    console.open(f"{path}/edit")
    page = console.fill("Redirect addresses", "javascript:alert(1)").press("Save")

    assert page.status == 422
    assert page.value("Redirect addresses") == "javascript:alert(1)"
    assert row(application).redirect_uris == [application.redirect_uri]


def test_saving_without_a_change_records_none(console: Browser, application: Registered, path: str) -> None:
    console.open(f"{path}/edit")

    assert console.press("Save").status == 303
    assert events("client_change") == []
    assert row(application).revision == 1


def test_of_two_admins_the_slower_one_is_told(console: Browser, application: Registered, path: str) -> None:
    console.open(f"{path}/edit")
    faster = validation.validate({"client_name": "Breakfast", "redirect_uris": [application.redirect_uri]})
    assert isinstance(faster, validation.ClientMetadata)
    clients.update(row(application), faster, first_party=False, now=clock.now())
    db.session.commit()

    page = console.fill("Name", "Supper").press("Save")
    assert page.status == 409
    assert "Somebody was faster" in page.words
    assert page.value("Name") == "Supper"
    assert row(application).client_name == "Breakfast"

    assert console.press("Save").status == 303
    assert row(application).client_name == "Supper"


def test_an_application_that_becomes_public_loses_its_secret_and_gets_one_on_the_way_back(
    console: Browser, application: Registered, path: str
) -> None:
    console.open(f"{path}/edit")
    console.tick("Without a secret").press("Save")
    assert not secrets.find(application.client_id, application.secret, clock.now())[1]

    console.open(f"{path}/edit")
    page = console.tick("With a secret, in the header").press("Save")
    assert page.status == 200
    assert secrets.find(application.client_id, copied(console)["client-secret"], clock.now())[1]


def test_a_secret_is_replaced_and_the_old_one_stays_valid_for_a_while(
    console: Browser, admin: Person, application: Registered, path: str
) -> None:
    console.open(path)
    console.click("Replace the secret")
    page = console.press("Replace the secret")
    new = copied(console)["client-secret"]

    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "stays valid until" in page.words
    now = clock.now()
    assert secrets.find(application.client_id, new, now)[1]
    assert secrets.find(application.client_id, application.secret, now)[1]
    assert not secrets.find(application.client_id, application.secret, now + timedelta(days=31))[1]
    assert new not in console.open(path).text
    (event,) = events("client_rotate_secret")
    assert event.actor_id == admin.id
    assert new not in str(event.details)


def test_a_secret_that_became_known_is_ended_now(console: Browser, application: Registered, path: str) -> None:
    console.open(f"{path}/rotate-secret")
    page = console.tick("The old secret has become known: end it now").press("Replace the secret")

    assert "no longer valid" in page.words
    assert not secrets.find(application.client_id, application.secret, clock.now())[1]


def test_replacing_the_secret_twice_with_one_form_does_so_once(
    console: Browser, application: Registered, path: str
) -> None:
    console.open(f"{path}/rotate-secret")
    data = {field.get("name") or "": field.get("value") or "" for field in console.page.root.all("input")}
    data.pop("old_ends_now", None)
    first = console.send("POST", f"{path}/rotate-secret", data=data)
    new = copied(console)["client-secret"]
    again = console.send("POST", f"{path}/rotate-secret", data=data)

    assert (first.status, again.status) == (200, 409)
    assert new not in again.text
    assert len(events("client_rotate_secret")) == 1


def test_an_application_without_a_secret_has_no_page_to_replace_it(
    console: Browser, client: Callable[..., Registered]
) -> None:
    public = client("Scoreboard", token_endpoint_auth_method="none")
    console.open(f"/admin/clients/{public.client_id}")

    assert "Replace the secret" not in console.page.links
    assert console.open(f"/admin/clients/{public.client_id}/rotate-secret").status == 404


def test_disabling_shuts_the_application_out_at_once_and_enabling_lets_it_in(
    console: Browser, application: Registered, path: str
) -> None:
    console.open(path)
    console.click("Disable")
    console.press("Disable", follow=True)
    assert "Disabled" in console.words
    assert registry.find(application.client_id) is None

    console.click("Enable")
    console.press("Enable", follow=True)
    assert registry.find(application.client_id) is not None
    assert [len(events(name)) for name in ("client_disable", "client_enable")] == [1, 1]


@pytest.mark.parametrize("typed", ["", "lunch orders", "Lunch", "Lunch Orders!"])
def test_removing_needs_the_very_name(console: Browser, application: Registered, path: str, typed: str) -> None:
    console.open(f"{path}/remove")
    page = console.fill("Name of the application", typed).press("Remove")

    assert page.status == 422
    assert "exactly" in page.error("Name of the application")
    assert registry.find(application.client_id) is not None


def test_a_removed_application_is_gone_from_the_console(console: Browser, application: Registered, path: str) -> None:
    console.open(path)
    console.click("Remove")
    console.fill("Name of the application", "Lunch Orders").press("Remove", follow=True)

    assert "The application is removed." in console.words
    assert "Lunch Orders" not in console.words
    assert registry.find(application.client_id) is None
    assert [console.open(f"{path}{page}").status for page in ("", "/edit", "/enable")] == [404, 404, 404]
    (event,) = events("client_remove")
    assert event.details["name"] == "Lunch Orders"


@pytest.mark.parametrize("client_id", ["nobody", "%00", "%27%20OR%201=1--", "a" * 500, "%F0%9F%92%A9", "%ff"])
def test_an_application_that_does_not_exist_is_not_found(console: Browser, client_id: str) -> None:
    for page in ("", "/edit", "/rotate-secret", "/disable", "/enable", "/remove"):
        assert console.open(f"/admin/clients/{client_id}{page}").status == 404


@pytest.mark.parametrize("revision", ["", "x", "-1", "1e3", "9" * 50, "١"])
def test_a_form_with_a_nonsense_revision_changes_nothing(
    console: Browser, application: Registered, path: str, revision: str
) -> None:
    console.open(f"{path}/edit")
    token = next(field for field in console.page.root.all("input") if field.get("name") == "csrf_token").get("value")
    data = {"csrf_token": token, "revision": revision, "client_name": "X", "redirect_uris": "https://x.example/"}
    page = console.send("POST", f"{path}/edit", data=data | {"require_pkce": "yes"})

    assert page.status == 409
    assert row(application).client_name == "Lunch Orders"
