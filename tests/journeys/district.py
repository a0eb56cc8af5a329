"""The district that journeys go through, and what a person does in a window: in words that the pages use."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from playwright.sync_api import Page, expect

from idp import clock, settings
from idp.accounts import security_emails
from idp.accounts import service as accounts
from idp.app import create_app
from idp.database import db
from tests import factories
from tests.factories import Person

EAST, SOUTH, WEST, GRADEBOOK = "maine-east", "maine-south", "maine-west", "gradebook"
DASHBOARDS = {EAST: "Maine East", SOUTH: "Maine South", WEST: "Maine West"}


_numbers = count(1)


@dataclass(frozen=True)
class LogIn:
    """Who somebody is to the log-in page."""

    username: str
    password: str
    name: str = ""


@dataclass(frozen=True)
class District:
    """Where everything is, and who can log in."""

    issuer: str
    applications: dict[str, str]
    guardian: LogIn
    other_guardian: LogIn
    admin: LogIn
    support: LogIn
    environment: dict[str, str]
    """By which `idp` commands speak to it."""

    def newcomer(self, security_email: str | None = "nora@families.example") -> LogIn:
        """Add a guardian who has a temporary password, as the office does: with an address that it has verified."""
        name = "Nora Newcomer"
        typed = ["account", "add", f"nora{next(_numbers)}", "--name", name, "--json"]
        typed += ["--security-email", security_email] if security_email else []
        command = [sys.executable, "-m", "idp", *typed]
        done = subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        printed = json.loads(done.stdout)
        return LogIn(printed["username"], printed["temporary_password"], name)

    def ask_for_support(self, page: Page) -> str:
        """Fill in the Portal Support Form as a family does, and return the number of the request."""
        page.goto(f"{self.issuer}/support?topic=other")
        page.get_by_label("Your name (required)").fill("Rosa Álvarez")
        page.get_by_label("Who are you to the student? (required)").select_option(label="Parent")
        page.get_by_label("The student’s name (required)").fill("Mateo Álvarez")
        page.get_by_label("The student’s school (required)").select_option(label="Maine East High School")
        page.get_by_label("Email", exact=True).fill("rosa@families.example")
        page.get_by_label("Phone", exact=True).fill("847-555-0199")
        page.get_by_label("Your question, in a few words").fill("I get no verification email.\n  What now?")
        page.wait_for_timeout(3500)  # nobody fills it in faster, so what comes sooner is asked for once more
        page.get_by_role("button", name="Send", exact=True).click()
        return page.locator(".ticket-number").inner_text().replace(" ", "")

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Reach the district's accounts from here; what the block has done is kept."""
        with create_app(settings.load(self.environment)).app_context():
            yield
            db.session.commit()
            db.engine.dispose()

    def add(self, username: str, security_email: str | None = None, **columns: Any) -> Person:
        """Add a guardian with a password of their own, and with a security email that is verified, or none yet."""
        with self.inside():
            return factories.account(username, security_email=security_email, **columns)

    def verify(self, who: LogIn, address: str) -> None:
        """Give somebody a security email that is verified."""
        with self.inside():
            account = accounts.find_by_username(who.username)
            assert account
            security_emails.set_verified(account.id, address, clock.now())

    def let_temporary_password_expire(self, who: LogIn) -> None:
        """Let fourteen days pass for somebody."""
        with self.inside():
            account = accounts.find_by_username(who.username)
            assert account
            account.temporary_password_expires_at = clock.now()

    def mail(self, recipient: str, holding: str) -> str:
        """Return what the message in the mailbox to an address says that holds some words, once it is there."""
        for _ in range(100):
            with urlopen(f"{self.issuer}/mailbox/messages.json?to={quote(recipient)}") as answer:
                found = [str(one["text"]) for one in json.load(answer) if holding in one["text"]]
            if found:
                return found[0]
            time.sleep(0.1)
        raise AssertionError(f"no mail to {recipient}")


def read_description(folder: Path, given: dict[str, str]) -> District:
    """Read what the demo has written about itself; it does not write down what the environment has given it."""
    written = json.loads((folder / "demo.json").read_text("utf-8"))
    people = {row["username"]: LogIn(row["username"], row["password"], row["name"]) for row in written["guardians"]}
    ready = [people[row["username"]] for row in written["guardians"] if row["ready"] and row["children"]]
    admin = LogIn(written["admin"]["username"], written["admin"]["password"])
    support = LogIn(written["support"]["username"], written["support"]["password"])
    environment = _read(folder) | given
    return District(written["issuer"], written["applications"], ready[0], ready[1], admin, support, environment)


def _read(folder: Path) -> dict[str, str]:
    words = shlex.split((folder / "demo.env").read_text("utf-8"))
    spoken = dict(word.split("=", 1) for word in words if "=" in word)
    return {name: value for name, value in os.environ.items() if not name.startswith("IDP_")} | spoken


def open_application(page: Page, address: str) -> None:
    """Open an application's first page, which asks for a log-in, and press its link."""
    page.goto(address)
    page.get_by_role("link", name="Log in", exact=True).click()


def log_in(page: Page, who: LogIn | Person) -> None:
    """Fill in the log-in page, which has to be open."""
    expect(page.get_by_label("Username", exact=True)).to_be_visible()
    page.get_by_label("Username", exact=True).fill(who.username)
    page.get_by_label("Password", exact=True).fill(who.password)
    page.get_by_role("button", name="Log In", exact=True).click()


def expect_inside(page: Page, address: str, name: str) -> None:
    """See that an application has let somebody in, by name."""
    expect(page).to_have_url(re.compile(rf"^{re.escape(address)}/"))
    expect(page.get_by_text(f"Logged in as {name}")).to_be_visible()


def expect_log_in_page(page: Page, district: District) -> None:
    """See that the provider asks who somebody is."""
    expect(page).to_have_url(re.compile(rf"^{re.escape(district.issuer)}/login"))
    expect(page.get_by_role("button", name="Log In", exact=True)).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def expect_outside(page: Page, address: str) -> None:
    """See that an application asks for a log-in: at once, or as soon as its log-out notice has reached it."""
    for _ in range(100):
        page.goto(address)
        if page.get_by_role("link", name="Log in", exact=True).count():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{address} still has somebody logged in")
