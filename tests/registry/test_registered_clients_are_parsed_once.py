"""The registry gives the protocol what is true now, and reads a row whole only when it has changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from idp import clock
from idp.clients import registry, service
from idp.clients.models import Client
from idp.database import db
from tests.registry.conftest import Metadata


@contextmanager
def statements() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@pytest.fixture
def client(app: Flask, metadata: Metadata) -> Client:
    made, _secret = service.register(
        metadata(logo_uri="https://lunch.example/l.png"), first_party=True, now=clock.now()
    )
    db.session.commit()
    return made


def test_a_registered_application_is_found_with_its_metadata(client: Client) -> None:
    found = registry.find(client.client_id)

    assert found is not None
    assert found.pk == client.id
    assert found.client_name == "Lunch"
    assert found.redirect_uris == ("https://lunch.example/callback",)
    assert found.scopes == ("openid", "profile", "email")
    assert found.sector_identifier == "district"
    assert len(found.sector_salt) == 32
    assert found.logo_uri == "https://lunch.example/l.png"
    assert found.first_party
    assert not found.disabled
    assert not found.is_public


@pytest.mark.parametrize("client_id", ["", "x", "é", "a" * 5000, "' OR 1=1--", "\ud800", "x\x00"], ids=ascii)
def test_an_unknown_application_is_none(app: Flask, client_id: str) -> None:
    assert registry.find(client_id) is None


def test_the_second_look_reads_the_revision_alone(client: Client) -> None:
    first = registry.find(client.client_id)
    with statements() as seen:
        second = registry.find(client.client_id)

    assert second is first
    assert len(seen) == 1
    assert "redirect_uris" not in seen[0]


def test_a_look_with_a_revision_at_hand_reads_nothing(client: Client) -> None:
    found = registry.find(client.client_id)
    assert found is not None
    with statements() as seen:
        assert registry.from_cache(client.client_id, found.revision) is found
        assert registry.from_cache(client.client_id, found.revision + 1) is None

    assert seen == []


def test_a_change_made_elsewhere_is_seen_at_once(client: Client) -> None:
    registry.find(client.client_id)
    db.session.execute(
        update(Client).where(Client.id == client.id).values(client_name="Supper", revision=Client.revision + 1)
    )
    db.session.commit()

    found = registry.find(client.client_id)
    assert found is not None
    assert found.client_name == "Supper"


def test_a_disabled_application_is_none_to_strangers_and_known_to_the_console(client: Client) -> None:
    registry.find(client.client_id)
    service.disable(client, clock.now())
    db.session.commit()

    assert registry.find(client.client_id) is None
    shown = registry.find_even_disabled(client.client_id)
    assert shown is not None
    assert shown.disabled


def test_a_removed_application_is_none_to_all_and_its_row_stays(client: Client) -> None:
    service.remove(client, clock.now())
    db.session.commit()

    assert registry.find(client.client_id) is None
    assert registry.find_even_disabled(client.client_id) is None
    assert service.get(client.client_id) is None
    assert db.session.scalar(select(Client.client_name).where(Client.client_id == client.client_id)) == "Lunch"


def test_the_menu_lists_the_districts_own_that_can_be_started(app: Flask, metadata: Metadata) -> None:
    start = "https://lunch.example/log-in"
    made = {
        name: service.register(
            metadata(client_name=name, initiate_login_uri=uri), first_party=first_party, now=clock.now()
        )[0]
        for name, first_party, uri in [
            ("Zoo", True, start),
            ("Gradebook", True, start),
            ("Shut", True, start),
            ("Silent", True, None),
            ("Stranger", False, start),
        ]
    }
    service.disable(made["Shut"], clock.now())
    db.session.commit()

    assert [client.client_name for client in registry.menu()] == ["Gradebook", "Zoo"]


def test_last_use_is_written_once_in_ten_minutes_and_is_no_change(client: Client) -> None:
    found = registry.find(client.client_id)
    assert found is not None
    now = clock.now()
    for minutes in (0, 9, 10):
        registry.touch_used(found, now + timedelta(minutes=minutes))
        db.session.commit()
        used = db.session.scalar(select(Client.last_used_at).where(Client.id == client.id))
        assert used == now + timedelta(minutes=0 if minutes < 10 else 10)

    assert registry.find(client.client_id) is found


def test_last_use_within_ten_minutes_costs_no_statement(client: Client) -> None:
    found = registry.find(client.client_id)
    assert found is not None
    registry.touch_used(found, clock.now())
    db.session.commit()
    with statements() as seen:
        registry.touch_used(found, clock.now())

    assert seen == []
