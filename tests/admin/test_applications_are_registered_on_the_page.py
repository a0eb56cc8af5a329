"""The console's registration form: explained, checked in place, and the secret shown once (ATTACKS RU9, DR3, AD3)."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from idp import clock
from idp.audit.models import AuditEvent
from idp.clients import registry, secrets
from idp.clients.models import Client
from idp.database import db
from tests.admin.conftest import URI
from tests.factories import Person
from tests.pages import Browser, Page

NEW = "/admin/clients/new"


def filled(console: Browser, **more: str) -> Browser:
    console.open(NEW)
    console.fill("Name", "Lunch Orders").fill("Redirect addresses", URI)
    for label, value in more.items():
        console.fill(label.replace("_", " "), value)
    return console


def copied(page: Page) -> dict[str, str]:
    """Return the values that the page offers for copying."""
    return {element.get("id") or "": element.words for element in page.root.all("code")}


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(Client)) or 0


def the_only_client() -> Client:
    return db.session.scalars(select(Client)).one()


def test_an_application_is_registered_and_can_prove_itself(console: Browser) -> None:
    page = filled(console).press("Register")
    values = copied(page)

    assert page.status == 200
    assert values["discovery"] == "http://localhost:5000/.well-known/openid-configuration"
    found = registry.find(values["client-id"])
    assert found is not None
    assert (found.client_name, found.redirect_uris, found.first_party) == ("Lunch Orders", (URI,), False)
    assert secrets.find(found.client_id, values["client-secret"], clock.now())[1]


def test_the_secret_is_on_one_page_only_and_never_in_an_address_or_a_cookie(console: Browser) -> None:
    page = filled(console).press("Register")
    secret = copied(page)["client-secret"]

    assert page.headers["Cache-Control"] == "no-store"
    assert secret not in str(page.headers)
    assert secret not in str(console.cookies)
    client_id = the_only_client().client_id
    for path in ("", "/edit", "/rotate-secret", "/disable", "/remove"):
        assert secret not in console.open(f"/admin/clients/{client_id}{path}").text
    assert secret not in console.open("/admin/clients").text


def test_a_form_that_is_sent_twice_registers_once_and_shows_no_secret_again(console: Browser) -> None:
    console.open(NEW)
    data = {
        field.get("name") or "": field.get("value") or ""
        for field in console.page.root.all("input")
        if field.get("type") == "hidden"
    }
    data |= {"client_name": "Lunch Orders", "redirect_uris": URI, "require_pkce": "yes"}
    first = console.send("POST", NEW, data=data)
    again = console.send("POST", NEW, data=data)

    assert (first.status, again.status) == (200, 409)
    assert count() == 1
    assert copied(first)["client-secret"] not in again.text
    assert "is registered already" in again.title


def test_what_is_wrong_stands_beside_its_field_and_nothing_that_was_typed_is_lost(console: Browser) -> None:
    console.open(NEW)
    console.fill("Name", "").fill("What is it for?", "Orders lunch.").fill(
        "Redirect addresses", "http://lunch.example/"
    )
    console.fill("Logo", "javascript:alert(1)").tick("The district")
    page = console.press("Register")

    assert page.status == 422
    assert page.title.startswith("Error:")
    assert "Fill this in." in page.error("Name")
    assert "https://" in page.error("Redirect addresses")
    assert "https://" in page.error("Logo")
    assert page.value("What is it for?") == "Orders lunch."
    assert page.value("Redirect addresses") == "http://lunch.example/"
    assert page.value("Logo") == "javascript:alert(1)"
    assert page.field("The district").get("checked") is not None
    assert list(page.links).count("Name: Fill this in.") == 1
    assert page.links["Name: Fill this in."] == "#client_name"
    assert count() == 0


@pytest.mark.parametrize(
    "uri",
    [
        "javascript://x/%0aalert(1)",
        "data:text/html,x",
        "file://h/",
        "http://lunch.example/cb",
        "*",
        "https://*.lunch.example/cb",
        "https://lunch.example/cb#x",
        "https://user:pass@lunch.example/cb",
        "https://lunch.example/cb\r\nSet-Cookie: a=b",
        "https://lunch.example/a\tb",
        "https://lunch.example/%0d%0a",
    ],
)
def test_a_dangerous_redirect_uri_is_a_form_error(console: Browser, uri: str) -> None:
    page = filled(console, Redirect_addresses=uri).press("Register")

    assert page.status == 422
    assert "Redirect addresses:" in page.words
    assert count() == 0


def test_fields_that_the_form_does_not_have_change_nothing(console: Browser) -> None:
    console.open(NEW)
    hidden = {field.get("name"): field.get("value") for field in console.page.root.all("input")}
    sent: dict[str, Any] = {
        "csrf_token": hidden["csrf_token"],
        "form_token": hidden["form_token"],
        "client_name": "Lunch Orders",
        "redirect_uris": URI,
        "require_pkce": "yes",
        "trusted": "true",
        "skip_consent": "true",
        "first_party": "true",
        "client_id": "chosen-by-me",
        "client_secret": "chosen-by-me",
        "owner_id": "1",
        "id": "1",
        "revision": "99",
        "disabled_at": "x",
        "scope": "openid admin",
        "scopes": "admin",
        "sector_id": "1",
    }
    page = console.send("POST", NEW, data=sent)
    client = the_only_client()

    assert page.status == 200
    assert re.fullmatch(r"[A-Za-z0-9]{24}", client.client_id)
    assert not client.first_party
    assert client.scopes == ["openid"]
    assert client.revision == 1
    assert not secrets.find(client.client_id, "chosen-by-me", clock.now())[1]


def test_a_public_application_gets_no_secret(console: Browser) -> None:
    page = filled(console).tick("Without a secret").press("Register")

    assert page.status == 200
    assert "client-secret" not in copied(page)
    assert "no secret" in page.words


def test_every_field_is_stored(console: Browser) -> None:
    console.open(NEW)
    for label, value in {
        "Name": " Lunch Orders ",
        "What is it for?": "Orders lunch.",
        "Redirect addresses": f"{URI}\n\n  https://lunch.example/second  \n",
        "Addresses after log-out": "https://lunch.example/",
        "Start address": "https://lunch.example/in",
        "Log-out message address": "https://lunch.example/out",
        "Home page": "https://lunch.example/home",
        "Logo": "https://lunch.example/logo.png",
        "Privacy policy": "https://lunch.example/privacy",
        "Terms of use": "https://lunch.example/terms",
        "Contacts": "it@lunch.example",
        "Signature": "ES256",
    }.items():
        console.fill(label, value)
    console.tick("The district").tick("With a secret, in the message").untick("The person’s email address")
    console.untick("PKCE is required").untick("Log-out messages name the session")
    assert console.press("Register").status == 200

    client = the_only_client()
    assert client.client_name == "Lunch Orders"
    assert client.description == "Orders lunch."
    assert client.first_party
    assert client.redirect_uris == [URI, "https://lunch.example/second"]
    assert client.post_logout_redirect_uris == ["https://lunch.example/"]
    assert client.scopes == ["openid", "profile"]
    assert client.token_endpoint_auth_method == "client_secret_post"
    assert client.id_token_signed_response_alg == "ES256"
    assert not client.require_pkce
    assert client.initiate_login_uri == "https://lunch.example/in"
    assert client.backchannel_logout_uri == "https://lunch.example/out"
    assert not client.backchannel_logout_session_required
    assert client.client_uri == "https://lunch.example/home"
    assert client.logo_uri == "https://lunch.example/logo.png"
    assert client.policy_uri == "https://lunch.example/privacy"
    assert client.tos_uri == "https://lunch.example/terms"
    assert client.contacts == ["it@lunch.example"]


def test_registering_is_on_record_with_who_and_where_from_and_without_the_secret(
    console: Browser, admin: Person
) -> None:
    secret = copied(filled(console).press("Register"))["client-secret"]
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.event == "client_add")).one()

    assert (event.actor_id, event.source, event.address) == (admin.id, "web", "127.0.0.1")
    assert event.client_id == the_only_client().client_id
    assert event.details["name"] == "Lunch Orders"
    assert event.details["registered"]["redirect_uris"] == [URI]
    assert secret not in str(event.details)


def test_a_name_with_markup_is_shown_as_it_is(console: Browser) -> None:
    name = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    page = filled(console, Name=name).press("Register")
    client_id = the_only_client().client_id

    for shown in (page, console.open("/admin/clients"), console.open(f"/admin/clients/{client_id}/remove")):
        assert "<script>alert" not in shown.text
        assert "<img" not in shown.text
        assert name in shown.words
