"""Rows AD1 to AD7, IN5, RO6, DR3 and DR5: the console is shut, shows a secret once, and takes what it asks for."""

import json
import re
from typing import Any

import pytest
from sqlalchemy import select

from idp import clock
from idp.admin import people
from idp.audit.models import AuditEvent
from idp.clients import secrets as client_secrets
from idp.clients.models import Client
from idp.database import db
from tests.attacks.over_http.conftest import CALLBACK, Intruder, Target
from tests.factories import Registered


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "//evil.example"],
)
@pytest.mark.parametrize(
    "field", ["client_uri", "policy_uri", "tos_uri", "logo_uri", "initiate_login_uri", "backchannel_logout_uri"]
)
def test_in5_ro6_no_link_that_is_a_script_and_no_call_inside(console: Intruder, field: str, link: str) -> None:
    inside = {"backchannel_logout_uri": "http://169.254.169.254/", "logo_uri": "file:///etc/passwd"}
    for address in (link, inside.get(field, link)):
        assert _register(console, **{field: address}).status == 422


def _register(console: Intruder, **fields: str) -> Any:
    page = console.get("/admin/clients/new")
    form = {"client_name": "Lunch", "redirect_uris": CALLBACK, "require_pkce": "yes"}
    form |= {name: page.hidden(name) for name in ("csrf_token", "form_token")}
    return console.post("/admin/clients/new", form | fields)


@pytest.fixture(scope="session")
def hidden(target: Target) -> Registered:
    """An application whose name is on no page but the console's."""
    return target.make_client("Behind the curtain", first_party=False)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "spelling", ["{}", "{}/", "{}/..;/", "{}%2f", "{}?x", "//{}", "/./{}", "{}.json", "/static/..{}"]
)
def test_ad1_the_console_is_shut_in_every_spelling(
    target: Target, visitor: Intruder, hidden: Registered, method: str, spelling: str
) -> None:
    for who in (target.intruder(), visitor):
        for path in (
            "/admin",
            "/admin/clients",
            "/admin/clients/new",
            f"/admin/clients/{hidden.client_id}/rotate-secret",
        ):
            form = {"csrf_token": "x", "client_name": "x", "redirect_uris": CALLBACK} if method == "POST" else None
            reply = who.send(method, spelling.format(path), form=form)

            assert reply.status in {303, 400, 403, 404, 405} or (method == "OPTIONS" and not reply.body), (path, reply)
            assert hidden.name not in reply.text
            assert reply.status != 303 or reply.location.startswith("/login")


def test_ad3_a_secret_is_shown_once(target: Target, console: Intruder, visitor: Intruder) -> None:
    reply = _register(console)
    found = _shown_secret(target, reply.text)
    client_id = _newest(target)

    assert found in reply.text
    for who in (console, visitor, target.intruder()):
        for path in ("", "/edit", "/rotate-secret", "/disable", "/remove"):
            assert found not in who.get(f"/admin/clients/{client_id}{path}").text
        assert found not in who.get("/admin/clients").text
    assert found not in target.running.lines


def _shown_secret(target: Target, text: str) -> str:
    """Return the one text on a page that is a secret of the newest application."""
    with target.app.app_context():
        client_id = db.session.scalars(select(Client.client_id).order_by(Client.created_at.desc())).first()
        assert client_id is not None
        words = set(re.findall(r"[A-Za-z0-9_-]{43}", text))
        found: str = next(word for word in words if client_secrets.find(client_id, word, clock.now())[1])
        return found


def _newest(target: Target) -> str:
    with target.app.app_context():
        return db.session.scalars(select(Client.client_id).order_by(Client.created_at.desc())).first() or ""


@pytest.mark.parametrize("door", ["/edit", "/rotate-secret", "/disable", "/remove"])
def test_ad5_a_change_needs_its_token_and_is_on_record(target: Target, console: Intruder, door: str) -> None:
    client = target.make_client("Changed")
    path = f"/admin/clients/{client.client_id}{door}"
    page = console.get(path)
    form = {name: page.hidden(name) for name in ("csrf_token", "revision", "form_token") if page.hidden(name)}
    form |= {
        "client_name": "Changed too",
        "redirect_uris": CALLBACK,
        "typed_name": "Changed",
        "require_pkce": "yes",
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "RS256",
        "owner": "other",
    }
    for missing in (
        {"csrf_token": ""},
        {"csrf_token": "k1.AAAA"},
        {"csrf_token": target.intruder().get("/login").hidden("csrf_token")},
    ):
        assert console.post(path, form | missing).status == 400
    assert console.post(path, form, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert _events(target, client) == []
    assert console.post(path, form).status in {200, 303}
    rows = _events(target, client)

    assert len(rows) == 1
    assert rows[0].actor_id is not None
    assert (rows[0].source, rows[0].address) == ("web", "127.0.0.1")


def _events(target: Target, client: Registered) -> list[AuditEvent]:
    with target.app.app_context():
        mine = select(AuditEvent).where(AuditEvent.client_id == client.client_id)
        return [row for row in db.session.scalars(mine) if row.event.startswith("client_")]


@pytest.mark.parametrize(
    "name",
    ["first_party", "trusted", "skip_consent", "client_id", "client_secret", "owner_id", "sector_id", "id", "scopes"],
)
@pytest.mark.parametrize("form", ["{}", "{}[]", "client[{}]", "__class__.{}"])
def test_dr3_a_field_that_is_smuggled_in_sets_nothing(target: Target, console: Intruder, name: str, form: str) -> None:
    assert _register(console, **{form.format(name): "1"}).status == 200
    with target.app.app_context():
        row = db.session.scalars(select(Client).order_by(Client.created_at.desc())).first()
        assert row is not None
        assert (row.first_party, len(row.client_id), row.revision) == (False, 24, 1)
        assert row.scopes == ["openid"]


def test_dr5_an_applications_id_is_nobodys_name(target: Target, console: Intruder) -> None:
    person = target.make_account()
    for wanted in (person.username, str(person.id), person.id.hex):
        assert _register(console, client_id=wanted, id=wanted, client_name=wanted).status == 200
        assert _newest(target) not in {person.username, str(person.id), person.id.hex}


def test_ad7_a_name_that_is_given_again_is_another_person(target: Target, lunch: Registered) -> None:
    subjects = set()
    for _ in range(2):
        person = target.make_account(username="given.again")
        browser = target.visitor(person)
        given = json.loads(browser.redeem(lunch, browser.authorize(lunch).query["code"]).body)
        subjects.add(json.loads(browser.userinfo(given["access_token"]).body)["sub"])
        with target.app.app_context():
            people.rename(person.username, f"was.{len(subjects)}", actor_id=None, now=clock.now())

    assert len(subjects) == 2
