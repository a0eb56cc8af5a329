"""The demo's families and staff."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from idp import sealing
from idp.accounts import passwords, security_emails
from idp.accounts import service as accounts
from idp.accounts.models import ADMIN, GUARDIAN, SUPPORT, Account
from idp.accounts.security_emails import Status
from idp.admin import people
from idp.audit import service as audit
from idp.database import db
from idp.demo.instance import write_secret

READY, TEMPORARY, CHANGED, DISABLED = "ready", "temporary password", "password changed", "disabled"
NO_ADDRESS, NOT_VERIFIED = "no security email", "security email not verified"
SHARED, TWO_SCHOOLS = "two guardians share a security email", "children at two schools"
SPANISH, BY_PHONE = "speaks Spanish", "recovered by phone"

WALKS = {
    TEMPORARY: "log in, choose a password, enter an address, open the link in the mailbox",
    NO_ADDRESS: "log in, enter an address, open the link in the mailbox",
    NOT_VERIFIED: "log in, Profile, Settings, Account Settings, Resend Verification Email, then the mailbox",
    SHARED: "at the log-in page press Forgot Username? and enter the address of both",
    TWO_SCHOOLS: "log in, then open the dashboards of two schools from the menu",
    SPANISH: "log in: pages and mail are in Spanish",
    BY_PHONE: "log in: nobody asks for an address",
}
"""How to see what is special about a family."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demo. Passwords are no secret: they open nothing but a demo on one's own machine."""

    username: str
    name: str
    password: str | None
    """None: gets a temporary one, and chooses at the first log-in."""
    children: tuple[str, ...] = ()
    role: str = GUARDIAN
    state: str = READY
    """What the family is there to show."""
    security_email: str = ""
    """Where it is not the address on file."""

    @property
    def address(self) -> str:
        """The contact address on file."""
        return f"{self.username}@families.example"


@dataclass(frozen=True, slots=True)
class Ready:
    """A person who can log in, or what keeps them from it."""

    person: Person
    password: str | None
    state: str
    security_email: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the password opens the portal at once."""
        return self.password is not None and self.state not in {TEMPORARY, NO_ADDRESS, DISABLED}

    def described(self) -> dict[str, Any]:
        """Return what demo.json says of a guardian."""
        return {
            "username": self.person.username,
            "name": self.person.name,
            "password": self.password,
            "ready": self.is_ready,
            "state": self.state,
            "security_email": self.security_email,
            "children": list(self.person.children),
        }


_FAMILY = "kowalski.family@families.example"
PEOPLE = (
    Person(
        "maria.kowalska",
        "Maria Kowalska",
        "linden-copper-47-harvest",
        ("Zofia Kowalski", "Jan Kowalski"),
        state=SHARED,
        security_email=_FAMILY,
    ),
    Person(
        "james.okafor", "James Okafor", "velvet-anchor-29-summit", ("Ada Okafor", "Tobias Okafor"), state=TWO_SCHOOLS
    ),
    Person(
        "piotr.kowalski",
        "Piotr Kowalski",
        "orchard-violin-61-canyon",
        ("Zofia Kowalski", "Jan Kowalski"),
        state=SHARED,
        security_email=_FAMILY,
    ),
    Person("linh.tran", "Linh Tran", "marble-thicket-83-river", ("Minh Tran",), state=NOT_VERIFIED),
    Person("rosa.alvarez", "Rosa Alvarez", "cobalt-meadow-16-lantern", state=SPANISH),
    Person("walter.novak", "Walter Novak", "pebble-harvest-52-window", state=BY_PHONE),
    Person("new.parent", "Nora Parent", None, state=TEMPORARY),
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
    address = security_emails.status(account.id)
    entered = address.verified or address.pending
    if person.password is None and account.password_changed_at is None:
        return Ready(person, _temporary_password(account, kept, now), TEMPORARY, entered)
    if account.disabled_at is not None:
        return Ready(person, person.password, DISABLED, entered)
    if account.password_changed_at != account.created_at:
        return Ready(person, None, CHANGED, entered)
    return Ready(person, person.password, _state(person, account, address), entered)


def _state(person: Person, account: Account, address: Status) -> str:
    """Return what there is to see: what the family shows, unless somebody has changed that meanwhile."""
    if not address.is_set and account.recovery_by is None:
        return NO_ADDRESS
    if address.verified is None and address.is_set:
        return NOT_VERIFIED
    return READY if person.state == NOT_VERIFIED else person.state


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
        email=person.address,
        language="es" if person.state == SPANISH else "",
        now=now,
    )
    if stored is not None:
        accounts.store_password(account, stored, now)
    _give_address(person, account, now)
    audit.record("account_add", account_id=account.id, role=account.role)
    db.session.commit()
    return account


def _give_address(person: Person, account: Account, now: datetime) -> None:
    if person.state == BY_PHONE:
        account.recovery_by = "phone"
    elif person.state == NOT_VERIFIED:
        security_emails.set_pending(account.id, person.address, now)
    elif person.password is not None:
        security_emails.set_verified(account.id, person.security_email or person.address, now)


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
