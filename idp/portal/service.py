"""What the portal knows and keeps: its tools, which are the district's own applications, and a reader's language."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from idp import settings
from idp.accounts import service as accounts
from idp.clients import registry
from idp.database import db
from idp.portal import theme
from idp.settings import School


@dataclass(frozen=True, slots=True)
class Tool:
    """One application in the menu."""

    name: str
    description: str
    address: str
    """Where it is opened: the application then starts a log-in, which the portal's session answers at once."""
    colours: str
    """The class of its school's colours; empty for an application of no single school."""


def find_tools() -> list[Tool]:
    """Return the tools in the order of the menu: first what serves all schools, then each school's, by name."""
    loaded = settings.current()
    tools = [
        Tool(
            application.client_name,
            application.description,
            address,
            _colours(application.client_name, loaded.district.schools),
        )
        for application in registry.menu()
        if (address := application.start_address(loaded.server.issuer)) is not None
    ]
    return sorted(tools, key=lambda tool: (bool(tool.colours), tool.name))


def change_language(account_id: uuid.UUID, code: str, now: datetime) -> None:
    """Write pages and mail to somebody in another language from now on. Commits."""
    accounts.learn_language(accounts.get(account_id), code, is_picked=True, now=now)
    db.session.commit()


def _colours(client_name: str, schools: Sequence[School]) -> str:
    """Return the colours of the school that an application's name speaks of, by the school's name or its key."""
    name = client_name.casefold()
    for index, school in enumerate(schools):
        if school.name.casefold() in name or school.key.replace("-", " ").casefold() in name:
            return theme.school_class(index)
    return ""
