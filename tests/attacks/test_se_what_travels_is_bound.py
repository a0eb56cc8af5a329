"""Rows SE1, SE9, CO7, RU1 and LO5: what was sealed or begun is good for whom it was made, and no longer than that."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp.clients.models import Client
from idp.database import db
from tests.attacks.conftest import Intruder, checked
from tests.factories import Person, Registered
from tests.oidc.conftest import Application, query_of
from tests.pages import Browser
from tests.programs import Commands


@pytest.mark.one_database
@pytest.mark.parametrize("token", ["", "bad", "k1.AAAA", "\x00", "x" * 5000])
@pytest.mark.parametrize("travels", ["", "garbage", "k1.AAAA", "p." + "A" * 43, "\xe9", "A" * 5000])
def test_se9_a_form_that_is_too_old_for_a_request_that_is_gone_says_start_again(
    stranger: Intruder, token: str, travels: str
) -> None:
    answer = stranger.send(
        "POST",
        "/login",
        query_string={"continue": travels},
        data={"username": "x", "password": "y", "csrf_token": token},
    )

    assert answer.status_code == 400
    assert "Please start again" in answer.text


@pytest.mark.one_database
@pytest.mark.parametrize("column", ["redirect_uris", "scopes"])
def test_ru1_co7_what_an_application_lost_while_a_page_was_open_is_not_given(
    application: Application, parent: Person, new_browser: Callable[[], Browser], column: str
) -> None:
    browser = new_browser()
    browser.client.get("/login")
    sent = application.authorize(browser.client)
    left = {"redirect_uris": ["https://lunch.example/other"], "scopes": ["openid"]}[column]
    changed = update(Client).where(Client.client_id == application.registered.client_id)
    db.session.execute(changed.values({column: left, "revision": Client.revision + 1}))
    db.session.commit()

    browser.open(sent.location)
    browser.log_in(parent.username, parent.password)
    browser.follow()

    if column == "redirect_uris":
        assert browser.status == 400
        assert browser.location is None
    else:
        tokens = application.redeem(browser.page.query["code"]).get_json()
        assert tokens["scope"] == "openid"
        assert set(application.userinfo(tokens["access_token"]).get_json()) == {"sub"}


@pytest.mark.one_database
def test_co7_an_application_that_may_no_longer_ask_who_somebody_is_gets_nothing(
    application: Application, visitor: FlaskClient
) -> None:
    page = application.authorize(visitor, prompt="login")
    changed = update(Client).where(Client.client_id == application.registered.client_id)
    db.session.execute(changed.values(scopes=["email"], revision=Client.revision + 1))
    db.session.commit()
    answer = visitor.get(f"/oauth/authorize/continue?{page.location.partition('?')[2]}")

    assert checked(answer).status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize("command", ["disable", "temporary-password"])
def test_lo5_what_the_district_ends_is_over_in_every_browser(
    log_in: Callable[[Person], FlaskClient], parent: Person, application: Application, idp: Commands, command: str
) -> None:
    here, there = log_in(parent), log_in(parent)
    access_token = application.tokens(here)["access_token"]
    assert idp("account", command, parent.username).exit_code == 0

    for visitor in (here, there):
        assert visitor.get("/").status_code == 303
        assert query_of(application.authorize(visitor, prompt="none"))["error"] == "login_required"
    assert application.userinfo(access_token).status_code == 401


@pytest.mark.one_database
def test_lo5_a_log_out_ends_the_log_in_that_another_had_begun(
    browser: Browser, parent: Person, account: Callable[..., Person], idp: Commands
) -> None:
    other = account()
    temporary = idp("account", "temporary-password", other.username, "--json").output.split('"temporary_password": "')[
        1
    ]
    browser.log_in(parent.username, parent.password)
    browser.open("/login?next=/help")
    second = Browser(browser.client, browser.origin)
    second.client.delete_cookie("idp_session")
    second.log_in(other.username, temporary.partition('"')[0])
    assert second.location == "/setup/password"

    checked(second.client.get("/logout"))

    assert second.open("/setup/password").location == "/login"


@pytest.mark.one_database
def test_se1_a_sealed_request_of_another_purpose_or_application_opens_nothing(
    application: Application, registered: Registered, visitor: FlaskClient, stranger: Intruder
) -> None:
    sealed = application.authorize(visitor, prompt="login").location.partition("continue=")[2]
    for path in ("/consent", "/select-account", "/oauth/authorize/continue", "/login", "/setup/password"):
        for given in (
            sealed,
            stranger.csrf_token,
            sealed[:-2],
            f"{sealed}A",
            sealed.replace("k1.", "k2.", 1),
            sealed.swapcase(),
        ):
            answer = stranger.send("GET", path, query_string=f"continue={given}")

            assert answer.status_code == 400, (path, given[:10])
