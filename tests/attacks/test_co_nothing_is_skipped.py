"""Rows CO1, CO3, CO5, CO7 and CO10: no page that has to be seen is skipped, and every answer says whose it is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from idp import clock
from idp.database import db
from idp.oidc.models import Grant
from tests.attacks.conftest import ISSUER, checked
from tests.factories import Person
from tests.oidc.conftest import Application, query_of
from tests.oidc.test_prompts import consent_page, press
from tests.pages import Browser

NewApplication = Callable[..., Application]
Travel = Callable[[timedelta], AbstractContextManager[None]]

pytestmark = pytest.mark.one_database


@pytest.fixture
def lunch(new_application: NewApplication) -> Application:
    """An application that the district does not run."""
    return new_application("Lunch", first_party=False)


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "login consent"}])
def test_co3_going_back_from_a_log_in_that_was_asked_for_gives_no_code(
    application: Application, visitor: FlaskClient, travel: Travel, asked: dict[str, str]
) -> None:
    with travel(timedelta(minutes=1)):
        page = application.authorize(visitor, **asked)
        sealed = page.location.partition("?")[2]

        assert page.location.startswith("/login?")
        for way in (
            f"/oauth/authorize/continue?{sealed}",
            f"/consent?{sealed}",
            f"/select-account?{sealed}",
            f"/login?{sealed}",
        ):
            answer = checked(visitor.get(way))
            assert "code=" not in answer.headers.get("Location", ""), way
        assert query_of(application.authorize(visitor, prompt="none"))["code"], "the session is still there"


def test_co3_a_log_in_that_was_asked_for_has_a_fresh_auth_time(
    application: Application, browser: Browser, parent: Person, travel: Travel
) -> None:
    browser.log_in(parent.username, parent.password)
    before = application.claims(application.tokens(browser.client)["id_token"])["auth_time"]
    with travel(timedelta(minutes=5)):
        browser.open(application.authorize(browser.client, prompt="login").location)
        browser.log_in(parent.username, parent.password)
        browser.follow()
        after = application.claims(application.redeem(browser.page.query["code"]).get_json()["id_token"])["auth_time"]

    assert after - before >= 299


def test_co3_a_wrong_password_is_no_log_in(
    application: Application, browser: Browser, parent: Person, travel: Travel
) -> None:
    browser.log_in(parent.username, parent.password)
    with travel(timedelta(minutes=5)):
        sent = application.authorize(browser.client, prompt="login").location
        browser.open(sent)
        browser.log_in(parent.username, "wrong")

        assert browser.status == 422
        answer = browser.client.get(f"/oauth/authorize/continue?{sent.partition('?')[2]}")
        assert answer.location.startswith("/login?")


@pytest.mark.parametrize("prompt", ["none", None])
def test_co1_a_consent_that_was_taken_back_is_none(
    lunch: Application, visitor: FlaskClient, prompt: str | None
) -> None:
    press(visitor, consent_page(visitor, lunch), decision="allow")
    assert query_of(lunch.authorize(visitor, prompt="none"))["code"]
    db.session.execute(update(Grant).values(revoked_at=clock.now()))
    db.session.commit()
    answer = lunch.authorize(visitor, prompt=prompt)

    if prompt:
        assert query_of(answer)["error"] == "consent_required"
    else:
        assert answer.location.startswith("/consent?")


def test_co1_a_consent_page_from_before_does_not_bring_back_what_was_taken_back(
    lunch: Application, visitor: FlaskClient
) -> None:
    page = consent_page(visitor, lunch, prompt="consent")
    sealed = lunch.authorize(visitor).location.partition("?")[2]
    press(visitor, page, decision="allow")
    db.session.execute(update(Grant).values(revoked_at=clock.now()))
    db.session.commit()

    assert visitor.get(f"/oauth/authorize/continue?{sealed}").location.startswith("/consent?")


@pytest.mark.parametrize(
    "sent",
    [{}, {"decision": ""}, {"decision": "ALLOW"}, {"decision": "deny"}, {"decision": "allow\x00"}, {"consent": "allow"},
     {"decision": ["deny", "allow"]}],
)  # fmt: skip
def test_co5_only_the_button_that_allows_is_a_consent(
    lunch: Application, visitor: FlaskClient, sent: dict[str, str | list[str]]
) -> None:
    page = consent_page(visitor, lunch)
    fields = {"csrf_token": _hidden(page.text, "csrf_token"), "continue": _hidden(page.text, "continue")}
    answer = checked(visitor.post("/consent", data={**fields, **sent}))

    assert query_of(answer)["error"] == "access_denied"
    assert db.session.query(Grant).count() == 0


@pytest.mark.parametrize("where", ["address", "form"])
def test_co7_a_consent_form_grants_what_was_sealed_and_not_what_is_sent_beside_it(
    lunch: Application, visitor: FlaskClient, where: str
) -> None:
    page = consent_page(visitor, lunch, scope="openid")
    fields = {"csrf_token": _hidden(page.text, "csrf_token"), "continue": _hidden(page.text, "continue")}
    more = {
        "scope": "openid profile email",
        "client_id": "x",
        "redirect_uri": "https://evil.example/",
        "account_id": "x",
    }
    answer = checked(
        visitor.post(
            "/consent",
            query_string=more if where == "address" else None,
            data={**fields, "decision": "allow", **(more if where == "form" else {})},
        )
    )

    assert lunch.redeem(query_of(answer)["code"]).get_json()["scope"] == "openid"
    assert [grant.scopes for grant in db.session.query(Grant)] == [["openid"]]


def test_co5_one_applications_consent_is_nothing_to_another_at_the_same_host(
    lunch: Application, new_application: NewApplication, visitor: FlaskClient
) -> None:
    press(visitor, consent_page(visitor, lunch), decision="allow")
    neighbour = new_application("Lunch, too", first_party=False)

    assert query_of(neighbour.authorize(visitor, prompt="none"))["error"] == "consent_required"


def test_cp3_a_code_of_a_neighbour_with_the_same_address_is_worthless(
    lunch: Application, new_application: NewApplication, visitor: FlaskClient
) -> None:
    neighbour = new_application("Lunch, too", first_party=False)
    press(visitor, consent_page(visitor, lunch), decision="allow")
    code = lunch.code(visitor)
    neighbour.verifier = lunch.verifier

    assert neighbour.redeem(code).get_json()["error"] == "invalid_grant"
    assert lunch.redeem(code).status_code == 200


def test_co10_whatever_the_answer_it_names_the_issuer(
    application: Application, lunch: Application, visitor: FlaskClient
) -> None:
    answers = [
        application.authorize(visitor),
        application.authorize(visitor.application.test_client(), prompt="none"),
        application.authorize(visitor, scope="nothing"),
        application.authorize(visitor, request="x"),
        application.authorize(visitor, max_age="-1"),
        lunch.authorize(visitor, prompt="none"),
        press(visitor, consent_page(visitor, lunch), decision="deny"),
        press(visitor, consent_page(visitor, lunch), decision="allow"),
    ]

    for answer in answers:
        assert query_of(checked(answer))["iss"] == ISSUER
        assert ("code" in query_of(answer)) != ("error" in query_of(answer))


def _hidden(text: str, name: str) -> str:
    return text.rsplit(f'name="{name}" value="', maxsplit=1)[-1].partition('"')[0]
