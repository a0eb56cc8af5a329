"""From a session to tokens to claims: what every application sees of single sign-on."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from idp import clock
from idp.accounts import service as accounts
from idp.accounts.models import Account
from idp.database import db
from idp.oidc import store
from tests.factories import Person
from tests.oidc.conftest import Application, query_of

NewApplication = Callable[..., Application]


def test_a_session_gives_a_code_that_gives_tokens_that_give_claims(
    application: Application, visitor: FlaskClient, parent: Person
) -> None:
    accounts.get(parent.id).locale = "en"
    db.session.commit()
    response = application.authorize(visitor)
    answer = query_of(response)
    tokens = application.redeem(answer["code"])
    info = application.userinfo(tokens.get_json()["access_token"])

    assert response.status_code == 302
    assert urlsplit(response.location)._replace(query="").geturl() == application.registered.redirect_uri
    assert answer["state"] == application.state
    assert answer["iss"] == "http://localhost:5000"
    assert tokens.headers["Cache-Control"] == "no-store"
    assert tokens.get_json()["token_type"] == "Bearer"
    assert tokens.get_json()["expires_in"] == 900
    assert info.get_json() == {
        "sub": info.get_json()["sub"],
        "name": parent.name,
        "given_name": "Ewa",
        "family_name": "Kowalska",
        "preferred_username": parent.username,
        "locale": "en",
        "updated_at": info.get_json()["updated_at"],
        "email": parent.email,
        "email_verified": False,
    }


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_the_id_token_says_who_when_how_and_for_whom(
    new_application: NewApplication, visitor: FlaskClient, algorithm: str
) -> None:
    application = new_application(id_token_signed_response_alg=algorithm)
    tokens = application.tokens(visitor)
    claims = application.claims(tokens["id_token"])

    assert claims["iss"] == "http://localhost:5000"
    assert claims["aud"] == application.registered.client_id
    assert claims["nonce"] == application.nonce
    assert claims["sub"] == application.userinfo(tokens["access_token"]).get_json()["sub"]
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["auth_time"] - clock.timestamp()) < 60
    assert claims["amr"] == ["pwd"]
    assert claims["acr"]
    assert claims["sid"]
    assert claims["at_hash"]
    assert not {"name", "email", "preferred_username"} & claims.keys()


def test_nonce_and_state_may_be_left_out(application: Application, visitor: FlaskClient) -> None:
    answer = query_of(application.authorize(visitor, state=None, nonce=None))
    claims = application.claims(application.redeem(answer["code"]).get_json()["id_token"])

    assert "state" not in answer
    assert "nonce" not in claims


def test_scopes_decide_what_is_told(application: Application, visitor: FlaskClient) -> None:
    only_openid = application.userinfo(application.tokens(visitor, scope="openid")["access_token"]).get_json()
    email = application.userinfo(application.tokens(visitor, scope="email openid")["access_token"]).get_json()

    assert only_openid.keys() == {"sub"}
    assert email.keys() == {"sub", "email", "email_verified"}


def test_the_districts_applications_share_a_subject_and_a_strangers_learns_another(
    new_application: NewApplication, visitor: FlaskClient, log_in: Callable[[Person], FlaskClient], parent: Person
) -> None:
    def subject(application: Application) -> str:
        return str(application.claims(application.tokens(visitor)["id_token"])["sub"])

    gradebook, dashboard = new_application("Gradebook"), new_application("Maine East")
    assert subject(gradebook) == subject(dashboard)
    assert (
        gradebook.claims(gradebook.tokens(visitor)["id_token"])["sid"]
        != (dashboard.claims(dashboard.tokens(visitor)["id_token"])["sid"])
    )


def test_a_request_may_be_sent_by_post_from_another_site(application: Application, visitor: FlaskClient) -> None:
    sent_round = visitor.post(
        "/oauth/authorize", data=application.parameters(), headers={"Sec-Fetch-Site": "cross-site"}
    )
    answered = visitor.get(sent_round.location)

    assert sent_round.status_code == 303
    assert query_of(answered)["code"]


@pytest.mark.parametrize(
    "changes",
    [{"display": "popup"}, {"ui_locales": "se"}, {"claims_locales": "se"}, {"login_hint": "x"}, {"extra": "foobar"},
     {"acr_values": "1 2"}, {"claims": '{"userinfo":{"name":{"essential":true}}}'}],
)  # fmt: skip
def test_what_is_not_used_does_no_harm(application: Application, visitor: FlaskClient, changes: dict[str, str]) -> None:
    assert "code" in query_of(application.authorize(visitor, **changes))


def test_each_way_of_client_authentication_works(new_application: NewApplication, visitor: FlaskClient) -> None:
    for method in ("client_secret_basic", "client_secret_post", "none"):
        application = new_application(token_endpoint_auth_method=method)

        assert application.redeem(application.code(visitor)).status_code == 200


def test_ad7_a_username_given_to_somebody_else_is_another_subject_without_the_old_consent(
    new_application: NewApplication, log_in: Callable[[Person], FlaskClient], account: Callable[..., Person]
) -> None:
    gradebook, lunch = new_application("Gradebook"), new_application("Lunch", first_party=False)
    first = account("jan.nowak")
    before = gradebook.tokens(log_in(first))
    store.give_grant(first.id, lunch.registered.id, ["openid", "profile", "email"], clock.now())
    accounts.rename(db.session.get_one(Account, first.id), "jan.nowak.2", clock.now())
    db.session.commit()
    second = log_in(account("jan.nowak"))

    assert gradebook.claims(gradebook.tokens(second)["id_token"])["sub"] != gradebook.claims(before["id_token"])["sub"]
    assert query_of(lunch.authorize(second, prompt="none"))["error"] == "consent_required"
    assert gradebook.userinfo(before["access_token"]).get_json()["preferred_username"] == "jan.nowak.2"
