"""The demo's families and staff."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from idp import sealing
from idp.accounts import passwords
from idp.accounts import service as accounts
from idp.accounts.models import ADMIN, GUARDIAN, SUPPORT, Account
from idp.admin import people
from idp.audit import service as audit
from idp.database import db
from idp.demo.instance import write_secret

READY, TEMPORARY, CHANGED, DISABLED = "ready", "temporary password", "password changed", "disabled"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demo. Passwords are no secret: they open nothing but a demo on one's own machine."""

    username: str
    name: str
    password: str | None
    """None: gets a temporary one, and chooses at the first log-in."""
    children: tuple[str, ...] = ()
    role: str = GUARDIAN


@dataclass(frozen=True, slots=True)
class Ready:
    """A person who can log in, or what keeps them from it."""

    person: Person
    password: str | None
    state: str

    def described(self) -> dict[str, Any]:
        """Return what demo.json says of a guardian."""
        return {
            "username": self.person.username,
            "name": self.person.name,
            "password": self.password,
            "ready": self.state == READY,
            "state": self.state,
            "security_email": None,
            "children": list(self.person.children),
        }


PEOPLE = (
    Person("maria.kowalska", "Maria Kowalska", "linden-copper-47-harvest", ("Zofia Kowalski", "Jan Kowalski")),
    Person("james.okafor", "James Okafor", "velvet-anchor-29-summit", ("Ada Okafor", "Tobias Okafor")),
    Person("linh.tran", "Linh Tran", "marble-thicket-83-river", ("Minh Tran",)),
    Person("rosa.alvarez", "Rosa Alvarez", "cobalt-meadow-16-lantern"),
    Person("new.parent", "Nora Parent", None),
    Person("admin", "Alex Admin", "granite-willow-58-beacon", role=ADMIN),
    Person("support", "Sam Support", "harbor-cedar-74-orchid", role=SUPPORT),
)


def ensure(kept: Path, now: datetime) -> list[Ready]:
    """Make whoever is missing, leave the others as they are, and say how each can log in. Commits.

    kept is the file that holds the temporary password, of which the database knows only the digest.
    """
    return [_ensure(person, kept, now) for person in PEOPLE]


def _ensure(person: Person, kept: Path, now: datetime) -> Ready:
    account = accounts.find_by_username(person.username)
    if account is None:
        account = _create(person, now)
    if person.password is None:
        return Ready(person, _temporary_password(account, kept, now), TEMPORARY)
    if account.disabled_at is not None:
        return Ready(person, person.password, DISABLED)
    if account.password_changed_at == account.created_at:
        return Ready(person, person.password, READY)
    return Ready(person, None, CHANGED)


def _create(person: Person, now: datetime) -> Account:
    # The hash comes first: no transaction waits for it.
    stored = None if person.password is None else passwords.hash_password(person.password)
    given_name, family_name = person.name.split()
    account = accounts.create(
        person.username,
        role=person.role,
        name=person.name,
        given_name=given_name,
        family_name=family_name,
        email=f"{person.username}@families.example",
        now=now,
    )
    if stored is not None:
        accounts.store_password(account, stored, now)
    audit.record("account_add", account_id=account.id, role=account.role)
    db.session.commit()
    return account


def _temporary_password(account: Account, kept: Path, now: datetime) -> str:
    """Return the one that is still good, or a new one: without a first log-in to try, a demo would lack its start."""
    expires = account.temporary_password_expires_at
    known = kept.read_text("utf-8") if kept.exists() else ""
    if expires is not None and expires > now and account.temporary_password_digest == sealing.digest(known):
        return known
    issued = people.issue_temporary_password(account.username, actor_id=None, now=now)
    if not isinstance(issued, people.WithTemporaryPassword):
        raise TypeError("the demo's own account is gone")
    write_secret(kept, issued.temporary_password)
    return issued.temporary_password
