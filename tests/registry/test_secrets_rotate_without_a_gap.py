"""Two secrets are valid while one replaces the other (ATTACKS CA3, CA5; AUTHLIB-8)."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp import clock, settings
from idp.clients import secrets, service
from idp.clients.models import Client, ClientSecret
from idp.database import db
from tests.registry.conftest import Metadata

MOMENT = timedelta(seconds=1)


@pytest.fixture
def registered(app: Flask, metadata: Metadata) -> tuple[Client, str]:
    client, secret = service.register(metadata(), first_party=False, now=clock.now())
    db.session.commit()
    assert secret is not None
    return client, secret


def _matches(client: Client, presented: str, now: datetime) -> bool:
    return secrets.find(client.client_id, presented, now)[1]


def test_a_secret_has_256_bits_and_only_its_digest_is_kept(registered: tuple[Client, str]) -> None:
    client, secret = registered
    digests = db.session.scalars(select(ClientSecret.digest).where(ClientSecret.client_pk == client.id)).all()

    assert len(secret) == 43
    assert [len(digest) for digest in digests] == [32]
    assert secret.encode() not in digests[0]
    assert secret not in repr(client)


def test_the_secret_matches_and_nothing_near_it_does(registered: tuple[Client, str]) -> None:
    client, secret = registered

    assert _matches(client, secret, clock.now())
    for wrong in (secret[:-1], secret + "A", secret.swapcase(), f" {secret}", "", client.client_id):
        assert not _matches(client, wrong, clock.now())


@pytest.mark.parametrize("presented", ["", "é" * 40, "\ud800", "x" * 60_000, "\x00"], ids=ascii)
def test_rubbish_is_refused_without_an_error(registered: tuple[Client, str], presented: str) -> None:
    assert not _matches(registered[0], presented, clock.now())


def test_a_secret_is_of_one_application_only(registered: tuple[Client, str], metadata: Metadata) -> None:
    other, _secret = service.register(metadata(), first_party=False, now=clock.now())
    db.session.commit()

    assert not _matches(other, registered[1], clock.now())


def test_an_application_without_a_secret_matches_none(app: Flask, metadata: Metadata) -> None:
    public = metadata(token_endpoint_auth_method="none")
    client, secret = service.register(public, first_party=False, now=clock.now())
    db.session.commit()

    assert secret is None
    assert not _matches(client, "", clock.now())


def test_the_old_secret_is_valid_until_the_overlap_ends(registered: tuple[Client, str]) -> None:
    client, old = registered
    now = clock.now()
    rotated = service.rotate_secret(client, now)
    db.session.commit()
    end = now + timedelta(days=settings.current().tokens.client_secret_overlap_days)

    assert rotated.old_valid_until == end
    assert _matches(client, old, end - MOMENT)
    assert not _matches(client, old, end)
    assert _matches(client, rotated.secret, end + timedelta(days=3650))


def test_no_more_than_two_secrets_are_valid(registered: tuple[Client, str]) -> None:
    client, first = registered
    now = clock.now()
    second = service.rotate_secret(client, now).secret
    third = service.rotate_secret(client, now + MOMENT).secret
    db.session.commit()

    at = now + 2 * MOMENT
    assert [_matches(client, secret, at) for secret in (first, second, third)] == [False, True, True]


def test_a_secret_that_became_known_ends_at_once(registered: tuple[Client, str]) -> None:
    client, leaked = registered
    rotated = service.rotate_secret(client, clock.now(), old_ends_now=True)
    db.session.commit()

    assert not _matches(client, leaked, clock.now())
    assert _matches(client, rotated.secret, clock.now())


def test_removing_an_application_ends_its_secrets(registered: tuple[Client, str]) -> None:
    client, secret = registered
    service.remove(client, clock.now())
    db.session.commit()

    assert not _matches(client, secret, clock.now())


def test_becoming_public_ends_the_secrets_and_the_way_back_brings_a_new_one(
    registered: tuple[Client, str], metadata: Metadata
) -> None:
    client, old = registered
    public = metadata(token_endpoint_auth_method="none")
    assert service.update(client, public, first_party=False, now=clock.now()).secret is None
    db.session.commit()
    assert not _matches(client, old, clock.now())

    updated = service.update(client, metadata(), first_party=False, now=clock.now())
    db.session.commit()
    assert updated.secret is not None
    assert _matches(client, updated.secret, clock.now())
    assert not _matches(client, old, clock.now())
