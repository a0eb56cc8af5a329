"""A client_id is never a person's username or subject, whichever of the two was there first (ATTACKS DR5)."""

from collections.abc import Callable

import pytest

from idp.clients import service
from idp.clients.models import Client
from idp.database import db
from tests.factories import Person, Registered
from tests.programs import Commands

SPELLINGS = [str, str.upper, str.lower, lambda text: f"  {text} "]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_no_account_is_named_like_an_application(
    idp: Commands, client: Callable[..., Registered], spelled: Callable[[str], str]
) -> None:
    done = idp("account", "add", spelled(client().client_id))

    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_no_account_is_renamed_to_an_application(
    idp: Commands, parent: Person, client: Callable[..., Registered], spelled: Callable[[str], str]
) -> None:
    assert idp("account", "rename", parent.username, spelled(client().client_id)).exit_code == 1


def test_a_removed_application_keeps_its_id_to_itself(idp: Commands, client: Callable[..., Registered]) -> None:
    made = client()
    idp("client", "remove", made.client_id, "--yes")

    assert idp("account", "add", made.client_id).exit_code == 1
    assert db.session.get(Client, made.id) is not None


def test_no_application_is_registered_under_a_chosen_id(idp: Commands, parent: Person) -> None:
    assert idp("client", "add", "X", "--redirect-uri", "https://x.example/", "--client-id", "x").exit_code == 2
    assert service.find_all() == []
