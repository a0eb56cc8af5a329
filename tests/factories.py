"""People and applications for tests, made by the features' own services."""

import uuid
from dataclasses import dataclass
from itertools import count
from typing import Any

from idp import clock
from idp.accounts import passwords, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import GUARDIAN
from idp.clients import service as clients
from idp.clients import validation
from idp.database import db

PASSWORD = "plum harbour violin sketch"
_numbers = count(1)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and the password that they know."""

    id: uuid.UUID
    username: str
    password: str
    name: str
    role: str
    email: str | None


@dataclass(frozen=True)
class Registered:
    """A registered application, and its secret (None for a public one)."""

    id: uuid.UUID
    client_id: str
    secret: str | None
    redirect_uri: str
    name: str


def account(
    username: str | None = None,
    *,
    password: str | None = PASSWORD,
    role: str = GUARDIAN,
    given_name: str = "Ewa",
    family_name: str = "Kowalska",
    email: str | None = None,
    security_email: str | None = "",
    **columns: Any,
) -> Person:
    """Make an account with a password that is set (None: none yet); columns overrules what its row holds.

    Its security email is verified, and is the address on file unless another one is given (None: it has none yet).
    """
    number = next(_numbers)
    made = accounts.create(
        username or f"ewa.kowalska{number}",
        role=role,
        name=f"{given_name} {family_name}",
        given_name=given_name,
        family_name=family_name,
        email=email or f"ewa.kowalska{number}@example.org",
        now=clock.now(),
    )
    if password is not None:
        accounts.store_password(made, passwords.hash_password(password), clock.now())
    if security_email is not None:
        security_emails.set_verified(made.id, security_email or made.email or "", clock.now())
    for column, value in columns.items():
        setattr(made, column, value)
    db.session.commit()
    return Person(made.id, made.username, password or "", made.name, made.role, made.email)


def client(
    name: str = "Lunch Orders",
    *,
    redirect_uri: str = "https://lunch.example/callback",
    first_party: bool = False,
    **metadata: Any,
) -> Registered:
    """Register an application; metadata as RFC 7591 section 2 names it."""
    checked = validation.validate({"client_name": name, "redirect_uris": [redirect_uri]} | metadata)
    assert isinstance(checked, validation.ClientMetadata), checked
    made, secret = clients.register(checked, first_party=first_party, now=clock.now())
    db.session.commit()
    return Registered(made.id, made.client_id, secret, redirect_uri, name)
