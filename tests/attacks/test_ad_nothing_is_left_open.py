"""Rows AD1, AD3, AD5, AD9 and DR1: nothing is open that nobody opened, to strangers, parents and support alike."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.accounts.models import ADMIN, GUARDIAN, SUPPORT, Account
from idp.audit.models import AuditEvent
from idp.clients.models import Client
from idp.database import db
from tests.attacks.conftest import CALLBACK, Door, Intruder, checked
from tests.factories import Person, Registered
from tests.oidc.conftest import Application
from tests.pages import Browser
from tests.support import team

pytestmark = pytest.mark.one_database

_CHANGING = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize(
    "path",
    ["/debug", "/.env", "/.git/config", "/.git/HEAD", "/config", "/config.toml", "/console", "/server-status",
     "/actuator", "/actuator/env", "/instance/idp.db", "/idp.db", "/backup.sql", "/phpinfo.php", "/wp-login.php",
     "/graphql", "/api/users", "/users", "/static/", "/static/..%2f..%2fconfig/production.toml",
     "/static/%2e%2e/app.py", "/static/....//app.py", "/static//etc/passwd", "/bootstrap/static/..%2f..%2f__init__.py",
     "/templates/base.html", "/swagger.json", "/.well-known/jwks.json/..", "/.well-known/security.txt/..%2f",
     "/robots.txt/../.env"],
)  # fmt: skip
def test_ad9_what_scanners_ask_for_is_not_there(stranger: Intruder, path: str) -> None:
    for address in (path, f"{path}?debug=1", path.upper()):
        assert stranger.send("GET", address).status_code == 404, address


def test_ad9_health_tells_that_it_is_well_and_no_more(app: Flask) -> None:
    assert app.test_client().get("/healthz?verbose=1").get_json() == {"status": "ok"}
    assert app.test_client().get("/readyz?verbose=1").get_json() == {"status": "ready"}


@pytest.mark.parametrize(
    "path",
    ["/register", "/oauth/register", "/oauth/clients", "/connect/register", "/oauth/introspect", "/oauth/revoke",
     "/oauth/device", "/oauth/par"],
)  # fmt: skip
@pytest.mark.parametrize("as_whom", ["stranger", "parent", "admin"])
def test_dr1_there_is_no_door_by_which_an_application_registers_itself(
    stranger: Intruder,
    new_insider: Callable[[Person], Intruder],
    parent: Person,
    admin: Person,
    path: str,
    as_whom: str,
) -> None:
    intruder = stranger if as_whom == "stranger" else new_insider(parent if as_whom == "parent" else admin)
    metadata = {"redirect_uris": ["https://evil.example/"], "client_name": "Evil", "first_party": True}

    assert intruder.send("POST", path, json=metadata).status_code == 404
    assert db.session.scalar(select(func.count()).select_from(Client)) == 0


@pytest.mark.parametrize(
    "who", ["stranger", "guardian", "support elsewhere", "support behind a proxy", "an admin elsewhere"]
)
def test_ad1_the_support_desk_gives_nothing_to_anybody_but_the_team_on_the_districts_networks(
    doors: list[Door],
    stranger: Intruder,
    new_insider: Callable[[Person], Intruder],
    account: Callable[..., Person],
    family: Person,
    request_number: str,
    who: str,
) -> None:
    role = {"guardian": GUARDIAN, "an admin elsewhere": ADMIN}.get(who, SUPPORT)
    intruder = stranger if who == "stranger" else new_insider(account(role=role))
    environ = {"REMOTE_ADDR": "203.0.113.9"} if "elsewhere" in who else {}
    headers = {"X-Forwarded-For": "10.0.0.1"} if "proxy" in who else {}
    form = {
        "csrf_token": intruder.csrf_token,
        "reason": "x",
        "username": "evil",
        "how": "phone",
        "do": "note",
        "text": "x",
    }
    before = db.session.scalar(select(func.count()).select_from(AuditEvent))
    at_desk = [door for door in doors if door.path.startswith("/desk")]
    for door in at_desk:
        for path in (door.path, door.path.replace("/desk", "/desk/.", 1), f"{door.path}/", f"/{door.path}"):
            for method in _CHANGING:
                data = (
                    None
                    if method == "GET"
                    else form | {"version": team.version(family if "people" in door.path else request_number)}
                )
                answer = intruder.send(method, path, data=data, headers=headers, environ_overrides=environ)

                assert answer.status_code in {303, 403, 404, 405}, (method, path)
                assert "Wanda" not in answer.text
                assert answer.status_code != 303 or answer.location.startswith("/login?next=/desk")
    assert len(at_desk) > 7
    db.session.rollback()
    assert db.session.get_one(Account, family.id).username == family.username
    assert team.entries(request_number) == []
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == before


@pytest.mark.parametrize("who", ["stranger", "guardian", "support", "an admin elsewhere", "an admin behind a proxy"])
def test_ad1_the_console_gives_nothing_to_anybody_but_an_admin_on_the_districts_networks(
    doors: list[Door],
    stranger: Intruder,
    new_insider: Callable[[Person], Intruder],
    account: Callable[..., Person],
    registered: Registered,
    admin: Person,
    who: str,
) -> None:
    people = {"guardian": account, "support": lambda: account(role=SUPPORT)}
    intruder = stranger if who == "stranger" else new_insider(people.get(who, lambda: admin)())
    environ = {"an admin elsewhere": {"REMOTE_ADDR": "203.0.113.9"}}.get(who, {})
    headers = {"an admin behind a proxy": {"X-Forwarded-For": "10.0.0.1"}}.get(who, {})
    before = db.session.scalar(select(func.count()).select_from(AuditEvent))
    for door in doors:
        if not door.path.startswith("/admin"):
            continue
        for path in (door.path, door.path.replace("/admin", "/admin/.", 1), f"{door.path}/", f"/{door.path}"):
            for method in _CHANGING:
                form = {"csrf_token": intruder.csrf_token, "typed_name": registered.name, "owner": "district"}
                data = None if method == "GET" else form
                answer = intruder.send(method, path, data=data, headers=headers, environ_overrides=environ)

                assert answer.status_code in {303, 403, 404, 405}, (method, path)
                assert registered.name not in answer.text
                assert answer.status_code != 303 or answer.location.startswith("/login?next=/admin")
    db.session.rollback()
    row = db.session.scalars(select(Client)).one()
    assert (row.revision, row.disabled_at, row.removed_at, row.first_party) == (1, None, None, False)
    assert db.session.scalar(select(func.count()).select_from(AuditEvent)) == before


def test_ad3_no_page_of_the_console_shows_a_secret_again(
    doors: list[Door], new_insider: Callable[[Person], Intruder], admin: Person, registered: Registered
) -> None:
    insider = new_insider(admin)
    for door in doors:
        if door.path.startswith("/admin") and "GET" in door.methods:
            assert (registered.secret or "") not in insider.send("GET", door.path).text, door


@pytest.mark.parametrize(
    "name",
    ["first_party", "trusted", "skip_consent", "client_id", "client_secret", "owner_id", "sector_id", "id", "revision",
     "disabled_at", "scopes", "scope", "role"],
)  # fmt: skip
def test_dr3_a_field_that_the_form_does_not_have_sets_nothing(browser: Browser, admin: Person, name: str) -> None:
    browser.log_in(admin.username, admin.password)
    browser.open("/admin/clients/new")
    token = {
        item.get("name"): item.get("value") for item in browser.page.root.all("input") if item.get("type") == "hidden"
    }
    smuggled = {
        "client_name": "Lunch",
        "redirect_uris": "https://lunch.example/callback",
        "require_pkce": "yes",
        name: "1",
    }

    answer = browser.send("POST", "/admin/clients/new", data={**token, **smuggled})

    assert answer.status == 200, answer.words
    row = db.session.scalars(select(Client)).one()
    assert not row.first_party
    assert len(row.client_id) == 24
    assert row.scopes == ["openid"]
    assert (row.revision, row.disabled_at) == (1, None)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ad1_a_guardians_token_opens_no_page(
    application: Application, visitor: object, app: Flask, method: str
) -> None:
    """An access token is for UserInfo: no page takes it for a log-in."""
    for path in ("/", "/account", "/admin", "/admin/clients"):
        answer = checked(app.test_client().open(path, method=method, headers={"Authorization": "Bearer " + "A" * 43}))

        assert answer.status_code in {303, 400, 405}


@pytest.mark.parametrize("given", [{}, {"current_password": ""}, {"current_password": "wrong"}, {"password": "right"}])
def test_ad5_no_change_is_made_on_the_word_of_a_log_in_that_is_old(
    doors: list[Door],
    new_insider: Callable[[Person], Intruder],
    registered: Registered,
    admin: Person,
    family: Person,
    travel: Callable[[timedelta], AbstractContextManager[None]],
    given: dict[str, str],
) -> None:
    insider = new_insider(admin)
    typed = {name: admin.password if value == "right" else value for name, value in given.items()}
    act = {"reason": "x", "username": "evil", "how": "phone", "version": team.version(family)}
    form = {"csrf_token": insider.csrf_token, "typed_name": registered.name, "client_name": "Lunch", **act, **typed}
    with travel(timedelta(minutes=11)):
        for door in doors:
            if door.path.startswith(("/admin", "/desk/people")) and "POST" in door.methods:
                answer = insider.send("POST", door.path, data={**form, "redirect_uris": CALLBACK, "revision": "1"})

                assert answer.status_code in {422, 429}, door
    row = db.session.scalars(select(Client)).one()

    assert (row.revision, row.disabled_at, row.removed_at) == (1, None, None)
    recorded = set(db.session.scalars(select(AuditEvent.event)))
    assert not {event for event in recorded if event.startswith(("client_", "account_", "temporary_"))}
    assert db.session.get_one(Account, family.id).username == family.username
