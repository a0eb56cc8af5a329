"""Which ID tokens log somebody in, and which don't."""

from collections.abc import Callable

import pytest
from joserfc.jwk import RSAKey

from tests.clients.stand_in import CLIENT_SECRET, StandIn
from tests.clients.visitor import Visitor


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example.org"},
        {"iss": None},
        {"aud": "another"},
        {"aud": "another", "azp": "gradebook"},
        {"aud": ["gradebook", "another"], "azp": "another"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nonce": "another"},
        {"nonce": None},
        {"iat": None},
        {"sub": None},
        {"sid": 7},
    ],
    ids=str,
)
def test_an_id_token_with_a_wrong_claim_logs_nobody_in(visitor: Visitor, changes: dict[str, object]) -> None:
    page = visitor.log_in(**changes)  # type: ignore[arg-type]  # cases of a table

    assert page.status == 400
    assert "did not confirm" in page.words
    assert not visitor.is_logged_in()


def test_an_id_token_signed_with_the_client_secret_logs_nobody_in(visitor: Visitor, provider: StandIn) -> None:
    provider.metadata["id_token_signing_alg_values_supported"] = ["HS256", "none"]
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska")
    claims = provider.codes["code-0"][1]
    provider.token_changes["id_token"] = provider.sign_with_secret(claims, CLIENT_SECRET)

    assert visitor.come_back(query).status == 400


def test_an_unsigned_id_token_logs_nobody_in(visitor: Visitor, provider: StandIn) -> None:
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska")
    payload = provider.sign(provider.codes["code-0"][1]).split(".")[1]
    provider.token_changes["id_token"] = f"eyJhbGciOiJub25lIn0.{payload}."

    assert visitor.come_back(query).status == 400


def test_an_id_token_signed_by_a_stranger_logs_nobody_in(
    visitor: Visitor, provider: StandIn, strangers_key: RSAKey
) -> None:
    ours = provider.jwks()
    query = provider.authorize(visitor.start_log_in(), "maria.kowalska")
    provider.key, provider.metadata["jwks_uri"] = strangers_key, provider.issuer + "/jwks"
    provider.jwks = lambda: ours  # type: ignore[method-assign]  # what this provider says

    assert visitor.come_back(query).status == 400


@pytest.mark.parametrize("changes", [{"id_token": None}, {"access_token": None}, {"id_token": "a.b.c"}])
def test_a_token_answer_with_something_missing_logs_nobody_in(
    visitor: Visitor, provider: StandIn, changes: dict[str, str | None]
) -> None:
    provider.token_changes.update(changes)

    assert visitor.log_in().status == 400


def test_userinfo_about_somebody_else_logs_nobody_in(visitor: Visitor, provider: StandIn) -> None:
    provider.userinfo_changes["sub"] = "sub-of-james.okafor"

    assert visitor.log_in().status == 400


def test_a_new_signing_key_is_fetched_when_it_is_first_met(
    visitor: Visitor, provider: StandIn, strangers_key: RSAKey, pass_time: Callable[[float], None]
) -> None:
    visitor.log_in()
    provider.key, provider.key_id = strangers_key, "second"
    pass_time(60)

    assert visitor.log_in().status == 303
