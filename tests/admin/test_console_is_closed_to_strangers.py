"""Nobody but an admin, on the district's networks, gets anything from any address of the console (ATTACKS AD1)."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from idp.accounts.models import Account
from idp.clients.models import Client
from idp.database import db
from tests.factories import Person, Registered
from tests.pages import Browser, Page

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
SECRET_WORDS = ["Lunch Orders", "Applications", "client_secret"]


def routes(app: Flask, client: Registered) -> list[str]:
    """Every address of the console, as the application itself knows them, and some that are none."""
    made = {
        rule.rule.replace("<client_id>", client.client_id)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin")
    }
    assert len(made) >= 9
    return [
        *sorted(made),
        "/admin/",
        "/admin/nothing",
        "/admin/clients/nobody",
        "/admin/clients/x/../new",
        "/admin/%00",
    ]


@pytest.fixture
def application(client: Callable[..., Registered]) -> Registered:
    return client()


def ask(browser: Browser, app: Flask, application: Registered) -> Iterator[tuple[str, Page]]:
    """Ask every address in every way, as somebody would who knows what to send."""
    for path in routes(app, application):
        for method in METHODS:
            data = {"typed_name": application.name} if method == "POST" else None
            yield f"{method} {path}", browser.send(method, path, data=data)


def test_a_visitor_is_led_to_the_log_in_page(app: Flask, browser: Browser, application: Registered) -> None:
    for asked, page in ask(browser, app, application):
        assert page.status == 303, asked
        assert (page.location or "").startswith("/login?next=/admin"), asked
        assert not any(word in page.text for word in SECRET_WORDS), asked


@pytest.mark.parametrize("role", ["guardian", "support"])
def test_whoever_is_no_admin_is_forbidden(
    app: Flask, browser: Browser, account: Callable[..., Person], application: Registered, role: str
) -> None:
    person = account(role=role)
    browser.log_in(person.username, person.password)
    for asked, page in ask(browser, app, application):
        assert page.status == 403, asked
        assert not any(word in page.text for word in SECRET_WORDS), asked


@pytest.mark.parametrize("address", ["203.0.113.9", "2001:db8::1", "::ffff:203.0.113.9", "", "unknown"])
def test_from_outside_the_districts_networks_there_is_no_console_even_for_an_admin(
    app: Flask, browser: Browser, admin: Person, application: Registered, address: str
) -> None:
    browser.log_in(admin.username, admin.password)
    browser.address = address
    for path in routes(app, application):
        page = browser.open(path)

        assert page.status == 404, path
        assert not any(word in page.text for word in SECRET_WORDS)


def test_a_header_that_nobody_vouches_for_does_not_bring_anybody_inside(browser: Browser, admin: Person) -> None:
    browser.log_in(admin.username, admin.password)
    browser.address = "203.0.113.9"

    assert browser.send("GET", "/admin", headers={"X-Forwarded-For": "127.0.0.1"}).status == 404


def test_an_admin_comes_in_from_a_private_network(browser: Browser, admin: Person) -> None:
    browser.log_in(admin.username, admin.password)
    browser.address = "10.1.2.3"

    assert browser.open("/admin").status == 200


@pytest.mark.parametrize("role", ["guardian", "support", None])
def test_a_stranger_changes_nothing(
    app: Flask, browser: Browser, account: Callable[..., Person], application: Registered, role: str | None
) -> None:
    if role:
        person = account(role=role)
        browser.log_in(person.username, person.password)
    browser.open("/help")
    for path in routes(app, application):
        browser.send("POST", path, data={"typed_name": application.name, "client_name": "Changed"})

    client = db.session.get(Client, application.id, populate_existing=True)
    assert client is not None
    assert (client.client_name, client.revision, client.disabled_at) == ("Lunch Orders", 1, None)


def test_after_logging_in_a_visitor_is_where_they_were_heading(
    browser: Browser, admin: Person, application: Registered
) -> None:
    browser.open(f"/admin/clients/{application.client_id}")
    browser.follow()
    browser.log_in(admin.username, admin.password)

    assert browser.location == f"/admin/clients/{application.client_id}"


def test_a_form_without_its_token_is_refused(browser: Browser, admin: Person, application: Registered) -> None:
    browser.log_in(admin.username, admin.password)
    page = browser.send("POST", f"/admin/clients/{application.client_id}/disable")

    assert page.status == 400
    client = db.session.get(Client, application.id, populate_existing=True)
    assert client is not None
    assert client.disabled_at is None


def test_a_form_from_another_site_is_refused(browser: Browser, admin: Person, application: Registered) -> None:
    browser.log_in(admin.username, admin.password)
    browser.open(f"/admin/clients/{application.client_id}/disable")
    token = next(field for field in browser.page.root.all("input") if field.get("name") == "csrf_token").get("value")
    page = browser.send(
        "POST",
        f"/admin/clients/{application.client_id}/disable",
        data={"csrf_token": token},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    )

    assert page.status == 403


def test_an_account_that_is_no_longer_admin_is_out_with_the_next_request(console: Browser, admin: Person) -> None:
    person = db.session.get(Account, admin.id)
    assert person is not None
    person.role = "guardian"
    db.session.commit()

    assert console.open("/admin/clients").status == 403
