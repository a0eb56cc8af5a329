"""Changes to a registered application: each raises the revision, none changes who people are to it."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from idp import clock
from idp.clients import service
from idp.clients.models import Client
from idp.database import db
from tests.registry.conftest import Metadata

Change = Callable[[Client, datetime], object]


@pytest.fixture
def client(app: Flask, metadata: Metadata) -> Client:
    made, _secret = service.register(metadata(), first_party=False, now=clock.now())
    db.session.commit()
    return made


@pytest.mark.parametrize(
    "change",
    [
        service.rotate_secret,
        service.disable,
        lambda client, now: (service.disable(client, now), service.enable(client, now)),
        service.remove,
    ],
)
def test_a_change_raises_the_revision_also_within_one_moment(client: Client, change: Change) -> None:
    before = client.revision
    change(client, client.updated_at)
    db.session.commit()

    assert client.revision > before


def test_an_update_tells_what_changed_from_what_to_what(client: Client, metadata: Metadata) -> None:
    before = client.revision
    now = clock.now()
    updated = service.update(client, metadata(client_name="Supper", scope="openid"), first_party=True, now=now)
    db.session.commit()

    assert client.revision == before + 1
    assert updated.changes == {
        "client_name": ("Lunch", "Supper"),
        "scopes": (["openid", "profile", "email"], ["openid"]),
        "first_party": (False, True),
    }


def test_an_update_that_changes_nothing_leaves_the_revision(client: Client, metadata: Metadata) -> None:
    before = client.revision
    updated = service.update(client, metadata(), first_party=False, now=clock.now())
    db.session.commit()

    assert updated.changes == {}
    assert client.revision == before


def test_of_two_changes_at_once_the_second_is_refused(client: Client, metadata: Metadata) -> None:
    assert client.client_name == "Lunch"
    with db.engine.begin() as elsewhere:
        elsewhere.execute(update(Client).values(client_name="Breakfast", revision=Client.revision + 1))

    with pytest.raises(StaleDataError):
        service.update(client, metadata(client_name="Supper"), first_party=False, now=clock.now())
    db.session.rollback()
    assert client.client_name == "Breakfast"


def test_a_form_token_registers_once(app: Flask, metadata: Metadata) -> None:
    service.register(metadata(), first_party=False, now=clock.now(), form_token="token")
    db.session.commit()

    with pytest.raises(IntegrityError):
        service.register(metadata(), first_party=False, now=clock.now(), form_token="token")
    db.session.rollback()


def test_disabling_and_enabling_twice_changes_nothing_more(client: Client) -> None:
    assert service.disable(client, clock.now())
    assert not service.disable(client, clock.now())
    assert service.enable(client, clock.now())
    assert not service.enable(client, clock.now())


def test_a_client_id_is_random_letters_and_digits(app: Flask) -> None:
    made = {service.new_client_id() for _ in range(200)}

    assert len(made) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9]{24}", client_id) for client_id in made)


def test_the_districts_own_share_a_sector(app: Flask, metadata: Metadata) -> None:
    one, _ = service.register(metadata(), first_party=True, now=clock.now())
    two, _ = service.register(metadata(redirect_uris=["https://a.example/x"]), first_party=True, now=clock.now())
    db.session.commit()

    assert one.sector_id == two.sector_id
    assert one.sector.identifier == "district"


@pytest.mark.parametrize(
    ("uris", "method", "sector"),
    [
        (["https://rp.example/a", "https://rp.example:8443/b"], "client_secret_basic", "host:rp.example"),
        (["https://district/a"], "client_secret_basic", "host:district"),
        (["https://rp.example/a", "https://other.example/a"], "client_secret_basic", None),
        (["http://localhost:5001/cb"], "client_secret_basic", None),
        (["http://127.0.0.1/cb"], "none", None),
        (["com.example.app:/cb"], "none", None),
        (["https://rp.example/a", "com.example.app:/cb"], "none", None),
    ],
)
def test_others_have_their_sites_sector_or_their_own(
    app: Flask, metadata: Metadata, uris: list[str], method: str, sector: str | None
) -> None:
    given = metadata(redirect_uris=uris, token_endpoint_auth_method=method)
    client, _ = service.register(given, first_party=False, now=clock.now())
    db.session.commit()

    assert client.sector.identifier == (sector or f"client:{client.client_id}")


def test_a_renamed_host_or_a_new_owner_changes_nobodys_subject(client: Client, metadata: Metadata) -> None:
    before = (client.sector_id, client.sector.salt)
    moved = metadata(redirect_uris=["https://moved.example/callback"])
    service.update(client, moved, first_party=True, now=clock.now())
    db.session.commit()

    assert (client.sector_id, client.sector.salt) == before
