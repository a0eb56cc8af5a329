"""Signing keys: published, sealed, rotated on the calendar and in an emergency."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jws
from joserfc.errors import JoseError

from idp import clock
from idp.database import db
from idp.oidc import hints, keys
from idp.oidc.models import SigningKey
from tests.oidc.conftest import Application

Travel = Callable[[timedelta], AbstractContextManager[None]]


def published(app: Flask) -> dict[str, dict[str, Any]]:
    """Return the published keys by kid."""
    return {key["kid"]: key for key in app.test_client().get("/oauth/jwks").get_json()["keys"]}


def kid_of(token: str) -> str:
    """Return the kid of a signed token."""
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def test_jw9_the_published_keys_are_public_named_and_typed(app: Flask) -> None:
    found = app.test_client().get("/oauth/jwks").get_json()["keys"]

    assert {key["alg"] for key in found} == {"RS256", "ES256", "EdDSA"}
    assert len({key["kid"] for key in found}) == len(found)
    assert all(key["use"] == "sig" for key in found)
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys() for key in found)


def test_a_private_key_is_stored_sealed(app: Flask) -> None:
    published(app)
    row = db.session.query(SigningKey).filter_by(algorithm="RS256").one()

    assert '"d"' not in row.sealed_private_jwk
    assert row.public_jwk["n"] not in row.sealed_private_jwk


def test_the_calendar_publishes_a_successor_before_it_signs_and_keeps_what_signed(
    app: Flask, application: Application, visitor: FlaskClient, log_in: Any, parent: Any, travel: Travel
) -> None:
    first = kid_of(application.tokens(visitor)["id_token"])
    with travel(timedelta(days=77)):
        keys.rotate_due(clock.now())
        during = published(app)
        assert len([key for key in during.values() if key["alg"] == "RS256"]) == 2
        assert kid_of(application.tokens(log_in(parent))["id_token"]) == first
    with travel(timedelta(days=91)):
        second = kid_of(application.tokens(log_in(parent))["id_token"])
        keys.rotate_due(clock.now())
        assert second != first
        assert second in during
        assert first in published(app)
    with travel(timedelta(days=106)):
        keys.rotate_due(clock.now())
        assert first not in published(app)


def test_an_urgent_key_signs_half_a_minute_later(
    app: Flask, application: Application, visitor: FlaskClient, travel: Travel
) -> None:
    first = kid_of(application.tokens(visitor)["id_token"])
    urgent = keys.rotate_now("RS256", clock.now())

    assert urgent in published(app)
    assert kid_of(application.tokens(visitor)["id_token"]) == first
    with travel(timedelta(seconds=31)):
        assert kid_of(application.tokens(visitor)["id_token"]) == urgent
        assert first in published(app)


def test_a_revoked_key_is_good_for_nothing_once_its_successor_signs(
    app: Flask, application: Application, visitor: FlaskClient, travel: Travel
) -> None:
    before = application.tokens(visitor)["id_token"]
    first, others = kid_of(before), {kid for kid, key in published(app).items() if key["alg"] != "RS256"}
    urgent = keys.rotate_now("RS256", clock.now(), revoke=True)

    assert {first, urgent} <= published(app).keys()
    assert application.claims(before)
    with travel(timedelta(seconds=31)):
        after = application.tokens(visitor)["id_token"]
        assert kid_of(after) == urgent
        assert published(app).keys() == {urgent, *others}
        assert application.claims(after)
        with pytest.raises(JoseError):
            application.claims(before)
        assert hints.read(before, clock.now()) is None
        keys.rotate_due(clock.now())
        assert first not in {key.kid for key in keys.listed()}


def test_a_successor_that_was_published_ahead_is_revoked_with_the_others_at_once(app: Flask, travel: Travel) -> None:
    published(app)
    with travel(timedelta(days=77)):
        keys.rotate_due(clock.now())
        ahead = {key.kid for key in keys.listed() if key.active_from > clock.now()}
        urgent = keys.rotate_now("RS256", clock.now(), revoke=True)
        left = {key.kid for key in keys.listed() if key.algorithm == "RS256" and key.active_from > clock.now()}
    assert len(ahead) == 3
    assert left == {urgent}


def test_a_second_revocation_leaves_no_moment_without_a_key(app: Flask, travel: Travel) -> None:
    published(app)
    (first,) = [key.kid for key in keys.listed() if key.algorithm == "RS256"]
    keys.rotate_now("RS256", clock.now(), revoke=True)
    with travel(timedelta(seconds=20)):
        urgent = keys.rotate_now("RS256", clock.now(), revoke=True)
    for seconds in range(0, 80, 5):
        with travel(timedelta(seconds=seconds)):
            signer = keys.ring(clock.now()).signer("RS256").kid
            assert signer in published(app)
            assert signer == (first if seconds < 50 else urgent)


def test_an_urgent_key_is_told_even_when_the_calendar_has_its_next_one(app: Flask, travel: Travel) -> None:
    published(app)
    with travel(timedelta(days=77)):
        keys.rotate_due(clock.now())
        urgent = keys.rotate_now("RS256", clock.now())
    with travel(timedelta(days=77, seconds=31)):
        assert keys.ring(clock.now()).signer("RS256").kid == urgent


def test_discovery_lists_only_what_works(app: Flask) -> None:
    """Rows RO3 and the set-up of every conformance module."""
    document = app.test_client().get("/.well-known/openid-configuration")
    values = document.get_json()

    assert values["issuer"] == "http://localhost:5000"
    assert values["response_types_supported"] == ["code"]
    assert values["code_challenge_methods_supported"] == ["S256"]
    assert values["request_parameter_supported"] is False
    assert values["request_uri_parameter_supported"] is False
    assert values["authorization_response_iss_parameter_supported"] is True
    assert "none" not in values["id_token_signing_alg_values_supported"]
    for name, address in values.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert app.test_client().get(address.removeprefix(values["issuer"])).status_code != 404, name


def test_discovery_and_keys_are_ready_bytes_that_a_cache_can_keep(app: Flask) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth/jwks"):
        first = app.test_client().get(path)
        again = app.test_client().get(path, headers={"If-None-Match": first.headers["ETag"]})

        assert "max-age" in first.headers["Cache-Control"]
        assert again.status_code == 304
